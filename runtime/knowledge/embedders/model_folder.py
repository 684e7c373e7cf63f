"""A sentence-transformers folder: what must be known of it to run it, and whether llama.cpp can."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.knowledge.embedders.bert_gguf import BertShape, bert_tensor_names
from satchel.runtime.knowledge.embedders.errors import EmbedderFolderError, UnsupportedEmbedderError
from satchel.runtime.knowledge.embedders.kept_file import sha256_of
from satchel.runtime.knowledge.embedders.safe_loading import CONFIG, MODULES, SENTENCE_CONFIG, refuse_foreign_code
from satchel.runtime.knowledge.embedders.safetensors_file import SafetensorsFile
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint

TOKENIZER, WEIGHTS = "tokenizer.json", "model.safetensors"
_PROMPTS, _TOKENIZER_CONFIG = "config_sentence_transformers.json", "tokenizer_config.json"
_MODULES_RUN = ("Transformer", "Pooling", "Normalize")
_ROBERTA_KIND = frozenset({"roberta", "xlm-roberta", "camembert"})
_BERT_KIND = frozenset({"bert"})
_TENSOR_PREFIXES = ("", "bert.", "roberta.", "model.", "0.auto_model.")
_POOLING_KEYS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_LEAST_TOKENS = 8
"""With fewer, the two special ones leave no room for a text."""
_POOLING_RUN = ("mean", "cls")
_QUERY_PROMPTS, _PASSAGE_PROMPTS = ("query",), ("document", "passage")

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What is put before a text; some models were trained so, not all say it in their files."""

    query: str = ""
    passage: str = ""


@dataclass(frozen=True, slots=True)
class EmbedderFolder:
    """A model that llama.cpp can run."""

    path: Path
    shape: BertShape
    fingerprint: EmbedderFingerprint
    tokenizer_json: str


class _Config(msgspec.Struct):
    model_type: str
    hidden_size: int = 0
    intermediate_size: int = 0
    num_hidden_layers: int = 0
    num_attention_heads: int = 0
    vocab_size: int = 0
    max_position_embeddings: int = 0
    type_vocab_size: int = 1
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    position_embedding_type: str | None = "absolute"
    is_decoder: bool = False
    pad_token_id: int | None = 0


class _Module(msgspec.Struct):
    path: str
    type: str

    @property
    def kind(self) -> str:
        return self.type.rpartition(".")[2]


class _SentenceConfig(msgspec.Struct):
    max_seq_length: int | None = None
    do_lower_case: bool = False


class _TokenizerConfig(msgspec.Struct):
    model_max_length: float | None = None


class _Prompts(msgspec.Struct):
    prompts: dict[str, str | None] = {}
    default_prompt_name: str | None = None


def read_embedder_folder(folder: Path, *, name: str | None = None, prefixes: Prefixes | None = None) -> EmbedderFolder:
    """Read a folder; `prefixes` replace those that it names itself, `name` replaces the folder's own.

    Raises:
        EmbedderFolderError: a file is missing or no JSON; names it.
        ForeignCodeError: the libraries that open such folders would run what this one brings.
        UnsupportedEmbedderError: llama.cpp does not run such a model; names the file and the key.
        WeightsError: model.safetensors is damaged.
    """
    folder = folder.resolve()
    refuse_foreign_code(folder)
    config = _read(folder, CONFIG, _Config)
    _check_architecture(folder, config)
    modules = _read(folder, MODULES, list[_Module])
    pooling = _pooling(folder, modules)
    tokenizer_json = _text(folder, TOKENIZER)
    shape = _shape(config)
    found = prefixes or _prefixes(folder)
    weights = folder / WEIGHTS
    check_tensors(folder, weights, shape)
    fingerprint = EmbedderFingerprint(
        name=name or folder.name,
        weights_sha256=sha256_of(weights),
        dimension=config.hidden_size,
        pooling=pooling,
        max_tokens=_max_tokens(folder, shape),
        query_prefix=found.query,
        passage_prefix=found.passage,
    )
    return EmbedderFolder(folder, shape, fingerprint, tokenizer_json)


class EncoderWeights:
    """The encoder's tensors of a `model.safetensors`, by their names without a prefix."""

    def __init__(self, path: Path) -> None:
        self._file = SafetensorsFile(path)
        names = set(self._file.names)
        probe = "embeddings.word_embeddings.weight"
        self._prefix = next((prefix for prefix in _TENSOR_PREFIXES if prefix + probe in names), "")

    def __call__(self, name: str) -> NDArray[np.float32]:
        """Return one tensor in float32."""
        return self._file.floats(self._prefix + name)

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Return a tensor's shape, or None when it is not there."""
        full = self._prefix + name
        return self._file.shape(full) if full in self._file.names else None


def check_tensors(folder: Path, weights: Path, shape: BertShape) -> None:
    """Compare the weights with what config.json promises.

    Raises:
        EmbedderFolderError: a tensor is missing or of another shape.
    """
    found = EncoderWeights(weights) if weights.is_file() else None
    if found is None:
        raise EmbedderFolderError(folder=folder, reason=f"{WEIGHTS} is missing")
    for name in bert_tensor_names(shape):
        expected = expected_shape(name, shape)
        if (actual := found.shape(name)) != expected:
            seen = "is missing" if actual is None else f"has the shape {list(actual)}, not {list(expected)}"
            raise EmbedderFolderError(folder=folder, reason=f"tensor {name} in {WEIGHTS} {seen}")


