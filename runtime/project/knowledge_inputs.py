"""A project's knowledge as ingestion takes it: files of the disk, and texts that its origin pack brought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.ingest import KeptText, KnowledgeInput
from satchel.runtime.knowledge.recognition.reading import pages_of
from satchel.runtime.knowledge.text_cache import FileHashes
from satchel.runtime.packfile.names import FILES
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.project.folder import KnowledgeFile as FoundFile
from satchel.runtime.project.folder import Project


def knowledge_inputs(project: Project, hashes: FileHashes, origin: Pack | None) -> list[KnowledgeInput]:
    """Return all files by name; one that cannot be opened stays, with its reason.

    `origin` is the pack that the project was unpacked from. Its arrays are mapped: only in a worker process.
    """
    wanted = project.assistant.knowledge.read_pictures
    inputs = [
        KnowledgeInput(_described(project, found, hashes), found.path, read_pictures=_ticked(wanted, found.name))
        for found in project.knowledge_files()
    ]
    on_disk = {entry.file.name for entry in inputs}
    if origin is not None:
        inputs += [entry for entry in _kept(project, origin) if entry.file.name not in on_disk]
    return sorted(inputs, key=lambda entry: entry.file.name.encode())


def cut_anew(inputs: Sequence[KnowledgeInput]) -> list[KnowledgeInput]:
    """Drop the passages that a pack brought: the project wants other sizes, or has another embedder."""
    return [
        replace(entry, kept=replace(entry.kept, passages=None)) if entry.kept is not None else entry for entry in inputs
    ]


def _described(project: Project, found: FoundFile, hashes: FileHashes) -> KnowledgeFile:
    problem, sha256, size = found.problem, "", 0
    if not problem:
        try:
            sha256 = hashes.sha256(found.path)
            size = found.path.stat().st_size
        except OSError as error:
            problem = f"it cannot be opened: {(error.strerror or str(error)).lower()}"
    file = KnowledgeFile(
        name=found.name,
        media_type="",
        sha256=sha256,
        size=size,
        source="",
        bytes=0,
        characters=0,
        pages=0,
        language="",
        trusted=False,
        public=False,
        problem=problem,
    )
    return _with_the_authors_word(file, project)


def _with_the_authors_word(file: KnowledgeFile, project: Project) -> KnowledgeFile:
    knowledge = project.assistant.knowledge
    return msgspec.structs.replace(
        file,
        language=_stated_languages(knowledge.languages).get(file.name, file.language),
        trusted=_ticked(knowledge.trusted, file.name),
        public=_ticked(knowledge.public, file.name),
    )


def _kept(project: Project, pack: Pack) -> Iterator[KnowledgeInput]:
    wanted = set(project.assistant.knowledge.from_pack)
    if not wanted or FILES not in pack:
        return
    origin = KnowledgeArrays.from_pack(pack)
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
                from_pictures=tuple(pages_of(file.picture_pages)),
            )
            spans = (PassageSpan(*origin.passages[row, 3:5].tolist()) for row in origin.rows_of_file(number))
            yield KnowledgeInput(_with_the_authors_word(file, project), None, KeptText(extracted, tuple(spans)))
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
