"""Writes a GGUF that says what a test wants: a real model, run by the real engine, whose weights are a script.

Each token's embedding is a direction of its own, attention and feed-forward add nothing, and the output's row of a
token points in the direction of the token that it comes after. So the next token depends on the last one alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from helpers.tiny_gguf import (
    ARRAY,
    CONTROL,
    F32,
    INT32,
    NORMAL,
    STRING,
    UINT32,
    RawTensor,
    TinyModel,
    byte_letters,
    gguf_bytes,
    tiny_metadata,
    tiny_tensors,
)

_EMBEDDING = 512
_CERTAIN = 30.0
_LINE_BREAK = 10
"""The last token of a prompt in ChatML."""
_TAB = 9
"""The last token of a prompt that ends with a tool's result."""
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant{{ '\t' if messages[-1].role == 'tool' else '\n' }}"
)


def write_scripted_gguf(
    path: Path,
    script: Sequence[str | bytes],
    *,
    after_tools: Sequence[str] = (),
    control: Sequence[str] = (),
    template: str = _TEMPLATE,
    context: int = 4096,
) -> Path:
    """Write a model that answers everything with the script's pieces, a token each, and ends.

    What follows a tool's result it answers with `after_tools`: `template` ends such a prompt with a tab, others with a
    line break. Pieces must differ from each other. Those that are in `control` as well are control tokens. After a
    token that is in no script every token is equally likely.
    """
    model = TinyModel(embedding=_EMBEDDING, feed_forward=32, layers=1, tied=False, context=context, template=template)
    metadata = {key: (kind, value) for key, kind, value in tiny_metadata(model)}
    tokens = list(metadata["tokenizer.ggml.tokens"][1][1])
    kinds = list(metadata["tokenizer.ggml.token_type"][1][1])
    letters = byte_letters()
    spoken = []
    for piece in (*script, *after_tools):
        encoded = piece.encode() if isinstance(piece, str) else piece
        is_control = piece in control
        text = piece if isinstance(piece, str) and is_control else "".join(letters[byte] for byte in encoded)
        if text not in tokens:
            tokens.append(text)
            kinds.append(NORMAL)
        spoken.append(tokens.index(text))
        if is_control:
            kinds[spoken[-1]] = CONTROL
    assert len(set(spoken)) == len(spoken), "a piece is there twice"
    metadata |= {
        "tokenizer.ggml.tokens": (ARRAY, (STRING, tokens)),
        "tokenizer.ggml.token_type": (ARRAY, (INT32, kinds)),
        "llama.vocab_size": (UINT32, len(tokens)),
    }
    end = tokens.index("<|im_end|>")
    follows = np.zeros((len(tokens), _EMBEDDING), np.float32)
    first, second = spoken[: len(script)], spoken[len(script) :]
    for start, said in ((_LINE_BREAK, first), (_TAB, second)):
        for before, after in zip([start, *said], [*said, end], strict=True):
            # The norm before the output scales a direction's length to the root of the dimension.
            follows[after, before] = _CERTAIN / np.sqrt(_EMBEDDING)
    weights = {"token_embd.weight": np.eye(len(tokens), _EMBEDDING, dtype=np.float32), "output.weight": follows}
    tensors = [_filled(tensor, weights) for tensor in tiny_tensors(model)]
    path.write_bytes(gguf_bytes([(key, kind, value) for key, (kind, value) in metadata.items()], tensors))
    return path


def _filled(tensor: RawTensor, weights: dict[str, np.ndarray]) -> RawTensor:
    if tensor.name in weights:
        values = weights[tensor.name]
        return RawTensor(tensor.name, (values.shape[1], values.shape[0]), F32, values.tobytes())
    if "norm" in tensor.name:
        return tensor
    return RawTensor(tensor.name, tensor.shape, tensor.type_id, bytes(len(tensor.content)))
