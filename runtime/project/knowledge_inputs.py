"""A project's knowledge as ingestion takes it: files of the disk, and texts that its origin pack brought."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.ingest import KeptText, KnowledgeInput
from satchel.runtime.knowledge.text_cache import FileHashes
from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.project.folder import Project


def knowledge_inputs(project: Project, hashes: FileHashes, origin: KnowledgeArrays | None) -> list[KnowledgeInput]:
    """Return all files by name; one that cannot be opened stays, with its reason."""
    inputs = [
        KnowledgeInput(_described(project, found.name, found.path, hashes), found.path)
        for found in project.knowledge_files()
    ]
    on_disk = {entry.file.name for entry in inputs}
    if origin is not None:
        inputs += [entry for entry in _kept(project, origin) if entry.file.name not in on_disk]
    return sorted(inputs, key=lambda entry: entry.file.name.encode())


def _described(project: Project, name: str, path: Path, hashes: FileHashes) -> KnowledgeFile:
    problem, sha256, size = "", "", 0
    try:
        sha256 = hashes.sha256(path)
        size = path.stat().st_size
    except OSError as error:
        problem = f"it cannot be opened: {(error.strerror or str(error)).lower()}"
    knowledge = project.assistant.knowledge
    return KnowledgeFile(
        name=name,
        media_type="",
        sha256=sha256,
        size=size,
        source="",
        bytes=0,
        characters=0,
        pages=0,
        language=_stated_languages(knowledge.languages).get(name, ""),
        trusted=_ticked(knowledge.trusted, name),
        public=_ticked(knowledge.public, name),
        problem=problem,
    )


def _kept(project: Project, origin: KnowledgeArrays) -> Iterator[KnowledgeInput]:
    wanted = set(project.assistant.knowledge.from_pack)
    first_byte = 0
    for number, file in enumerate(origin.files):
        if file.name in wanted:
            text = origin.file_text(number)
            starts = origin.pages[origin.pages[:, 0] == number][:, 1] - first_byte
            extracted = ExtractedText(
                media_type=file.media_type,
                text=text,
                page_starts=_characters(text, starts.tolist()),
                page_labels=origin.page_labels.get(number, ()),
            )
            spans = (PassageSpan(*origin.passages[row, 3:5].tolist()) for row in origin.rows_of_file(number))
            yield KnowledgeInput(file, None, KeptText(extracted, tuple(spans)))
        first_byte += file.bytes


def _characters(text: str, byte_offsets: list[int]) -> tuple[int, ...]:
    """Return character offsets of byte offsets, both rising."""
    encoded = text.encode()
    found, character, before = [], 0, 0
    for offset in byte_offsets:
        character += len(encoded[before:offset].decode())
        found.append(character)
        before = offset
    return tuple(found)


def _ticked(ticks: list[str] | bool, name: str) -> bool:
    return ticks if isinstance(ticks, bool) else name in ticks


def _stated_languages(stated: list[str]) -> dict[str, str]:
    pairs = (entry.rpartition(":") for entry in stated)
    return {name.strip(): language.strip() for name, _, language in pairs}
