"""From the word in `assistant.toml` to a model on this disk, and from a pack's fingerprint to the GGUF for questions.

Nothing here goes to the network: a model of the hub is used when it lies in the hub's own cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from satchel.runtime.atomic import replacing
from satchel.runtime.knowledge.embedders.bert_gguf import write_bert_gguf
from satchel.runtime.knowledge.embedders.bundled import BundledEmbedder, bundled_embedder, fastest_weight_type
from satchel.runtime.knowledge.embedders.errors import EmbedderLoadError, EmbedderMissingError, WrongEmbedderError
from satchel.runtime.knowledge.embedders.gguf_file import WeightType
from satchel.runtime.knowledge.embedders.kept_file import is_as_written, kept_file
from satchel.runtime.knowledge.embedders.model_folder import (
    WEIGHTS,
    EmbedderFolder,
    EncoderWeights,
    read_embedder_folder,
)
from satchel.runtime.knowledge.embedders.multilingual import MULTILINGUAL
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.paths import Home

DEFAULT, MULTILINGUAL_SETTING = "default", "multilingual"

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)

Resolved = BundledEmbedder | EmbedderFolder


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model as the hub names it, at one revision or at whatever its cache holds as `main`."""

    name: str
    revision: str | None = None


def placed_setting(setting: str, project: Path) -> str:
    """Return a project's setting with a folder as its whole path: a relative one starts at the project.

    `somebody/model` is a folder where the project has it, and else a name on the hub.
    """
    if setting in {DEFAULT, MULTILINGUAL_SETTING}:
        return setting
    path = os.path.abspath(project / os.path.expanduser(setting))  # noqa: PTH100, PTH111 - Path's own fail for some names
    return setting if _is_hub_name(setting) and not os.path.isdir(path) else path  # noqa: PTH112 - the same


def resolve_embedder(setting: str, home: Home) -> Resolved:
    """Return the model that a setting names: `default`, `multilingual`, a folder's whole path, or a name on the hub.

    Raises:
        EmbedderMissingError: it is not on this machine.
        EmbedderFolderError, UnsupportedEmbedderError, WeightsError: it is, and cannot be used.
    """
    if setting == DEFAULT:
        return bundled_embedder()
    if setting == MULTILINGUAL_SETTING:
        folder = hub_folder(HubModel(MULTILINGUAL.name, MULTILINGUAL.revision), home)
        return read_embedder_folder(folder, name=MULTILINGUAL.name, prefixes=MULTILINGUAL.prefixes)
    if _is_hub_name(setting):
        return read_embedder_folder(hub_folder(HubModel(setting), home), name=setting)
    if os.path.isabs(setting) and os.path.isdir(setting):  # noqa: PTH112, PTH117 - Path's own fail for some names
        return read_embedder_folder(Path(setting))
    raise EmbedderMissingError(name=setting, command="choose a folder that is there")


def runnable_gguf(resolved: Resolved, home: Home) -> Path:
    """Return a model's GGUF, in the type that llama.cpp is fastest with; written now if it is not there, or damaged."""
    if isinstance(resolved, BundledEmbedder):
        return resolved.runnable_gguf(home)
    path = converted_path(resolved.fingerprint, home)
    if is_as_written(path, unknown=True):
        return path
    return kept_file(path, lambda path: write_folder_gguf(resolved, path, fastest_weight_type()))


def query_gguf(fingerprint: EmbedderFingerprint, home: Home) -> Path:
    """Return the GGUF that embeds questions for vectors of this fingerprint.

    Nothing but the fingerprint as a whole chooses it: the name in a stranger's pack is only shown.

    Raises:
        WrongEmbedderError: this machine has no such model.
        EmbedderLoadError: it has, damaged.
    """
    bundled = bundled_embedder()
    if bundled.fingerprint == fingerprint:
        return bundled.runnable_gguf(home)
    path = converted_path(fingerprint, home)
    if is_as_written(path, unknown=True):
        return path
    if fingerprint.weights_sha256 == MULTILINGUAL.weights_sha256:
        with contextlib.suppress(EmbedderMissingError):
            resolved = resolve_embedder(MULTILINGUAL_SETTING, home)
            if resolved.fingerprint == fingerprint:
                return runnable_gguf(resolved, home)
    if path.is_file():
        raise EmbedderLoadError(path=path, reason="it is damaged: its bytes are not those that were written")
    raise WrongEmbedderError(made_by=fingerprint.name)


def converted_path(fingerprint: EmbedderFingerprint, home: Home) -> Path:
    """Return where the GGUF of a model lies that is not the bundled one; kept with the models, for packs need it."""
    key = hashlib.sha256(msgspec.json.encode(fingerprint)).hexdigest()[:32]
    return home.models / "embedders" / f"{key}.gguf"


def write_folder_gguf(folder: EmbedderFolder, destination: Path, weight_type: WeightType) -> None:
    """Write the GGUF of a sentence-transformers folder."""
    with replacing(destination) as file:
        write_bert_gguf(
            file,
            folder.shape,
            EncoderWeights(folder.path / WEIGHTS),
            name=folder.fingerprint.name,
            weight_type=weight_type,
            pooling=folder.fingerprint.pooling,
            tokenizer_json=folder.tokenizer_json,
            fingerprint_json=msgspec.json.encode(folder.fingerprint).decode(),
        )


def hub_folder(model: HubModel, home: Home) -> Path:
    """Return a model's folder in Satchel's own models or in the hub's cache.

    Raises:
        EmbedderMissingError: it is in neither.
    """
    own = home.models / "embedders" / model.name.replace("/", "--")
    if own.is_dir():
        return own
    entry = _hub_cache() / f"models--{model.name.replace('/', '--')}"
    revision = model.revision
    if revision is None:
        try:
            revision = (entry / "refs" / "main").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            revision = ""
    folder = entry / "snapshots" / revision
    if revision and folder.is_dir():
        return folder
    pinned = f" --revision {model.revision}" if model.revision else ""
    raise EmbedderMissingError(name=model.name, command=f"get it once with `hf download {model.name}{pinned}`")


def _is_hub_name(setting: str) -> bool:
    return _HUB_NAME.fullmatch(setting) is not None


def _hub_cache() -> Path:
    if path := os.environ.get("HF_HUB_CACHE"):
        return Path(path).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or f"{cache}/huggingface").expanduser() / "hub"