def _check_architecture(folder: Path, config: _Config) -> None:
    for key, value, supported in (
        ("model_type", config.model_type, sorted(_BERT_KIND | _ROBERTA_KIND)),
        ("hidden_act", config.hidden_act, ["gelu"]),
        ("position_embedding_type", config.position_embedding_type or "absolute", ["absolute"]),
        ("is_decoder", config.is_decoder, [False]),
    ):
        if value not in supported:
            raise _unsupported(folder, CONFIG, key, value, supported)
    for key in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size"):
        if getattr(config, key) < 1:
            raise _unsupported(folder, CONFIG, key, getattr(config, key), ["a number above 0"])
    if config.hidden_size % config.num_attention_heads:
        raise _unsupported(
            folder, CONFIG, "num_attention_heads", config.num_attention_heads, ["a divisor of hidden_size"]
        )


def _shape(config: _Config) -> BertShape:
    padding = (config.pad_token_id or 0) + 1 if config.model_type in _ROBERTA_KIND else 0
    return BertShape(
        width=config.hidden_size,
        feed_forward=config.intermediate_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        vocabulary=config.vocab_size,
        positions=config.max_position_embeddings,
        token_types=config.type_vocab_size,
        norm_epsilon=config.layer_norm_eps,
        first_position=padding,
    )


def _pooling(folder: Path, modules: list[_Module]) -> str:
    kinds = [module.kind for module in modules]
    for kind in kinds:
        if kind not in _MODULES_RUN:
            raise _unsupported(folder, MODULES, "type", kind, list(_MODULES_RUN))
    if "Pooling" not in kinds or kinds[0] != "Transformer":
        raise _unsupported(folder, MODULES, "type", kinds, ["Transformer", "Pooling"])
    if modules[0].path:
        raise _unsupported(folder, MODULES, "path", modules[0].path, ["the folder itself"])
    file = f"{modules[kinds.index('Pooling')].path}/config.json"
    settings = _read(folder, file, dict[str, Any])
    mode = settings.get("pooling_mode")
    if mode is None:
        modes = [pooling for key, pooling in _POOLING_KEYS.items() if settings.get(key)] or ["mean"]
    else:
        modes = [mode] if isinstance(mode, str) else list(mode)
    if len(modes) != 1 or modes[0] not in _POOLING_RUN:
        raise _unsupported(folder, file, "pooling_mode", modes, list(_POOLING_RUN))
    if settings.get("include_prompt") is False:
        raise _unsupported(folder, file, "include_prompt", False, [True])
    pooling: str = modes[0]
    return pooling


def _max_tokens(folder: Path, shape: BertShape) -> int:
    """As sentence-transformers does: its own limit if there is one, else the tokenizer's, never past the positions."""
    settings = _read(folder, SENTENCE_CONFIG, _SentenceConfig, missing=_SentenceConfig())
    if settings.do_lower_case:
        raise _unsupported(folder, SENTENCE_CONFIG, "do_lower_case", True, [False])
    room = shape.positions - shape.first_position
    limit = settings.max_seq_length
    if limit is None:
        limit = int(min(_read(folder, _TOKENIZER_CONFIG, _TokenizerConfig).model_max_length or room, room))
    if min(limit, room) < _LEAST_TOKENS:
        raise _unsupported(folder, SENTENCE_CONFIG, "max_seq_length", min(limit, room), [f"{_LEAST_TOKENS} or more"])
    return min(limit, room)


def _prefixes(folder: Path) -> Prefixes:
    prompts = _read(folder, _PROMPTS, _Prompts, missing=_Prompts())
    default = prompts.prompts.get(prompts.default_prompt_name or "") or ""

    def first(names: tuple[str, ...]) -> str:
        return next((text for name in names if (text := prompts.prompts.get(name))), default)

    return Prefixes(query=first(_QUERY_PROMPTS), passage=first(_PASSAGE_PROMPTS))


def expected_shape(name: str, shape: BertShape) -> tuple[int, ...]:
    """Return the shape of one of `bert_tensor_names`, as PyTorch stores it."""
    wide = {
        "intermediate.dense.weight": (shape.feed_forward, shape.width),
        "intermediate.dense.bias": (shape.feed_forward,),
    }
    for ending, expected in wide.items():
        if name.endswith(ending):
            return expected
    if name.endswith(".output.dense.weight") and "attention" not in name:
        return (shape.width, shape.feed_forward)
    if name.startswith("embeddings.") and not name.startswith("embeddings.LayerNorm"):
        rows = {"word": shape.vocabulary, "position": shape.positions, "token_type": shape.token_types}
        return (rows[name.removeprefix("embeddings.").partition("_embeddings")[0]], shape.width)
    if name.endswith("bias") or "LayerNorm" in name:
        return (shape.width,)
    return (shape.width, shape.width)


def _read(folder: Path, name: str, kind: type[Read], *, missing: Read | None = None) -> Read:
    if missing is not None and not (folder / name).is_file():
        return missing
    try:
        return msgspec.json.decode(_text(folder, name), type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EmbedderFolderError(folder=folder, reason=f"{name}: {error}") from error


def _text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EmbedderFolderError(folder=folder, reason=f"{name} is missing") from error
    except (OSError, UnicodeDecodeError) as error:
        raise EmbedderFolderError(folder=folder, reason=f"{name}: {error}") from error


def _unsupported(folder: Path, file: str, key: str, value: object, supported: list[Any]) -> UnsupportedEmbedderError:
    return UnsupportedEmbedderError(
        folder=folder, file=file, key=key, value=value, supported=" or ".join(str(each) for each in supported)
    )
