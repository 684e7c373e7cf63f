"""Index and build one project. Runs in the process of `project.service`, because packs are mapped here."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from satchel.runtime.errors import BusyError
from satchel.runtime.evals.cases import read_cases
from satchel.runtime.knowledge.analyser import analyser_fingerprint
from satchel.runtime.knowledge.embedders.choose import build_embedder, build_fingerprint, speaks
from satchel.runtime.knowledge.embedders.cores import usable_threads
from satchel.runtime.knowledge.embedders.resolve import placed_setting
from satchel.runtime.knowledge.embedders.vector_cache import VectorCache
from satchel.runtime.knowledge.extract.reader import DocumentReader
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.ingest import KnowledgeInput, index_files, read_files
from satchel.runtime.knowledge.language_names import language_name
from satchel.runtime.knowledge.passages import PassageSettings
from satchel.runtime.knowledge.recognition.page_cache import PageCache
from satchel.runtime.knowledge.recognition.picture_reader import PictureReader
from satchel.runtime.knowledge.recognition.reading import PictureReading
from satchel.runtime.knowledge.recognition.recogniser import recogniser_version
from satchel.runtime.knowledge.text_cache import EXTRACTION_VERSION, FileHashes, TextCache
from satchel.runtime.knowledge.vector_sources import PackVectors
from satchel.runtime.packfile.errors import PackError
from satchel.runtime.packfile.lock import locked
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.verified import VerifiedFiles
from satchel.runtime.packfile.writer import write_pack
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.project.entries import name_sources, project_entries
from satchel.runtime.project.errors import ProjectFormatError, UnreadableFilesError
from satchel.runtime.project.folder import CASES_FILE, Project, load_project
from satchel.runtime.project.knowledge_inputs import cut_anew, knowledge_inputs
from satchel.runtime.project.outcomes import BuiltPack, IndexedFile, ProjectIndex
from satchel.runtime.project.sealing import seal
from satchel.runtime.project.tool_checks import check_tools
from satchel.runtime.sandbox.known import KnownSandbox
from satchel.runtime.worker.launching import Launch

_INDEX_VERSION = 2
"""Raised when the same files and settings give other arrays."""


class ProjectBuilder:
    """One project, as it was when this was made."""

    def __init__(self, folder: Path, home: Home, *, threads: int = 0) -> None:
        self._home = home
        self._threads = threads
        self._project = load_project(folder)
        self._embedder = placed_setting(self._project.assistant.knowledge.embedder, folder)
        self._verified = VerifiedFiles(home.cache / "verified")
        self._place = home.cache / "indexes" / hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:24]

    def index(self, *, rebuild: bool = False, progress: Progress = SILENT) -> ProjectIndex:
        """Return the index; read, embed and write what changed, or with `rebuild` everything."""
        with contextlib.ExitStack() as stack:
            _, pack, fresh = self._open_index(stack, rebuild=rebuild, progress=progress)
            if pack is None:
                return ProjectIndex("", (), 0, fresh, "")
            arrays = KnowledgeArrays.from_pack(pack)
            return ProjectIndex(
                str(pack.path),
                _described(arrays),
                len(arrays.passages),
                fresh,
                arrays.embedder.name if arrays.embedder else "",
                tuple(_notes(arrays)),
            )

    def build(self, destination: Path, *, sources: bool, strict: bool, progress: Progress = SILENT) -> BuiltPack:
        """Write the project's pack.

        Raises:
            UnreadableFilesError: with `strict`, when a file could not be read.
            ProjectFormatError, OpenApiError, McpFileError: its tools are not what they must be; names file and key.
        """
        project = self._project
        check_tools(project)
        with contextlib.ExitStack() as stack:
            inputs, pack, _ = self._open_index(stack, rebuild=False, progress=progress)
            arrays = KnowledgeArrays.from_pack(pack) if pack is not None else None
            entries: list[tuple[str, bytes | Path | NDArray[Any]]] = list(project_entries(project))
            if arrays is not None:
                unread = [file for file in arrays.files if file.problem and not file.bytes]
                if strict and unread:
                    reasons = "; ".join(f"{file.name}: {file.problem}" for file in unread)
                    raise UnreadableFilesError(count=len(unread), reasons=reasons)
                if sources:
                    paths = {entry.file.name: entry.path for entry in inputs if entry.path is not None}
                    files, source_entries = name_sources(arrays.files, paths)
                    arrays = dataclasses.replace(arrays, files=files)
                    entries += source_entries
                entries += arrays.entries()
            manifest = seal(
                project.assistant,
                examples=len(project.examples),
                embedder=arrays.embedder if arrays is not None else None,
                analyser=arrays.analyser if arrays is not None else None,
            )
            written = write_pack(destination, manifest, entries, progress=progress)
            return BuiltPack(
                str(written.path),
                written.pack_id,
                written.size,
                _described(arrays) if arrays is not None else (),
                len(arrays.passages) if arrays is not None else 0,
                (*(_notes(arrays) if arrays is not None else ()), *_shortcomings(project, knows_files=bool(inputs))),
            )

    def _open_index(
        self, stack: contextlib.ExitStack, *, rebuild: bool, progress: Progress
    ) -> tuple[list[KnowledgeInput], Pack | None, bool]:
        """Open the pack in the cache that holds the arrays of the files as they are, made now if need be."""
        origin = self._origin(stack)
        hashes = FileHashes(self._place / "hashes.json")
        inputs = knowledge_inputs(self._project, hashes, origin)
        if not inputs:
            return [], None, True
        hashes.save()
        fingerprint = build_fingerprint(self._embedder, self._home)
        if origin is not None and not self._cuts_as(origin, fingerprint):
            inputs = cut_anew(inputs)
        path = self._place / f"{self._key(inputs, fingerprint, origin)}.pack"
        if not rebuild and (pack := self._sound(stack, path)) is not None:
            return inputs, pack, True
        with self._alone(progress):
            if rebuild or (pack := self._sound(stack, path)) is None:
                self._write_index(path, inputs, origin, rebuild=rebuild, progress=progress)
                pack = stack.enter_context(open_pack(path, verify=False))
        for old in self._place.glob("*.pack"):
            if old != path:
                old.unlink(missing_ok=True)
        return inputs, pack, False

    def _write_index(
        self, path: Path, inputs: Sequence[KnowledgeInput], origin: Pack | None, *, rebuild: bool, progress: Progress
    ) -> None:
        assistant = self._project.assistant
        cache = VectorCache(self._home)
        with contextlib.ExitStack() as stack:
            launch = KnownSandbox(self._home.cache).launch
            reader = stack.enter_context(DocumentReader(launch=launch))
            texts = TextCache(self._home.cache / "texts")
            pictures = self._picture_reading(stack, inputs, launch)
            files = read_files(inputs, reader, texts, pictures=pictures, fresh=rebuild, progress=progress)
            embedder = build_embedder(self._embedder, self._home, threads=self._threads)
            stack.callback(embedder.close)
            packs = [] if rebuild else [pack for pack in (origin, self._own_pack(stack)) if pack is not None]
            settings = PassageSettings(assistant.retrieval.passage_tokens, assistant.retrieval.overlap_tokens)
            arrays = index_files(
                files,
                settings,
                embedder,
                [PackVectors(pack) for pack in packs] + ([] if rebuild else [cache]),
                cache,
                progress=progress,
            )
        manifest = seal(assistant, examples=0, embedder=arrays.embedder, analyser=arrays.analyser)
        write_pack(path, manifest, arrays.entries(), progress=progress)

    def _picture_reading(
        self, stack: contextlib.ExitStack, inputs: Sequence[KnowledgeInput], launch: Launch
    ) -> PictureReading | None:
        """Return what reads pictures, where any are to be read; None without the extra, which is said file by file."""
        recogniser = recogniser_version() if any(entry.read_pictures for entry in inputs) else ""
        if not recogniser:
            return None
        cache = PageCache(self._home.cache / "pictures", recogniser)
        reader = stack.enter_context(PictureReader(cache, threads=usable_threads(self._threads), launch=launch))
        return PictureReading(reader, recogniser)

    @contextlib.contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        """Wait for another process that is indexing this project: what it leaves behind is what we want as well."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self._place / "index"))
            except BusyError:
                progress("waiting for another Satchel process", 0, None)
                stack.enter_context(locked(self._place / "index", wait=True))
            yield

    def _origin(self, stack: contextlib.ExitStack) -> Pack | None:
        path = self._project.origin_pack
        return stack.enter_context(self._verified.verify_once(path).open()) if path is not None else None

    def _own_pack(self, stack: contextlib.ExitStack) -> Pack | None:
        """Return the pack that lies beside the folder under its name, if it is this assistant's and sound."""
        folder = self._project.folder.absolute()
        pack = self._sound(stack, folder.parent / f"{folder.name}.pack")
        return pack if pack is not None and pack.manifest.identity.id == self._project.assistant.id else None

    def _cuts_as(self, origin: Pack, fingerprint: EmbedderFingerprint) -> bool:
        sealed, wished = origin.manifest.retrieval, self._project.assistant.retrieval
        sizes = (sealed.passage_tokens, sealed.overlap_tokens)
        return sizes == (wished.passage_tokens, wished.overlap_tokens) and origin.manifest.embedder == fingerprint

    def _sound(self, stack: contextlib.ExitStack, path: Path) -> Pack | None:
        """Open a pack that need not be there; one that is damaged counts as absent, since it can be made again."""
        with contextlib.suppress(PackError):
            return stack.enter_context(self._verified.verify_once(path).open())
        return None

    def _key(self, inputs: Sequence[KnowledgeInput], fingerprint: EmbedderFingerprint, origin: Pack | None) -> str:
        """Hash all that the arrays depend on."""
        retrieval = self._project.assistant.retrieval
        parts = {
            "versions": [_INDEX_VERSION, EXTRACTION_VERSION, msgspec.to_builtins(analyser_fingerprint([]))],
            "files": [msgspec.to_builtins(entry.file) for entry in inputs],
            "passages": [retrieval.passage_tokens, retrieval.overlap_tokens],
            "embedder": msgspec.to_builtins(fingerprint),
            "origin": origin.pack_id if origin is not None else "",
        }
        if pictured := [entry.file.name for entry in inputs if entry.read_pictures]:
            parts["pictures"] = [recogniser_version(), pictured]
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:32]


