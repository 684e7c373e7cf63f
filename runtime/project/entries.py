"""What goes into a pack beside the knowledge arrays: the project's own files under their places in format 1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from satchel.runtime.packfile import names
from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.project.folder import (
    ACTIONS_FOLDER,
    AVATAR_FILE,
    CASES_FILE,
    EXAMPLES_FILE,
    INSTRUCTIONS_FILE,
    MCP_FILE,
    Project,
)

_README = """\
This file is an assistant made with Satchel: its instructions and, where it has any, the text of its files, searchable.
It is a ZIP archive without compression: any unzip tool lists and reads it. It holds no program code.

    satchel run THIS_FILE "your question"     asks it
    satchel inspect THIS_FILE                 shows what it knows and what it asks for
    satchel unpack THIS_FILE FOLDER           turns it into an editable folder
"""

_SUFFIX = re.compile(r"\.[a-z0-9]{1,16}")


def project_entries(project: Project) -> Iterator[tuple[str, bytes | Path]]:
    """Yield the entries of everything but knowledge; parts that the project does not have are absent."""
    yield "README.txt", _README.encode()
    if project.instructions.strip():
        yield INSTRUCTIONS_FILE, project.instructions.encode()
    if project.examples:
        lines = (msgspec.json.encode(example) + b"\n" for example in project.examples)
        yield EXAMPLES_FILE, b"".join(lines)
    for name in (AVATAR_FILE, MCP_FILE, CASES_FILE):
        path = project.optional_file(name)
        # `satchel new` makes an empty cases file, which says nothing.
        if path is not None and path.stat().st_size:
            yield name, path
    for path in project.action_files():
        yield f"{ACTIONS_FOLDER}/{path.name}", path


def name_sources(
    files: Sequence[KnowledgeFile], paths: Mapping[str, Path]
) -> tuple[tuple[KnowledgeFile, ...], list[tuple[str, Path]]]:
    """Number the sources that go into a pack: those on the disk that gave text.

    Returns the rows of `files.json` with their entries' names, and the entries.
    """
    named: list[KnowledgeFile] = []
    entries: list[tuple[str, Path]] = []
    for file in files:
        path = paths.get(file.name)
        if path is None or not file.bytes:
            named.append(file)
            continue
        suffix = path.suffix.casefold()
        entry = f"{names.SOURCES}{len(entries) + 1:04d}{suffix if _SUFFIX.fullmatch(suffix) else ''}"
        named.append(msgspec.structs.replace(file, source=entry))
        entries.append((entry, path))
    return tuple(named), entries
