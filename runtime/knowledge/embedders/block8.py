"""Weights in 8 bits with a scale per block of 32: how the bundled models are tracked.

A safetensors file. Each matrix `NAME` [rows, columns], columns a multiple of 32, is `NAME.int8` int8 [rows, columns]
and `NAME.scale` float16 [rows, columns / 32], value = scale x int8; vectors are float16 under their own names. What is
read is float32; against the weights it was made from, all-MiniLM-L6-v2's vectors keep a cosine of .9995 and more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.embedders.errors import WeightsError
from satchel.runtime.knowledge.embedders.safetensors_file import SafetensorsFile, write_safetensors

BLOCK = 32
_INT8, _SCALE = ".int8", ".scale"
_LARGEST = 127


def write_block8(file: BinaryIO, tensors: Mapping[str, NDArray[np.float32]], metadata: Mapping[str, str]) -> None:
    """Write tensors in 8 bits; vectors, and matrices whose rows are no whole blocks, in float16."""
    stored: dict[str, NDArray[np.generic]] = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 2 and tensor.shape[1] % BLOCK == 0:  # noqa: PLR2004 - a matrix
            stored[name + _INT8], stored[name + _SCALE] = quantise_blocks(tensor)
        else:
            stored[name] = tensor.astype(np.float16)
    write_safetensors(file, stored, metadata)


def read_block8(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return all tensors of a file in float32.

    Raises:
        WeightsError: it is no whole file of this kind.
    """
    file = SafetensorsFile(path)
    tensors: dict[str, NDArray[np.float32]] = {}
    for name in file.names:
        if name.endswith(_INT8):
            plain = name.removesuffix(_INT8)
            rows, columns = file.shape(name)
            if plain + _SCALE not in file.names or file.shape(plain + _SCALE) != (rows, columns // BLOCK):
                raise WeightsError(path=path, reason=f"tensor {plain} has no scales of its shape")
            tensors[plain] = _dequantised(file.raw(name), file.floats(plain + _SCALE))
        elif not name.endswith(_SCALE):
            tensors[name] = file.floats(name)
    return tensors


def quantise_blocks(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Return (int8 [rows, columns], float16 [rows, columns / 32]), rounded to the scale as it is stored."""
    blocks = matrix.reshape(matrix.shape[0], -1, BLOCK)
    scale = (np.abs(blocks).max(axis=2) / _LARGEST).astype(np.float16)
    divisor = scale.astype(np.float32)[:, :, None]
    steps = np.divide(blocks, divisor, out=np.zeros_like(blocks), where=divisor > 0)
    return np.clip(np.rint(steps), -_LARGEST, _LARGEST).astype(np.int8).reshape(matrix.shape), scale


def _dequantised(steps: NDArray[np.generic], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    blocks = steps.astype(np.float32).reshape(*scale.shape, BLOCK)
    blocks *= scale[:, :, None]
    return blocks.reshape(steps.shape)
