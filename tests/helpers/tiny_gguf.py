"""Writes tiny GGUF models with random weights, of several architectures and odd shapes, that llama.cpp really runs.

`TinyModel` says what to write and `write_gguf` writes it; `gguf_bytes` puts any metadata and tensors together, also
those that no sound file has.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 4, 5, 6, 7, 8, 9, 10
F32, F16, Q8_0 = 0, 1, 8
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
_FORMATS = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?", UINT64: "<Q"}
_ALIGNMENT = 32

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
_WORDS = ("the", "tide", "moon", "water", "rises", "and", "falls", "twice", "a", "day", "in", "harbour")


@dataclass(frozen=True, slots=True)
class TinyModel:
    """A model's shape; every default can be run."""

    architecture: str = "llama"
    layers: int = 2
    embedding: int = 64
    heads: int = 4
    kv_heads: int = 2
    head_values: int | None = None
    feed_forward: int = 96
    context: int = 512
    window: int = 0
    tokenizer: str = "bpe"
    """`bpe` (byte-level, as GPT-2), `spm` (as Llama 2), `wordpiece` (as BERT) or `none`."""
    template: str | None = CHATML
    tied: bool = True
    seed: int = 1
    metadata: tuple[tuple[str, int, Any], ...] = ()
    """More (key, type, value), or others than the written ones."""


@dataclass(frozen=True, slots=True)
class RawTensor:
    """A tensor as its header names it; `shape` begins with the row length."""

    name: str
    shape: tuple[int, ...]
    type_id: int
    content: bytes


def write_gguf(path: Path, model: TinyModel = TinyModel()) -> Path:
    """Write a tiny model; the same `TinyModel` always gives the same bytes."""
    path.write_bytes(gguf_bytes(tiny_metadata(model), tiny_tensors(model)))
    return path


