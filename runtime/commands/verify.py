"""`satchel verify`: check every byte of a pack, and that its knowledge can be relied on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from satchel.runtime.packfile.errors import PackChangedError
from satchel.runtime.packfile.knowledge_check import KnowledgeCounts, check_knowledge
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class Verification:
    """What a sound pack is; an unsound one is an error that says where."""

    path: Path
    size: int
    pack_id: str
    name: str
    version: str
    author: str
    entries: int
    knowledge: KnowledgeCounts
    signature: Literal["unsigned", "unchecked"]


def verify(path: Path, *, progress: Progress = SILENT) -> Verification:
    """Verify a pack from its first byte to its last; unlike running it, nothing is taken from an earlier time.

    Raises:
        PackError: it is no sound pack; names the entry, and the row of an array.
    """
    with open_pack(path, verify=True, progress=progress) as pack:
        counts = check_knowledge(pack, progress=progress)
        if pack.reader.current_stamp() != pack.stamp:
            raise PackChangedError(path=path)
        identity = pack.manifest.identity
        return Verification(
            path=path,
            size=pack.stamp.size,
            pack_id=pack.pack_id,
            name=identity.name,
            version=identity.version,
            author=identity.author,
            entries=len(pack.names),
            knowledge=counts,
            signature=pack.signature_state,
        )
