"""The GPU's kernels on the CPU: Triton's interpreter runs them in NumPy, without a GPU and without compiling.

Import this before anything imports triton: it decides when a kernel is decorated whether that is compiled. Where triton
or torch is not installed, the importing test module is skipped.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ["TRITON_INTERPRET"] = "1"
triton = pytest.importorskip("triton", reason="triton is not installed (no wheels but Linux's; in the extra `dev`)")
torch = pytest.importorskip("torch", reason="torch is not installed (it is in the extra `dev`)")

from satchel.kernels.triton import search as gpu  # noqa: E402 - after the variable that Triton reads
from satchel.kernels.triton.launch import Launch  # noqa: E402 - the same

__all__ = ["SMALL", "as_tensor", "gpu", "ranking", "torch"]

SMALL = Launch(rows=16, step=64)
"""Several tiles and parts from few rows: the interpreter takes milliseconds for each tile."""


def as_tensor(array: np.ndarray) -> torch.Tensor:
    """A copy on the CPU; bits are int64, because torch has few operations on uint64."""
    return torch.tensor(array.view(np.int64) if array.dtype == np.uint64 else array)


def ranking(found: tuple[torch.Tensor, torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    scores, numbers = found
    assert (scores.dtype, numbers.dtype) == (torch.float32, torch.int64)
    return scores.numpy(), numbers.numpy()