def write_parts(folder: Path, stem: str, model: TinyModel, count: int) -> list[Path]:
    """Write a tiny model as a split one."""
    metadata, tensors = tiny_metadata(model), tiny_tensors(model)
    paths = []
    for number in range(count):
        mine = tensors[len(tensors) * number // count : len(tensors) * (number + 1) // count]
        split = [
            ("split.no", 2, number),
            ("split.count", 2, count),
            ("split.tensors.count", INT32, len(tensors)),
        ]
        path = folder / f"{stem}-{number + 1:05}-of-{count:05}.gguf"
        path.write_bytes(gguf_bytes((metadata if number == 0 else []) + split, mine))
        paths.append(path)
    return paths


def write_lora(path: Path, model: TinyModel, *, rank: int = 2, seed: int = 5, architecture: str | None = None) -> Path:
    """Write a LoRA adapter on every query projection, strong enough to change what a tiny model says."""
    random = np.random.default_rng(seed)
    width = (model.head_values or model.embedding // model.heads) * model.heads
    tensors = []
    for layer in range(model.layers):
        name = f"blk.{layer}.attn_output.weight"
        tensors.append(_tensor(f"{name}.lora_a", random.normal(0, 0.5, (rank, width))))
        tensors.append(_tensor(f"{name}.lora_b", random.normal(0, 0.5, (model.embedding, rank))))
    metadata = [
        ("general.architecture", STRING, architecture or model.architecture),
        ("general.type", STRING, "adapter"),
        ("adapter.type", STRING, "lora"),
        ("adapter.lora.alpha", FLOAT32, 4.0),
    ]
    path.write_bytes(gguf_bytes(metadata, tensors))
    return path


def gguf_bytes(
    metadata: Sequence[tuple[str, int, Any]],
    tensors: Sequence[RawTensor],
    *,
    version: int = 3,
    magic: bytes = b"GGUF",
    offsets: Mapping[str, int] | None = None,
) -> bytes:
    """Put a file together. Keys given twice are written once, the last value winning; `offsets` may lie."""
    entries = {key: (kind, value) for key, kind, value in metadata}
    head = [magic, struct.pack("<IQQ", version, len(tensors), len(entries))]
    for key, (kind, value) in entries.items():
        head += [_text(key), struct.pack("<I", kind), encode_value(kind, value)]
    data = b""
    for tensor in tensors:
        offset = (offsets or {}).get(tensor.name, len(data))
        dimensions = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        head += [_text(tensor.name), dimensions, struct.pack("<IQ", tensor.type_id, offset)]
        data += tensor.content + bytes(-len(tensor.content) % _ALIGNMENT)
    header = b"".join(head)
    return header + bytes(-len(header) % _ALIGNMENT) + data


def encode_value(kind: int, value: Any) -> bytes:
    """Return a metadata value's bytes; an array is (item type, items)."""
    if kind == STRING:
        return _text(value)
    if kind == ARRAY:
        item_kind, items = value
        return struct.pack("<IQ", item_kind, len(items)) + b"".join(encode_value(item_kind, item) for item in items)
    return struct.pack(_FORMATS.get(kind, "<H"), value)


def tiny_metadata(model: TinyModel) -> list[tuple[str, int, Any]]:
    """Return a tiny model's metadata as (key, type, value)."""
    prefix = model.architecture
    metadata: list[tuple[str, int, Any]] = [
        ("general.architecture", STRING, model.architecture),
        ("general.name", STRING, f"tiny {model.architecture}"),
        (f"{prefix}.block_count", UINT32, model.layers),
        (f"{prefix}.context_length", UINT32, model.context),
        (f"{prefix}.embedding_length", UINT32, model.embedding),
        (f"{prefix}.feed_forward_length", UINT32, model.feed_forward),
        (f"{prefix}.attention.head_count", UINT32, model.heads),
        (f"{prefix}.attention.head_count_kv", UINT32, model.kv_heads),
        (f"{prefix}.attention.layer_norm_rms_epsilon", FLOAT32, 1e-5),
    ]
    if model.head_values is not None:
        metadata.append((f"{prefix}.attention.key_length", UINT32, model.head_values))
        metadata.append((f"{prefix}.attention.value_length", UINT32, model.head_values))
    if model.window:
        metadata.append((f"{prefix}.attention.sliding_window", UINT32, model.window))
    if model.architecture == "mamba":
        metadata += [
            ("mamba.ssm.conv_kernel", UINT32, 4),
            ("mamba.ssm.inner_size", UINT32, 2 * model.embedding),
            ("mamba.ssm.state_size", UINT32, 16),
            ("mamba.ssm.time_step_rank", UINT32, 4),
        ]
    metadata += {"bpe": _bpe, "spm": _spm, "wordpiece": _wordpiece, "none": _no_vocabulary}[model.tokenizer](model)
    if model.template is not None:
        metadata.append(("tokenizer.chat_template", STRING, model.template))
    return metadata + list(model.metadata)


def tiny_tensors(model: TinyModel) -> list[RawTensor]:
    """Return a tiny model's weights."""
    random = np.random.default_rng(model.seed)
    vocabulary = next(len(v[1]) for k, _, v in tiny_metadata(model) if k == "tokenizer.ggml.tokens")

    def weight(name: str, rows: int, columns: int) -> RawTensor:
        return _tensor(name, random.normal(0, 0.4 / np.sqrt(columns) * 4, (rows, columns)), F16)

    def ones(name: str, count: int) -> RawTensor:
        return _tensor(name, np.ones(count))

    tensors = [weight("token_embd.weight", vocabulary, model.embedding)]
    if model.architecture == "bert":
        tensors.append(weight("position_embd.weight", model.context, model.embedding))
        tensors.append(weight("token_types.weight", 2, model.embedding))
        tensors += _weight_and_bias("token_embd_norm", model.embedding)
    else:
        tensors.append(ones("output_norm.weight", model.embedding))
    if not model.tied:
        tensors.append(weight("output.weight", vocabulary, model.embedding))
    for number in range(model.layers):
        block = {"mamba": _mamba_block, "bert": _bert_block}.get(model.architecture, _attention_block)
        tensors += block(model, f"blk.{number}", weight, ones)
    return tensors


def _attention_block(model: TinyModel, block: str, weight: Any, ones: Any) -> list[RawTensor]:
    head = model.head_values or model.embedding // model.heads
    width, kv_width = model.heads * head, model.kv_heads * head
    tensors = [
        ones(f"{block}.attn_norm.weight", model.embedding),
        weight(f"{block}.attn_q.weight", width, model.embedding),
        weight(f"{block}.attn_k.weight", kv_width, model.embedding),
        weight(f"{block}.attn_v.weight", kv_width, model.embedding),
        weight(f"{block}.attn_output.weight", model.embedding, width),
        ones(f"{block}.ffn_norm.weight", model.embedding),
        weight(f"{block}.ffn_gate.weight", model.feed_forward, model.embedding),
        weight(f"{block}.ffn_up.weight", model.feed_forward, model.embedding),
        weight(f"{block}.ffn_down.weight", model.embedding, model.feed_forward),
    ]
    if model.architecture == "qwen2":
        tensors += [
            _tensor(f"{block}.attn_{part}.bias", np.full(count, 0.1))
            for part, count in (("q", width), ("k", kv_width), ("v", kv_width))
        ]
    if model.architecture in ("qwen3", "gemma3"):
        tensors += [ones(f"{block}.attn_q_norm.weight", head), ones(f"{block}.attn_k_norm.weight", head)]
    if model.architecture in ("gemma2", "gemma3"):
        names = ("post_attention_norm", "post_ffw_norm")
        tensors += [ones(f"{block}.{name}.weight", model.embedding) for name in names]
    return tensors


def _mamba_block(model: TinyModel, block: str, weight: Any, ones: Any) -> list[RawTensor]:
    inner, state, rank = 2 * model.embedding, 16, 4
    decay = -np.tile(np.arange(1, state + 1, dtype=np.float64), (inner, 1))
    return [
        ones(f"{block}.attn_norm.weight", model.embedding),
        weight(f"{block}.ssm_in.weight", 2 * inner, model.embedding),
        _tensor(f"{block}.ssm_conv1d.weight", np.full((inner, 4), 0.3)),
        _tensor(f"{block}.ssm_conv1d.bias", np.zeros(inner)),
        weight(f"{block}.ssm_x.weight", rank + 2 * state, inner),
        weight(f"{block}.ssm_dt.weight", inner, rank),
        _tensor(f"{block}.ssm_dt.bias", np.zeros(inner)),
        _tensor(f"{block}.ssm_a", decay),
        ones(f"{block}.ssm_d", inner),
        weight(f"{block}.ssm_out.weight", model.embedding, inner),
    ]


def _bert_block(model: TinyModel, block: str, weight: Any, _ones: Any) -> list[RawTensor]:
    width, inner = model.embedding, model.feed_forward
    tensors = []
    for name, rows, columns in [
        *((f"attn_{part}", width, width) for part in ("q", "k", "v", "output")),
        ("ffn_up", inner, width),
        ("ffn_down", width, inner),
    ]:
        tensors += [weight(f"{block}.{name}.weight", rows, columns), _tensor(f"{block}.{name}.bias", np.zeros(rows))]
    for name in ("attn_output_norm", "layer_output_norm"):
        tensors += _weight_and_bias(f"{block}.{name}", width)
    return tensors


def _weight_and_bias(name: str, count: int) -> list[RawTensor]:
    return [_tensor(f"{name}.weight", np.ones(count)), _tensor(f"{name}.bias", np.zeros(count))]


def _bpe(model: TinyModel) -> list[tuple[str, int, Any]]:
    """A byte-level vocabulary: every byte, some merges, ChatML's and tool calls' special tokens."""
    letters = byte_letters()
    tokens = [letters[byte] for byte in range(256)]
    merges: list[str] = []
    for word in _WORDS:
        text = letters[32] + word
        for length in range(2, len(text) + 1):
            if text[:length] not in tokens:
                merges.append(f"{text[: length - 1]} {text[length - 1]}")
                tokens.append(text[:length])
    kinds = [NORMAL] * len(tokens)
    special = [
        ("<|endoftext|>", CONTROL),
        ("<|im_start|>", CONTROL),
        ("<|im_end|>", CONTROL),
        ("<tool_call>", USER_DEFINED),
    ]
    first = len(tokens)
    return [
        ("tokenizer.ggml.model", STRING, "gpt2"),
        ("tokenizer.ggml.pre", STRING, "gpt-2"),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, tokens + [text for text, _ in special])),
        ("tokenizer.ggml.token_type", ARRAY, (INT32, kinds + [kind for _, kind in special])),
        ("tokenizer.ggml.merges", ARRAY, (STRING, merges)),
        ("tokenizer.ggml.bos_token_id", UINT32, first),
        ("tokenizer.ggml.eos_token_id", UINT32, first + 2),
        ("tokenizer.ggml.add_bos_token", BOOL, False),
        (f"{model.architecture}.vocab_size", UINT32, first + len(special)),
    ]


