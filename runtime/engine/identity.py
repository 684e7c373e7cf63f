"""What tells one model file from another without reading gigabytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from satchel.runtime.engine.gguf_header import GgufHeader

_BLOCK = 1 << 20


def file_identity(*paths: Path) -> str:
    """Return a hash of where files lie, how large they are and when they were changed: it changes with any write."""
    parts = []
    for path in paths:
        stat = path.stat()
        parts.append(f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def model_identity(header: GgufHeader) -> str:
    """Return a hash that changes whenever a model's header or file may have changed."""
    return hashlib.sha256(f"{header.digest}\n{file_identity(*header.parts)}".encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