def _shortcomings(project: Project, *, knows_files: bool) -> Iterator[str]:
    """Yield what a pack can be built with and its author will hardly want."""
    if not knows_files:
        yield "It has no knowledge files, so it answers from its instructions alone; `satchel add` brings some."
    cases = project.optional_file(CASES_FILE)
    try:
        if cases is not None:
            read_cases(cases.read_bytes(), cases)
    except ProjectFormatError as error:
        yield f"The saved cases cannot be used: {error.message} {error.advice}"


def _described(arrays: KnowledgeArrays) -> tuple[IndexedFile, ...]:
    return tuple(
        IndexedFile(
            file.name,
            file.media_type,
            file.language,
            file.pages,
            file.characters,
            len(arrays.rows_of_file(number)),
            file.problem,
            sum(last - first + 1 for first, last in file.picture_pages),
        )
        for number, file in enumerate(arrays.files)
    )


def _notes(arrays: KnowledgeArrays) -> Iterator[str]:
    fingerprint = arrays.embedder
    if fingerprint is None:
        return
    foreign = sorted({file.language for file in arrays.files if not speaks(fingerprint, file.language)} - {""})
    if foreign:
        yield (
            f"{fingerprint.name} was not made for {', '.join(map(language_name, foreign))}: such files are found by "
            "their words, hardly by their meaning, and what is found or said of them is not checked. "
            'For better answers set embedder = "multilingual" under [knowledge] in assistant.toml.'
        )
