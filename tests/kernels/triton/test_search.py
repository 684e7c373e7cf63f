"""Scan and rescoring together on the GPU, interpreted; and tensors that a kernel would misread."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers.interpreted_triton import as_tensor, gpu, ranking, torch
from helpers.kernel_inputs import make_rows

from satchel.kernels import ops


def with_bits(values: np.ndarray) -> ops.QuantisedRows:
    rows = ops.quantise(values)
    return dataclasses.replace(rows, bits=ops.derive_bits(rows.high, rows.low, rows.scale))


@pytest.mark.parametrize("queries", [1, 3])
@pytest.mark.parametrize("scan", ["bits", "high plane"])
def test_search_finds_what_the_reference_finds(scan: str, queries: int) -> None:
    values, lines = make_rows(300, 70), make_rows(queries, 70, seed=1)
    rows = with_bits(values) if scan == "bits" else ops.quantise(values)
    scores, numbers = ranking(gpu.search(gpu.to_device(rows, "cpu"), as_tensor(lines), 10))
    expected = ops.search(rows, lines, 10, backend="numpy")
    np.testing.assert_array_equal(numbers, expected[1])
    np.testing.assert_allclose(scores, expected[0], rtol=1e-5)


def test_search_finds_allowed_rows_alone_and_never_those_that_are_not_finite() -> None:
    values = make_rows(40, 33)
    values[6, 1] = np.nan
    allowed = np.arange(40) < 12
    device = gpu.to_device(with_bits(values), "cpu")
    packed = as_tensor(np.packbits(allowed, bitorder="little"))
    scores, numbers = ranking(gpu.search(device, as_tensor(make_rows(1, 33, seed=1)), 15, allowed=packed, rescore=20))
    assert sorted(numbers[0].tolist()) == [-1] * 4 + [row for row in range(12) if row != 6]
    assert np.isneginf(scores[0][-4:]).all()


def test_search_of_nothing_finds_nothing() -> None:
    rows = gpu.to_device(ops.quantise(np.empty((0, 8), np.float32)), "cpu")
    assert ranking(gpu.search(rows, as_tensor(make_rows(1, 8)), 3))[1].tolist() == [[-1] * 3]


def test_tensors_that_would_be_misread_are_refused_by_name() -> None:
    high, scale = torch.zeros((9, 8), dtype=torch.int8), torch.ones(9)
    query = torch.ones((1, 8))
    with pytest.raises(ValueError, match=r"high: torch.float32 \(9, 8\) on cpu, expected contiguous torch.int8"):
        gpu.scan_i8(high.float(), scale, query, 3)
    with pytest.raises(ValueError, match=r"queries: torch.float32 \(1, 7\)"):
        gpu.scan_i8(high, scale, query[:, :7].contiguous(), 3)
    with pytest.raises(ValueError, match=r"scale: torch\.float32"):
        gpu.scan_i8(high, scale[:8], query, 3)
    with pytest.raises(ValueError, match=r"high: torch\.int8"):
        gpu.scan_i8(torch.zeros((8, 9), dtype=torch.int8).T, scale, query, 3)
    with pytest.raises(ValueError, match=r"allowed: torch.bool \(9,\)"):
        gpu.scan_i8(high, scale, query, 3, allowed=torch.ones(9, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"bits: torch\.int64"):
        gpu.scan_bits(torch.zeros((1, 1, 8), dtype=torch.int64), scale, torch.zeros(8), query, 3)
    for k in (0, 1025):
        with pytest.raises(ValueError, match=f"k: {k}, expected 1 to 1024"):
            gpu.scan_i8(high, scale, query, k)
