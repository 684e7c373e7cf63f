"""How large each part of a pack may be; checked before anything is allocated."""

from __future__ import annotations

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

PACK_BYTES = 4 * GIB - 1
"""A pack is smaller than 4 GiB, so that no ZIP64 record is ever needed."""

PACK_ENTRIES = 65_534
"""All entries: 65,535 in the ZIP directory would announce ZIP64."""

TABLE_ENTRIES = PACK_ENTRIES - 3
"""Entries in the manifest's table: all but `mimetype`, `manifest.json` and `signature.json`."""

MANIFEST_BYTES = 16 * MIB
"""A full table takes 11 MiB."""

SIGNATURE_BYTES = KIB

NAME_BYTES = 255
"""An entry's name in UTF-8."""

KNOWLEDGE_NAME_BYTES = 1024
"""A knowledge file's own name, folders included, in UTF-8."""

PASSAGES = 8 * MIB
"""4 GiB hold about two million passages with vectors of 384 dimensions; without vectors, more."""

PASSAGE_CHARACTERS = 16_384
"""Four times what people read at a glance; it bounds what a stranger's pack can have a question read."""

PASSAGE_BYTES = 4 * PASSAGE_CHARACTERS

TERM_BYTES = 64 * KIB
DIMENSION = 16_384

READ_BYTES = 64 * MIB
"""Largest entry that is handed out as one `bytes`; larger ones are streamed or mapped."""

_ENTRY_BYTES = {
    "README.txt": 64 * KIB,
    "instructions.md": MIB,
    "examples.jsonl": 16 * MIB,
    "avatar.png": 4 * MIB,
    "mcp.json": MIB,
    "evals/cases.jsonl": 16 * MIB,
    "knowledge/files.json": READ_BYTES,
    "knowledge/page_labels.json": READ_BYTES,
}
_ACTION_BYTES = 4 * MIB


def entry_limit(name: str) -> int:
    """Return the most bytes that the entry `name` may have."""
    if name.startswith("actions/"):
        return _ACTION_BYTES
    return _ENTRY_BYTES.get(name, PACK_BYTES)


def size_in_words(size: int) -> str:
    """Return a size as people read it: `1,000 bytes`, `3.5 MiB`."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,} bytes"
