"""`satchel inspect`: what a pack holds, knows and asks for, without running or installing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.packfile import names
from satchel.runtime.packfile.errors import DamagedPackError, UnknownKnowledgeFileError
from satchel.runtime.packfile.knowledge_check import read_files
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.requests import request_in_words
from satchel.runtime.packfile.schema_v1 import (
    Adapter,
    AnalyserFingerprint,
    Identity,
    KnowledgeFile,
    ModelPreference,
    Persona,
    Retrieval,
    Sampling,
)

_PIECE_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class FileDescription:
    """One knowledge file."""

    name: str
    media_type: str
    size: int
    """Bytes of the source, whether or not it is in the pack."""
    characters: int
    pages: int
    picture_pages: int
    """How many of them were read from their pictures."""
    passages: int
    language: str
    """Empty where none was detected."""
    source_included: bool
    trusted: bool
    public: bool
    problem: str


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """One tool that the assistant wants."""

    name: str
    requests: tuple[str, ...]
    """As the pack words them."""
    in_words: tuple[str, ...]
    """What each of them lets happen."""


@dataclass(frozen=True, slots=True)
class EntryDescription:
    """One entry of the file and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class PackDescription:
    """What `inspect` tells; the structs are the manifest's own."""

    path: Path
    size: int
    pack_id: str
    signature: Literal["unsigned", "unchecked"]
    format: int
    identity: Identity
    persona: Persona
    attribution: str
    examples: int
    files: tuple[FileDescription, ...]
    passages: int
    models: tuple[ModelPreference, ...]
    adapter: Adapter | None
    sampling: Sampling
    retrieval: Retrieval
    embedder: EmbedderFingerprint | None
    analyser: AnalyserFingerprint | None
    tools: tuple[ToolDescription, ...]
    entries: tuple[EntryDescription, ...]


def inspect(path: Path) -> PackDescription:
    """Describe a pack; headers, manifest and list of files are checked, `verify` checks the rest.

    Raises:
        PackError: it is no pack that this Satchel accepts.
    """
    with open_pack(path, verify=False) as pack:
        manifest = pack.manifest
        files = read_files(pack)
        passages = _count_passages(pack, len(files))
        return PackDescription(
            path=path,
            size=pack.stamp.size,
            pack_id=pack.pack_id,
            signature=pack.signature_state,
            format=manifest.format,
            identity=manifest.identity,
            persona=manifest.persona,
            attribution=manifest.attribution,
            examples=manifest.examples,
            files=tuple(_describe(file, count) for file, count in zip(files, passages, strict=True)),
            passages=sum(passages),
            models=manifest.models,
            adapter=manifest.adapter,
            sampling=manifest.sampling,
            retrieval=manifest.retrieval,
            embedder=manifest.embedder,
            analyser=manifest.analyser,
            tools=tuple(
                ToolDescription(tool.name, tool.requests, tuple(request_in_words(request) for request in tool.requests))
                for tool in manifest.tools
            ),
            entries=tuple(EntryDescription(entry.name, entry.size) for entry in manifest.entries),
        )


def inspect_text(path: Path, file: str) -> str:
    """Return the whole extracted text of one knowledge file; the offsets that citations carry count its characters.

    Raises:
        UnknownKnowledgeFileError: the pack has no such file; names those it has.
        PackError: it is no pack that this Satchel accepts, or its text is not what the manifest says.
    """
    with open_pack(path, verify=False) as pack:
        files = read_files(pack)
        start = 0
        for known in files:
            if known.name == file:
                return _read_text(pack, start, known)
            start += known.bytes
    raise UnknownKnowledgeFileError(path=path, file=file, known=", ".join(known.name for known in files) or "none")


def _describe(file: KnowledgeFile, passages: int) -> FileDescription:
    return FileDescription(
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        characters=file.characters,
        pages=file.pages,
        picture_pages=sum(last - first + 1 for first, last in file.picture_pages),
        passages=passages,
        language=file.language,
        source_included=bool(file.source),
        trusted=file.trusted,
        public=file.public,
        problem=file.problem,
    )


def _count_passages(pack: Pack, files: int) -> list[int]:
    """Return the number of passages of each file. Nothing is verified here, so a file's number may be anything."""
    if names.PASSAGES not in pack:
        return [0] * files
    import numpy as np

    from satchel.runtime.packfile.array_reader import ArrayReader

    counts = np.zeros(files, np.int64)
    for _, rows in ArrayReader(pack, names.PASSAGES).pieces(_PIECE_ROWS):
        numbers = rows[:, 0]
        counts += np.bincount(numbers[numbers < files], minlength=files)
    return [int(count) for count in counts]


def _read_text(pack: Pack, start: int, file: KnowledgeFile) -> str:
    """Read through the whole of `text.utf8`, because its checksum is the only proof that the part wanted is right."""
    end = start + file.bytes
    parts = []
    position = 0
    for chunk in pack.chunks(names.TEXT):
        parts.append(chunk[max(0, start - position) : max(0, end - position)])
        position += len(chunk)
    text = b"".join(parts)
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise DamagedPackError(path=pack.path, reason=f"{names.TEXT}: the text of {file.name} is no UTF-8") from error