def _spm(model: TinyModel) -> list[tuple[str, int, Any]]:
    """A SentencePiece vocabulary: bytes as a last resort, letters, words with the space mark, BOS first."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256]
    scores = [0.0] * len(tokens)
    pieces = ["\u2581", *(chr(letter) for letter in range(33, 127))]
    for word in _WORDS:
        text = "\u2581" + word
        pieces += [text[:length] for length in range(2, len(text) + 1)]
    for number, piece in enumerate(dict.fromkeys(pieces)):
        tokens.append(piece)
        kinds.append(NORMAL)
        scores.append(-float(number) if len(piece) == 1 else float(len(piece)))
    return [
        ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, tokens)),
        ("tokenizer.ggml.scores", ARRAY, (FLOAT32, scores)),
        ("tokenizer.ggml.token_type", ARRAY, (INT32, kinds)),
        ("tokenizer.ggml.bos_token_id", UINT32, 1),
        ("tokenizer.ggml.eos_token_id", UINT32, 2),
        ("tokenizer.ggml.unknown_token_id", UINT32, 0),
        ("tokenizer.ggml.add_bos_token", BOOL, True),
        (f"{model.architecture}.vocab_size", UINT32, len(tokens)),
    ]


def _wordpiece(model: TinyModel) -> list[tuple[str, int, Any]]:
    """BERT's vocabulary: its special tokens, and words with the space mark in the place of "##"."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens = special + ["\u2581" + word for word in _WORDS]
    names = ("padding", "unknown", "cls", "seperator", "mask")  # spelt so in the format
    return [
        ("tokenizer.ggml.model", STRING, "bert"),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, tokens)),
        ("tokenizer.ggml.token_type", ARRAY, (INT32, [CONTROL] * len(special) + [NORMAL] * len(_WORDS))),
        *((f"tokenizer.ggml.{name}_token_id", UINT32, number) for number, name in enumerate(names)),
        (f"{model.architecture}.vocab_size", UINT32, len(tokens)),
        (f"{model.architecture}.attention.layer_norm_epsilon", FLOAT32, 1e-5),
        (f"{model.architecture}.attention.causal", BOOL, False),
        ("tokenizer.ggml.token_type_count", UINT32, 2),
    ]


def _no_vocabulary(model: TinyModel) -> list[tuple[str, int, Any]]:
    return [
        ("tokenizer.ggml.model", STRING, "no_vocab"),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, ["x"] * 300)),
        (f"{model.architecture}.vocab_size", UINT32, 300),
    ]


def byte_letters() -> dict[int, str]:
    """Return GPT-2's printable letter of each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain}
    others = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + number) for number, byte in enumerate(others)}


def _tensor(name: str, values: np.ndarray, type_id: int = F32) -> RawTensor:
    content = values.astype(np.float16 if type_id == F16 else np.float32).tobytes()
    return RawTensor(name, tuple(reversed(values.shape)), type_id, content)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def changed(model: TinyModel, **values: Any) -> TinyModel:
    """Return a model with some values changed."""
    return dataclasses.replace(model, **values)
