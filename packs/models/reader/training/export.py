"""Write the file that is tracked, `weights.safetensors`, from a checkpoint's average.

python -m satchel.packs.models.reader.training.export CHECKPOINT [--folder FOLDER]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from satchel.runtime.atomic import replacing
from satchel.runtime.knowledge.embedders.block8 import write_block8
from satchel.runtime.knowledge.reader.bundled import TENSORS_KEY, WEIGHTS, tensors_digest


def tracked_tensors(trained: dict[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    """Return the trained tensors by the names of the tracked file; the head as vectors, which stay float16."""
    tensors = {k: v.detach().float().numpy() for k, v in trained.items() if not k.startswith("head.")}
    rows = {"start": ("span", 0), "end": ("span", 1), "answerable": ("answerable", 0)}
    for output, (head, row) in rows.items():
        tensors[f"head.{output}.weight"] = trained[f"head.{head}.weight"][row].detach().float().numpy()
        tensors[f"head.{output}.bias"] = trained[f"head.{head}.bias"][row : row + 1].detach().float().numpy()
    return dict(sorted(tensors.items()))


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    tensors = tracked_tensors(torch.load(arguments.checkpoint)["average"])
    metadata = {TENSORS_KEY: tensors_digest(tensors), "licence": "CC-BY-SA-4.0"}
    with replacing(arguments.folder / WEIGHTS) as file:
        write_block8(file, tensors, metadata)


if __name__ == "__main__":
    main()
