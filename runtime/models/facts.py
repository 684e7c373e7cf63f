"""What a GGUF says of itself, for lists: size, quantisation, architecture, context, and why it may not speak."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path

from satchel.runtime.engine.gguf_header import GgufHeader, read_model
from satchel.runtime.engine.model_shape import ModelShape, read_shape
from satchel.runtime.engine.tensor_types import TENSOR_TYPES
from satchel.runtime.errors import SatchelError

# llama.h, `enum llama_ftype`; a test compares this table with the library's own.
FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
    39: "NVFP4",
    40: "Q1_0",
    41: "Q2_0",
}
_KINDS = {"adapter": "a LoRA adapter", "mmproj": "a projector for pictures", "imatrix": "an importance matrix"}
_PICTURES = ("v.", "mm.")
_WIDE_TENSOR = 2


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What can be said of a file without loading it."""

    bytes: int
    architecture: str = ""
    parameters: int = 0
    size_label: str = ""
    """The size as its author writes it, "4B"; empty where the file does not say."""
    quantisation: str = ""
    context: int = 0
    """Tokens that it was trained on."""
    parts: int = 1
    digest: str = ""
    """Of the header: what two files with the same bytes have in common without their weights being read."""
    shape: ModelShape | None = None
    problem: str = ""
    """Why it cannot be talked to; empty for a model that can."""


def read_facts(path: Path) -> ModelFacts:
    """Read a model's header, of all parts of a split one; what is wrong with it is its `problem`, never an error."""
    try:
        header = read_model(path)
        shape = read_shape(header)
    except SatchelError as error:
        return ModelFacts(bytes=_size(path), problem=f"{error.message} {error.advice}".strip())
    return ModelFacts(
        bytes=header.file_bytes,
        architecture=header.architecture,
        size_label=header.text("general.size_label"),
        parameters=sum(prod(tensor.shape) for tensor in header.tensors),
        quantisation=_quantisation(header),
        context=shape.trained_context,
        parts=len(header.parts),
        digest=header.digest,
        shape=shape,
        problem=_problem(header),
    )


def _quantisation(header: GgufHeader) -> str:
    """Return the mix that the file names, else the type of most of its matrices' weights."""
    named = FILE_TYPES.get(header.number("general.file_type", -1))
    if named is not None:
        return named
    weights: Counter[str] = Counter()
    for tensor in header.tensors:
        if len(tensor.shape) >= _WIDE_TENSOR:
            weights[TENSOR_TYPES[tensor.type_id].name.upper()] += prod(tensor.shape)
    return weights.most_common(1)[0][0] if weights else ""


def _problem(header: GgufHeader) -> str:
    architecture = header.architecture
    if kind := _KINDS.get(header.text("general.type")):
        return f"it is {kind}, no model of its own"
    if architecture == "clip":
        return "it is a projector for pictures, no model of its own"
    if (
        header.metadata.get(f"{architecture}.attention.causal") is False
        or f"{architecture}.pooling_type" in header.metadata
    ):
        return "it makes vectors of texts and does not speak"
    if not any(tensor.name == "token_embd.weight" for tensor in header.tensors):
        return "it holds no language model"
    if any(tensor.name.startswith(_PICTURES) for tensor in header.tensors):
        return "its projector for pictures is in the same file, as only Ollama reads it"
    return ""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
