"""The GPU's scans, interpreted: int8 and 1-bit rows rank as the NumPy reference to the bit, float16 as float64 says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from helpers.interpreted_triton import SMALL, as_tensor, gpu, ranking, torch
from helpers.kernel_inputs import make_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.kernels import ops

DIMENSIONS = (1, 7, 31, 32, 33, 63, 64, 65, 129, 389)
ROW_COUNTS = (1, 7, 8, 9, 15, 16, 17, 61, 131)
Scan = Callable[..., tuple[np.ndarray, np.ndarray]]


def scan_i8(values: np.ndarray, queries: np.ndarray, k: int, allowed: np.ndarray | None = None, backend: str = ""):
    rows = ops.quantise(values)
    if backend:
        return ops.scan_i8(rows.high, rows.scale, queries, k, allowed=allowed, backend=backend)
    given_rows = as_tensor(rows.high), as_tensor(rows.scale)
    return ranking(gpu.scan_i8(*given_rows, as_tensor(queries), k, allowed=bitmap(allowed), launch=SMALL))


def scan_bits(values: np.ndarray, queries: np.ndarray, k: int, allowed: np.ndarray | None = None, backend: str = ""):
    rows = ops.quantise(values)
    bits = ops.derive_bits(rows.high, rows.low, rows.scale)
    arrays = bits.bits, bits.factors, bits.centre
    if backend:
        return ops.scan_bits(*arrays, queries, k, allowed=allowed, backend=backend)
    given_rows = [as_tensor(array) for array in arrays]
    return ranking(gpu.scan_bits(*given_rows, as_tensor(queries), k, allowed=bitmap(allowed), launch=SMALL))


def scan_f16(values: np.ndarray, queries: np.ndarray, k: int, allowed: np.ndarray | None = None):
    rows = torch.tensor(values).half()
    return ranking(gpu.scan_f16(rows, as_tensor(queries), k, allowed=bitmap(allowed), launch=SMALL))


def bitmap(allowed: np.ndarray | None) -> torch.Tensor | None:
    return None if allowed is None else as_tensor(np.packbits(allowed, bitorder="little"))


EXACT: list[Scan] = [scan_i8, scan_bits]
ALL: list[Scan] = [*EXACT, scan_f16]


def assert_same_ranking(found: tuple[np.ndarray, np.ndarray], expected: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize("queries", [1, 3])
@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("scan", EXACT)
def test_they_rank_as_the_reference_at_every_dimension(scan: Scan, dimension: int, queries: int) -> None:
    values, lines = make_rows(61, dimension), make_rows(queries, dimension, seed=1)
    assert_same_ranking(scan(values, lines, 10), scan(values, lines, 10, backend="numpy"))


@pytest.mark.parametrize("count", ROW_COUNTS)
@pytest.mark.parametrize("scan", EXACT)
def test_they_rank_as_the_reference_at_every_row_count(scan: Scan, count: int) -> None:
    values, lines = make_rows(count, 67), make_rows(2, 67, seed=1)
    for k in (1, 10, 17):
        assert_same_ranking(scan(values, lines, k), scan(values, lines, k, backend="numpy"))


@pytest.mark.parametrize(
    ("scan", "queries"), [(scan_i8, 1), (scan_i8, 2), (scan_i8, 17), (scan_bits, 1), (scan_bits, 3)]
)
def test_only_allowed_rows_are_found_alone_and_in_a_batch(scan: Scan, queries: int) -> None:
    values, lines = make_rows(83, 40), make_rows(queries, 40, seed=1)
    for share in (0.0, 0.2, 1.0):
        allowed = np.random.default_rng(3).random(83) < share
        found = scan(values, lines, 16, allowed)
        assert_same_ranking(found, scan(values, lines, 16, allowed, backend="numpy"))
        assert allowed[found[1][found[1] >= 0]].all()


@pytest.mark.parametrize("queries", [1, 2])
@pytest.mark.parametrize("scan", ALL)
def test_equal_scores_come_by_rising_row_number(scan: Scan, queries: int) -> None:
    values = np.repeat(make_rows(2, 33), [70, 70], axis=0)
    _, numbers = scan(values, make_rows(queries, 33, seed=1), 140)
    for line in numbers.tolist():
        assert sorted(line) == list(range(140))
        assert line[:70] == sorted(line[:70])
        assert line[70:] == sorted(line[70:])


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # NumPy's, of inf x 0; a GPU has none
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("scan", ALL)
def test_what_is_not_finite_is_never_found_nor_finds_anything(scan: Scan, value: float) -> None:
    values, lines = make_rows(20, 40), make_rows(2, 40, seed=1)
    values[4] = 0
    values[9, 3] = value
    lines[1, 39] = value
    scores, numbers = scan(values, lines, 20)
    assert sorted(numbers[0].tolist()) == [-1] + [row for row in range(20) if row != 9]
    assert scores[0][-1] == -np.inf
    assert numbers[1].tolist() == [-1] * 20
    assert scores[1].tolist() == [-np.inf] * 20


@pytest.mark.parametrize("scan", ALL)
def test_a_query_of_zeros_ties_every_row(scan: Scan) -> None:
    scores, numbers = scan(make_rows(50, 40), np.zeros((1, 40), np.float32), 16)
    assert numbers[0].tolist() == list(range(16))
    assert not scores.any()


@pytest.mark.parametrize("scan", ALL)
def test_no_rows_and_no_queries_give_empty_rankings(scan: Scan) -> None:
    scores, numbers = scan(np.empty((0, 8), np.float32), make_rows(2, 8), 3)
    assert numbers.tolist() == [[-1] * 3] * 2
    assert scores.tolist() == [[-np.inf] * 3] * 2
    assert scan(make_rows(5, 8), np.empty((0, 8), np.float32), 3)[1].shape == (0, 3)


@pytest.mark.parametrize("queries", [1, 5])
@pytest.mark.parametrize("dimension", [1, 33, 384])
def test_float16_scores_are_float64s_to_within_the_rounding_of_the_sums(dimension: int, queries: int) -> None:
    values, lines = make_rows(61, dimension), make_rows(queries, dimension, seed=1)
    scores, numbers = scan_f16(values, lines, 61)
    rows, cut = (array.astype(np.float16).astype(np.float64) for array in (values, lines))
    truth = np.take_along_axis(cut @ rows.T, numbers, axis=1)
    terms = np.take_along_axis(np.abs(cut) @ np.abs(rows).T, numbers, axis=1)
    assert np.all(np.abs(scores - truth) <= terms * dimension * 2.0**-24)
    assert (np.diff(scores, axis=1) <= 0).all()


def test_hostile_planes_full_of_minus_128_are_summed_exactly() -> None:
    high = np.full((20, 1021), -128, np.int8)
    high[::2] = 127
    scale, query = np.ones(20, np.float32), np.full((2, 1021), -1, np.float32)
    found = ranking(gpu.scan_i8(as_tensor(high), as_tensor(scale), as_tensor(query), 20))
    assert_same_ranking(found, ops.scan_i8(high, scale, query, 20, backend="numpy"))


@settings(max_examples=12)
@given(
    count=st.integers(1, 70),
    dimension=st.integers(1, 100),
    queries=st.integers(1, 4),
    k=st.integers(1, 20),
    filtered=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape_ranks_as_the_reference(
    *, count: int, dimension: int, queries: int, k: int, filtered: bool, seed: int
) -> None:
    values, lines = make_rows(count, dimension, seed), make_rows(queries, dimension, seed + 1)
    allowed = np.random.default_rng(seed).random(count) < 0.5 if filtered else None
    for scan in EXACT:
        assert_same_ranking(scan(values, lines, k, allowed), scan(values, lines, k, allowed, backend="numpy"))
