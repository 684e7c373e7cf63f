"""Scans, rescoring and search: equal to the reference to the bit, near to float64, ties by row number."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers.kernel_inputs import DIMENSIONS, ROW_COUNTS, available_backends, make_rows, misaligned, native_backends
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.kernels import ops
from satchel.kernels.native import ROWS_A_THREAD


def quantise_with_bits(rows: np.ndarray) -> ops.QuantisedRows:
    planes = ops.quantise(rows)
    return dataclasses.replace(planes, bits=ops.derive_bits(planes.high, planes.low, planes.scale))


def scan_bits(rows: ops.QuantisedRows, queries: np.ndarray, k: int, **options) -> tuple[np.ndarray, np.ndarray]:
    assert rows.bits is not None
    return ops.scan_bits(rows.bits.bits, rows.bits.factors, rows.bits.centre, queries, k, **options)


def scan_i8(rows: ops.QuantisedRows, queries: np.ndarray, k: int, **options) -> tuple[np.ndarray, np.ndarray]:
    return ops.scan_i8(rows.high, rows.scale, queries, k, **options)


SCANS = [scan_i8, scan_bits]


def assert_same_ranking(found: tuple[np.ndarray, np.ndarray], expected: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_backend_ranks_as_the_reference_at_every_dimension(scan, dimension: int) -> None:
    rows = quantise_with_bits(make_rows(203, dimension))
    queries = make_rows(3, dimension, seed=1)
    expected = scan(rows, queries, 20, backend="numpy")
    for backend in native_backends():
        assert_same_ranking(scan(rows, queries, 20, backend=backend), expected)


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("count", ROW_COUNTS)
def test_every_backend_ranks_as_the_reference_at_every_row_count(scan, count: int) -> None:
    rows = quantise_with_bits(make_rows(count, 67))
    queries = make_rows(2, 67, seed=1)
    for k in (1, 10, count, count + 3):
        expected = scan(rows, queries, k, backend="numpy")
        assert (expected[1] >= 0).sum(axis=1).tolist() == [min(k, count)] * 2
        for backend in native_backends():
            assert_same_ranking(scan(rows, queries, k, backend=backend), expected)


@pytest.mark.parametrize("backend", native_backends())
@pytest.mark.parametrize("dimension", [1, 17, 65, 129, 384])
def test_misaligned_arrays_rank_the_same(backend: str, dimension: int) -> None:
    rows = quantise_with_bits(make_rows(61, dimension))
    assert rows.bits is not None
    bits = ops.BitRows(*(misaligned(a) for a in (rows.bits.bits, rows.bits.factors, rows.bits.centre)))
    moved = ops.QuantisedRows(misaligned(rows.high), misaligned(rows.low), misaligned(rows.scale), bits)
    queries = make_rows(2, dimension, seed=1)
    for scan in SCANS:
        assert_same_ranking(scan(moved, misaligned(queries), 10, backend=backend), scan(rows, queries, 10))
    assert_same_ranking(
        ops.search(moved, misaligned(queries), 10, backend=backend), ops.search(rows, queries, 10, backend="numpy")
    )


@pytest.mark.parametrize("backend", available_backends())
def test_scores_of_the_high_plane_are_near_to_float64(backend: str) -> None:
    rows, queries = make_rows(500, 384), make_rows(4, 384, seed=1)
    planes = ops.quantise(rows)
    scores, numbers = scan_i8(planes, queries, 500, backend=backend)
    exact = queries.astype(np.float64) @ rows.astype(np.float64).T
    # Each side is off by at most half a level in each dimension.
    levels = np.abs(queries).max(axis=1, keepdims=True) / 254 * np.abs(rows).sum(axis=1).max()
    bound = levels + planes.scale.max() / 2 * np.abs(queries).sum(axis=1, keepdims=True)
    assert np.all(np.abs(scores - np.take_along_axis(exact, numbers, axis=1)) <= bound)


@pytest.mark.parametrize("backend", available_backends())
@pytest.mark.parametrize("dimension", [1, 16, 33, 384, 1021])
def test_rescored_values_are_float64_to_within_the_planes_and_sums_rounding(backend: str, dimension: int) -> None:
    rows, queries = make_rows(40, dimension), make_rows(3, dimension, seed=1)
    planes = ops.quantise(rows)
    candidates = np.tile(np.arange(40), (3, 1))
    scores = ops.rescore(planes.high, planes.low, planes.scale, queries, candidates, backend=backend)
    kept = planes.scale[:, None].astype(np.float64) * (planes.high + planes.low / 254.0)
    truth = queries.astype(np.float64) @ kept.T
    terms = np.abs(queries.astype(np.float64)) @ np.abs(kept).T
    assert np.all(np.abs(scores - truth) <= terms * (dimension / 16 + 8) * 2.0**-24)
    np.testing.assert_array_equal(
        scores, ops.rescore(planes.high, planes.low, planes.scale, queries, candidates, backend="numpy")
    )


@pytest.mark.parametrize("backend", available_backends())
def test_the_bit_estimate_is_close_on_rows_with_many_dimensions(backend: str) -> None:
    rows = quantise_with_bits(make_rows(400, 1021))
    queries = make_rows(4, 1021, seed=1)
    scores, numbers = scan_bits(rows, queries, 400, backend=backend)
    exact = ops.rescore(rows.high, rows.low, rows.scale, queries, numbers)
    # RaBitQ's error falls with the root of d: 1 / sqrt(1021) is .03.
    assert np.sqrt(np.mean((scores - exact) ** 2)) < 0.04


@pytest.mark.parametrize("backend", available_backends())
@pytest.mark.parametrize("scan", SCANS)
def test_equal_scores_come_by_rising_row_number(backend: str, scan) -> None:
    rows = quantise_with_bits(np.repeat(make_rows(3, 40), [700, 1, 700], axis=0))
    _, numbers = scan(rows, make_rows(1, 40, seed=1), 1401, backend=backend)
    groups = [number // 700 if number != 700 else -1 for number in numbers[0].tolist()]
    assert sorted(numbers[0].tolist()) == list(range(1401))
    for group in (0, 1):
        members = [number for number, g in zip(numbers[0].tolist(), groups, strict=True) if g == group]
        assert members == sorted(members)


@pytest.mark.parametrize("backend", available_backends())
def test_a_query_of_zeros_ties_every_row(backend: str) -> None:
    rows = quantise_with_bits(make_rows(900, 40))
    for scan in SCANS:
        scores, numbers = scan(rows, np.zeros((1, 40), np.float32), 700, backend=backend)
        assert numbers[0].tolist() == list(range(700))
        assert not scores.any()


@pytest.mark.parametrize("backend", available_backends())
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_query_that_is_not_finite_finds_nothing(backend: str, value: float) -> None:
    rows = quantise_with_bits(make_rows(50, 40))
    queries = make_rows(2, 40, seed=1)
    queries[0, 7] = value
    for found in (
        scan_i8(rows, queries, 5, backend=backend),
        scan_bits(rows, queries, 5, backend=backend),
        ops.search(rows, queries, 5, backend=backend),
    ):
        assert found[1][0].tolist() == [-1] * 5
        assert found[0][0].tolist() == [-np.inf] * 5
        assert (found[1][1] >= 0).all()


@pytest.mark.parametrize("backend", available_backends())
def test_rows_that_are_not_finite_are_never_found_and_zero_rows_score_zero(backend: str) -> None:
    values = make_rows(30, 40)
    values[4] = 0
    values[9, 3] = np.nan
    values[17, 0] = np.inf
    rows = quantise_with_bits(values)
    queries = make_rows(2, 40, seed=1)
    for found in (
        scan_i8(rows, queries, 30, backend=backend),
        scan_bits(rows, queries, 30, backend=backend),
        ops.search(rows, queries, 30, backend=backend),
        ops.search(dataclasses.replace(rows, bits=None), queries, 30, backend=backend),
    ):
        assert sorted(found[1][0].tolist()) == [-1, -1] + [row for row in range(30) if row not in {9, 17}]
    scores = ops.rescore(rows.high, rows.low, rows.scale, queries, np.tile([4, 9, -1, 30], (2, 1)), backend=backend)
    assert scores[:, 0].tolist() == [0, 0]
    assert np.isnan(scores[:, 1]).all()
    assert scores[:, 2:].tolist() == [[-np.inf, -np.inf]] * 2


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("count", [1, 8, 9, 16, 17, 61, 257])
def test_only_allowed_rows_are_found(scan, count: int) -> None:
    rows = quantise_with_bits(make_rows(count, 33))
    query = make_rows(1, 33, seed=1)
    random = np.random.default_rng(count)
    for share in (0.0, 0.1, 0.5, 1.0):
        allowed = random.random(count) < share
        packed = np.packbits(allowed, bitorder="little")
        # Bits beyond the last row mean nothing.
        packed[-1] |= (0xFF << (count % 8)) & 0xFF if count % 8 else 0
        expected = scan(rows, query, count, allowed=allowed, backend="numpy")
        assert sorted(expected[1][expected[1] >= 0].tolist()) == np.flatnonzero(allowed).tolist()
        for backend in native_backends():
            assert_same_ranking(scan(rows, query, count, allowed=allowed, backend=backend), expected)
            assert_same_ranking(scan(rows, query, count, allowed=packed, backend=backend), expected)


@pytest.mark.parametrize("backend", native_backends())
@pytest.mark.parametrize("queries", [1, 2, 7, 8, 9, 31, 32, 33, 70])
def test_a_batch_ranks_as_its_queries_one_by_one(backend: str, queries: int) -> None:
    rows = quantise_with_bits(make_rows(611, 129))
    lines = make_rows(queries, 129, seed=1)
    for scan in SCANS:
        together = scan(rows, lines, 13, backend=backend)
        for i in range(queries):
            assert_same_ranking(
                (together[0][i : i + 1], together[1][i : i + 1]), scan(rows, lines[i], 13, backend=backend)
            )


@pytest.mark.parametrize("with_bits", [True, False])
def test_search_is_the_same_on_every_backend_and_finds_the_exact_ranking(with_bits: bool) -> None:
    values, queries = make_rows(3000, 384), make_rows(5, 384, seed=1)
    rows = quantise_with_bits(values) if with_bits else ops.quantise(values)
    expected = ops.search(rows, queries, 10, rescore=1500, backend="numpy")
    exact = np.argsort(-(queries.astype(np.float64) @ values.T.astype(np.float64)), axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(expected[1], exact)
    for backend in native_backends():
        assert_same_ranking(ops.search(rows, queries, 10, rescore=1500, backend=backend), expected)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 90),
    dimension=st.integers(1, 150),
    queries=st.integers(1, 12),
    k=st.integers(1, 40),
    filtered=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape_ranks_the_same_everywhere(
    *, count: int, dimension: int, queries: int, k: int, filtered: bool, seed: int
) -> None:
    rows = quantise_with_bits(make_rows(count, dimension, seed))
    lines = make_rows(queries, dimension, seed + 1)
    allowed = np.random.default_rng(seed).random(count) < 0.5 if filtered else None
    for scan in SCANS:
        expected = scan(rows, lines, k, allowed=allowed, backend="numpy")
        for backend in native_backends():
            assert_same_ranking(scan(rows, lines, k, allowed=allowed, backend=backend), expected)


def test_hostile_planes_full_of_minus_128_are_summed_exactly() -> None:
    high = np.full((20, 4096), -128, np.int8)
    high[::2] = 127
    scale = np.ones(20, np.float32)
    query = np.full((1, 4096), -1, np.float32)
    expected = ops.scan_i8(high, scale, query, 20, backend="numpy")
    for backend in native_backends():
        assert_same_ranking(ops.scan_i8(high, scale, query, 20, backend=backend), expected)


def test_a_scan_on_several_threads_ranks_as_on_one() -> None:
    count = 2 * ROWS_A_THREAD + 13
    random = np.random.default_rng(5)
    high = random.integers(-3, 4, (count, 8)).astype(np.int8)  # few levels: many ties, across the threads' borders
    scale = np.ones(count, np.float32)
    bits = random.integers(0, 256, (-(-count // 8), 1, 8)).astype(np.uint64)
    centre = np.zeros(8, np.float32)
    queries = random.standard_normal((2, 8)).astype(np.float32)
    assert_same_ranking(ops.scan_i8(high, scale, queries, 500), ops.scan_i8(high, scale, queries, 500, backend="numpy"))
    assert_same_ranking(
        ops.scan_bits(bits, scale, centre, queries, 500),
        ops.scan_bits(bits, scale, centre, queries, 500, backend="numpy"),
    )


def test_rows_may_be_a_read_only_memory_map(tmp_path) -> None:
    planes = ops.quantise(make_rows(300, 384))
    for name in ("high", "low", "scale"):
        np.save(tmp_path / f"{name}.npy", getattr(planes, name))
    mapped = ops.QuantisedRows(*(np.load(tmp_path / f"{n}.npy", mmap_mode="r") for n in ("high", "low", "scale")))
    queries = make_rows(2, 384, seed=1)
    assert_same_ranking(ops.search(mapped, queries, 10), ops.search(planes, queries, 10))
    assert np.array_equal(
        ops.derive_bits(mapped.high, mapped.low, mapped.scale).bits,
        ops.derive_bits(planes.high, planes.low, planes.scale).bits,
    )


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"high": np.zeros((4, 8), np.uint8)}, TypeError, "high: uint8, expected int8"),
        ({"high": np.zeros((8, 4), np.int8).T}, ValueError, "high: not C-contiguous"),
        ({"low": np.zeros((4, 7), np.int8)}, ValueError, "shapes differ"),
        ({"scale": np.zeros(5, np.float32)}, ValueError, "shapes differ"),
        ({"high": np.zeros((4, 4097), np.int8)}, ValueError, "4097 dimensions, expected 1 to 4096"),
        ({"high": [[1, 2]]}, TypeError, "high: list, expected a NumPy array"),
    ],
)
def test_arrays_that_would_be_misread_are_refused_by_name(change: dict, error: type, words: str) -> None:
    arrays = {"high": np.zeros((4, 8), np.int8), "low": np.zeros((4, 8), np.int8), "scale": np.zeros(4, np.float32)}
    with pytest.raises(error, match=words):
        ops.QuantisedRows(**{**arrays, **change})


def test_queries_filters_and_k_that_do_not_fit_are_refused() -> None:
    rows = ops.quantise(make_rows(9, 8))
    query = make_rows(1, 8)
    with pytest.raises(ValueError, match=r"queries: shape \(1, 7\)"):
        ops.search(rows, query[:, :7], 3)
    with pytest.raises(ValueError, match="k: 0"):
        ops.search(rows, query, 0)
    with pytest.raises(ValueError, match="allowed: bool"):
        ops.search(rows, query, 3, allowed=np.ones(8, bool))
    with pytest.raises(ValueError, match="candidates: 2 lines for 1 queries"):
        ops.rescore(rows.high, rows.low, rows.scale, query, np.zeros((2, 3), np.int64))
    with pytest.raises(ValueError, match="bits: shape"):
        ops.scan_bits(np.zeros((1, 1, 8), np.uint64), np.zeros(9, np.float32), np.zeros(8, np.float32), query, 3)
