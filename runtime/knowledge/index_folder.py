"""The knowledge arrays as files of a folder: what a project is run from without building a pack.

Each save makes a generation of its own, named in `current.json`, which is replaced last: whenever the writer is
stopped, a reader sees the old arrays or the new ones, and maps of an old generation stay good while they are open.
"""

from __future__ import annotations

import contextlib
import shutil
import uuid
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.runtime.atomic import replacing, save_bytes
from satchel.runtime.knowledge.errors import DamagedIndexError
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.packfile import names
from satchel.runtime.packfile.arrays import ARRAY_TYPES
from satchel.runtime.packfile.canonical import SchemaError
from satchel.runtime.packfile.schema_v1 import AnalyserFingerprint

_CURRENT = "current.json"


class _Current(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`current.json`: which generation counts, and what its vectors and terms were made with."""

    format: int = 1
    generation: str
    embedder: EmbedderFingerprint | None
    analyser: AnalyserFingerprint


def save_index(folder: Path, arrays: KnowledgeArrays) -> None:
    """Write a new generation, make it the current one, and remove the others.

    Raises:
        SaveError: the disk is full or the folder is not writable; the old arrays stay.
    """
    generation = uuid.uuid4().hex[:12]
    try:
        for name, content in arrays.entries():
            _save_entry(folder / generation / name, name, content)
    except BaseException:
        shutil.rmtree(folder / generation, ignore_errors=True)
        raise
    current = _Current(generation=generation, embedder=arrays.embedder, analyser=arrays.analyser)
    save_bytes(folder / _CURRENT, msgspec.json.encode(current))
    for old in folder.iterdir():
        if old.is_dir() and old.name != generation:
            shutil.rmtree(old, ignore_errors=True)


def load_index(folder: Path) -> KnowledgeArrays:
    """Map the current generation; only in a worker process, since a mapped file that is cut short kills its reader.

    Raises:
        DamagedIndexError: there is none, or its files do not fit together.
    """
    try:
        current = msgspec.json.decode((folder / _CURRENT).read_bytes(), type=_Current)
        root = folder / current.generation
        arrays = {
            name: _map_entry(root / name)
            for name in (*ARRAY_TYPES, names.TEXT, names.BM25_TERMS)
            if (root / name).exists()
        }
        labels = root / names.PAGE_LABELS
        return KnowledgeArrays.from_entries(
            arrays,
            (root / names.FILES).read_bytes(),
            labels.read_bytes() if labels.exists() else b"[]",
            current.embedder,
            current.analyser,
        )
    except (OSError, EOFError, ValueError, TypeError, KeyError, SchemaError, msgspec.DecodeError) as error:
        raise DamagedIndexError(folder=folder, reason=str(error) or type(error).__name__) from error


def _save_entry(path: Path, name: str, content: bytes | NDArray[Any]) -> None:
    if isinstance(content, bytes):
        save_bytes(path, content)
        return
    with replacing(path) as file:
        if name in ARRAY_TYPES:
            np.lib.format.write_array(file, np.ascontiguousarray(content), version=(1, 0), allow_pickle=False)
        else:
            content.tofile(file)


def _map_entry(path: Path) -> NDArray[Any]:
    if path.suffix != ".npy":
        return np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)
    with contextlib.suppress(ValueError):  # an array without elements cannot be mapped
        mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return mapped
    loaded: NDArray[Any] = np.load(path, allow_pickle=False)
    return loaded


def index_exists(folder: Path) -> bool:
    """Return whether a generation was ever saved here."""
    return (folder / _CURRENT).is_file()
