"""Planes, scales and bits: right to the definition, and the same bytes from every backend."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.kernel_inputs import DIMENSIONS, ROW_COUNTS, available_backends, make_rows, misaligned, native_backends
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from satchel.kernels import ops


def assert_same_bytes(first: ops.QuantisedRows, second: ops.QuantisedRows) -> None:
    assert first.high.tobytes() == second.high.tobytes()
    assert first.low.tobytes() == second.low.tobytes()
    assert first.scale.tobytes() == second.scale.tobytes()


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_backend_writes_the_same_planes(dimension: int) -> None:
    rows = make_rows(41, dimension) * np.float32(3.7)
    expected = ops.quantise(rows, backend="numpy")
    for backend in native_backends():
        assert_same_bytes(ops.quantise(rows, backend=backend), expected)
        assert_same_bytes(ops.quantise(misaligned(rows), backend=backend), expected)


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 70)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True, allow_subnormal=True),
    )
)
def test_any_floats_at_all_give_the_same_planes_on_every_backend(rows: np.ndarray) -> None:
    expected = ops.quantise(rows, backend="numpy")
    for backend in native_backends():
        assert_same_bytes(ops.quantise(rows, backend=backend), expected)


@pytest.mark.parametrize("backend", available_backends())
def test_the_planes_follow_the_definition_in_float32(backend: str) -> None:
    row = np.array([[1.0, -0.5, 0.1234567, 0.0, -1.0, 1 / 254]], np.float32)
    planes = ops.quantise(row, backend=backend)
    scale = np.float32(1) / np.float32(127)
    t = row[0] / scale
    assert planes.scale[0] == scale
    assert planes.high[0].tolist() == np.rint(t).tolist() == [127, -64, 16, 0, -127, 0]
    assert planes.low[0].tolist() == np.rint((t - np.rint(t)) * np.float32(254)).tolist()


@pytest.mark.parametrize("backend", available_backends())
def test_halves_are_rounded_to_even(backend: str) -> None:
    row = np.array([[127, 0.5, 1.5, 2.5, -0.5, -2.5, 126.5, 3.5] + [0.5] * 30], np.float32)
    planes = ops.quantise(row, backend=backend)
    assert planes.high[0, :8].tolist() == [127, 0, 2, 2, 0, -2, 126, 4]
    assert planes.low[0, :8].tolist() == [0, 127, -127, 127, -127, -127, 127, -127]
    assert set(planes.high[0, 8:].tolist()) == {0}


@pytest.mark.parametrize("backend", available_backends())
def test_both_planes_keep_a_value_to_a_64516th_of_the_greatest(backend: str) -> None:
    rows = make_rows(200, 384)
    planes = ops.quantise(rows, backend=backend)
    values = planes.scale[:, None].astype(np.float64) * (planes.high + planes.low / 254.0)
    bound = np.abs(rows).max(axis=1, keepdims=True).astype(np.float64)
    # Half a step of the low plane, and float32's own rounding of t.
    assert np.all(np.abs(values - rows) <= bound * (0.5 / 127 / 254 + 2**-22))


@pytest.mark.parametrize("backend", available_backends())
def test_zero_rows_get_scale_zero_and_rows_with_nan_or_infinity_get_scale_nan(backend: str) -> None:
    rows = make_rows(6, 37)
    rows[1] = 0
    rows[2, 36] = np.nan
    rows[3, 0] = -np.inf
    rows[4] *= np.float32(2.0**-120)
    planes = ops.quantise(rows, backend=backend)
    assert np.isnan(planes.scale).tolist() == [False, False, True, True, False, False]
    assert (planes.scale == 0).tolist() == [False, True, False, False, True, False]
    assert not planes.high[1:5].any()
    assert not planes.low[1:5].any()
    assert planes.high[0].any()


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_are_quantised_as_float32(dtype: type) -> None:
    rows = make_rows(5, 33).astype(dtype)
    assert_same_bytes(ops.quantise(rows), ops.quantise(rows.astype(np.float32)))


def test_no_rows_give_no_planes() -> None:
    for backend in available_backends():
        planes = ops.quantise(np.empty((0, 384), np.float32), backend=backend)
        assert planes.shape == (0, 384)
        assert ops.derive_bits(planes.high, planes.low, planes.scale, backend=backend).bits.shape == (0, 6, 8)


@pytest.mark.parametrize("count", ROW_COUNTS)
@pytest.mark.parametrize("dimension", [1, 15, 17, 63, 64, 65, 129, 384])
def test_every_backend_derives_the_same_bits(count: int, dimension: int) -> None:
    rows = make_rows(count, dimension)
    if count > 5:
        rows[3] = 0
        rows[5, -1] = np.nan
    planes = ops.quantise(rows)
    expected = ops.derive_bits(planes.high, planes.low, planes.scale, backend="numpy")
    for backend in native_backends():
        for move in (np.asarray, misaligned):
            high, low, scale = move(planes.high), move(planes.low), move(planes.scale)
            derived = ops.derive_bits(high, low, scale, backend=backend)
            assert derived.bits.tobytes() == expected.bits.tobytes()
            assert derived.factors.tobytes() == expected.factors.tobytes()
            assert derived.centre.tobytes() == expected.centre.tobytes()


def test_bits_are_the_signs_of_rows_minus_their_mean_and_factors_their_norms() -> None:
    rows = make_rows(21, 100)
    planes = ops.quantise(rows)
    derived = ops.derive_bits(planes.high, planes.low, planes.scale)
    values = planes.scale[:, None].astype(np.float64) * (planes.high + planes.low / 254.0)
    residual = values - values.mean(axis=0)
    np.testing.assert_allclose(derived.centre, values.mean(axis=0), atol=1e-6)
    factors = (residual**2).sum(axis=1) / np.abs(residual).sum(axis=1)
    np.testing.assert_allclose(derived.factors, factors, rtol=1e-5)
    for row in range(21):
        for i in range(100):
            if abs(residual[row, i]) > 1e-6:
                bit = int(derived.bits[row // 8, i // 64, row % 8]) >> (i % 64) & 1
                assert bit == (residual[row, i] > 0)


def test_bits_beyond_the_last_row_and_dimension_are_zero() -> None:
    planes = ops.quantise(make_rows(9, 70))
    bits = ops.derive_bits(planes.high, planes.low, planes.scale).bits
    assert bits.shape == (2, 2, 8)
    assert not bits[1, :, 1:].any()
    assert not (bits[:, 1, :] >> np.uint64(6)).any()


def test_rows_that_are_not_finite_do_not_move_the_centre() -> None:
    rows = make_rows(20, 48)
    spoilt = np.vstack([rows, np.full((1, 48), np.nan, np.float32)])
    planes, with_nan = ops.quantise(rows), ops.quantise(spoilt)
    assert np.array_equal(
        ops.derive_bits(planes.high, planes.low, planes.scale).centre,
        ops.derive_bits(with_nan.high, with_nan.low, with_nan.scale).centre,
    )
