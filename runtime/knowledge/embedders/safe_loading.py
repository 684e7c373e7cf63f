"""Opening a sentence-transformers folder without running anything that it brings.

Such a folder may name classes of its own (`modules.json`, `auto_map`), arguments for the libraries that open it
(`model_kwargs`), another model to be opened in its place (`adapter_config.json`), and weights as a pickle, which is a
program. Versions of the library differ in what they trust (before 6.0 a local folder's classes were run unasked), so
none of it reaches the library: the folder is refused, with the file and the key.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from satchel.runtime.knowledge.embedders.errors import EmbedderFolderError, ForeignCodeError

Backend = Literal["torch", "openvino"]

OLDEST_LIBRARY = 5
"""Major version of sentence-transformers; older ones read other files than these."""

CONFIG, MODULES, SENTENCE_CONFIG = "config.json", "modules.json", "sentence_bert_config.json"
_OWN_CLASSES = "sentence_transformers."
_WITH_AUTO_MAP = (CONFIG, "tokenizer_config.json", "processor_config.json", "preprocessor_config.json")
_OTHER_WEIGHTS = ("transformers_weights", "quantization_config")
_ADAPTER = "adapter_config.json"
_SAFETENSORS, _PICKLES = "model.safetensors", ("pytorch_model.bin", "pytorch_model.bin.index.json")
# What sentence-transformers 5 and 6 write for an encoder of text, and nothing that they hand on to other libraries.
_PLAIN_SETTINGS = frozenset(
    {"max_seq_length", "do_lower_case", "transformer_task", "modality_config", "module_output_name", "unpad_inputs"}
)
_OLDER_NAMES = ("roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")


def has_sentence_transformers() -> bool:
    """Tell whether a sentence-transformers is installed that is new enough; imports nothing of it."""
    try:
        version = importlib.metadata.version("sentence-transformers")
    except importlib.metadata.PackageNotFoundError:
        return False
    major = version.partition(".")[0]
    return major.isdecimal() and int(major) >= OLDEST_LIBRARY


def open_model(
    folder: Path, *, device: str = "cpu", backend: Backend = "torch", settings: dict[str, Any] | None = None
) -> Any:
    """Return the `SentenceTransformer` of a folder; every one in Satchel is opened here.

    Raises:
        ForeignCodeError: the folder would have a say in what is run.
        EmbedderFolderError: one of its files is no JSON.
    """
    refuse_foreign_code(folder)
    from sentence_transformers import SentenceTransformer

    # Beside the folder's weights there may lie a pickle of the same, and the library takes what it finds.
    weights = {"use_safetensors": True} if backend == "torch" else {}
    return SentenceTransformer(
        str(folder),
        device=device,
        backend=backend,
        trust_remote_code=False,
        local_files_only=True,
        model_kwargs={**weights, **(settings or {})},
    )


def refuse_foreign_code(folder: Path) -> None:
    """Check everything by which a folder can choose code; what is missing is for others to say.

    Raises:
        ForeignCodeError: names the file, and the key where there is one.
        EmbedderFolderError: a file is no JSON.
    """
    for place, reason in _choices(folder):
        raise ForeignCodeError(folder=folder, place=place, reason=reason)


def _choices(folder: Path) -> Iterator[tuple[str, str]]:
    yield from _classes(folder)
    yield from _arguments(folder)
    yield from _other_files(folder)


def _classes(folder: Path) -> Iterator[tuple[str, str]]:
    for module in _documents(folder, MODULES):
        kind = module.get("type") if isinstance(module, dict) else None
        if not (isinstance(kind, str) and kind.startswith(_OWN_CLASSES)):
            yield f"`type` in {MODULES}", f"it names the class {kind}, which is none of sentence-transformers' own"
    for name in _WITH_AUTO_MAP:
        if "auto_map" in _keys(folder, name):
            yield f"`auto_map` in {name}", "it names classes that the folder or the hub brings"


def _arguments(folder: Path) -> Iterator[tuple[str, str]]:
    for key in _OTHER_WEIGHTS:
        if key in _keys(folder, CONFIG):
            yield f"`{key}` in {CONFIG}", f"it names other weights than {_SAFETENSORS}, or another form of them"
    for key, value in _keys(folder, SENTENCE_CONFIG).items():
        if key not in _PLAIN_SETTINGS and value:
            yield f"`{key}` in {SENTENCE_CONFIG}", "it is handed on to the libraries that open the model"


def _other_files(folder: Path) -> Iterator[tuple[str, str]]:
    for older in _OLDER_NAMES:
        if (folder / (name := f"sentence_{older}_config.json")).exists():
            yield name, f"only {SENTENCE_CONFIG} is read here, and the library reads both"
    if (folder / _ADAPTER).exists():
        yield _ADAPTER, "it names another model, which would be opened instead; merge the adapter into the weights"
    if not (folder / _SAFETENSORS).exists():
        for name in _PICKLES:
            if (folder / name).exists():
                yield name, f"it is a pickle, which is a program; save the model anew, as {_SAFETENSORS}"


def _keys(folder: Path, name: str) -> dict[str, Any]:
    documents = _documents(folder, name)
    return documents if isinstance(documents, dict) else {}


def _documents(folder: Path, name: str) -> Any:
    path = folder / name
    if not path.is_file():
        return []
    try:
        return msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EmbedderFolderError(folder=folder, reason=f"{name}: {error}") from error
    except OSError as error:
        raise EmbedderFolderError(folder=folder, reason=f"{name}: {(error.strerror or str(error)).lower()}") from error
