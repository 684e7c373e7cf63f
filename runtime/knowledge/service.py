"""The process that searches and quotes (`worker.service`): packs are mapped and questions embedded here."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from satchel.runtime.errors import SatchelError
from satchel.runtime.knowledge.answers import (
    KnowledgeAnswer,
    KnowledgeSummary,
    KnowledgeWarning,
    PageText,
    Quotation,
)
from satchel.runtime.knowledge.bit_cache import FEWEST_ROWS, BitCache
from satchel.runtime.knowledge.checking import Evidence, check_answer
from satchel.runtime.knowledge.definitions import with_definitions
from satchel.runtime.knowledge.embedders.choose import query_embedder
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.gate import load_gate
from satchel.runtime.knowledge.index import KnowledgeArrays
from satchel.runtime.knowledge.quote import Quoter
from satchel.runtime.knowledge.reader.bundled import load_reader
from satchel.runtime.knowledge.reader.reader import Reader
from satchel.runtime.knowledge.rerank import CANDIDATES_PER_PASSAGE, rerank
from satchel.runtime.knowledge.search import Searcher, SearchResult
from satchel.runtime.knowledge.sentence_scorer import SentenceScorer
from satchel.runtime.knowledge.why import explain_files
from satchel.runtime.packfile.errors import UnknownKnowledgeFileError
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.paths import Home
from satchel.runtime.worker.service import Call, Method


def methods() -> Mapping[str, Method]:
    """Return the table of methods."""
    service = KnowledgeService()
    return {
        "open": service.open,
        "ask": service.ask,
        "check": service.check,
        "explain": service.explain,
        "page": service.page,
    }


class KnowledgeService:
    """One opened body of knowledge; `open` comes first."""

    def __init__(self, *, fewest_for_bits: int = FEWEST_ROWS) -> None:
        self._fewest_for_bits = fewest_for_bits
        self._arrays: KnowledgeArrays | None = None
        self._searcher: Searcher | None = None
        self._loaded_reader: Reader | None = None
        self._scorer: SentenceScorer | None = None
        self._rerank = False
        self._query_embedder: LlamaEmbedder | None = None
        self._threads = 0
        self._path = Path()
        self._home = Home(Path(), Path(), Path())
        self._warnings: tuple[KnowledgeWarning, ...] = ()
        self._reader_warnings: tuple[KnowledgeWarning, ...] = ()

    def open(self, params: dict[str, Any], _call: Call) -> Any:
        """Map a verified pack and load the model that embeds questions; `KnowledgeClient.open` tells the rest."""
        verified = VerifiedPack.from_params(params["pack"])
        home = Home(**{name: Path(path) for name, path in params["home"].items()})
        arrays = self._with_bits(KnowledgeArrays.from_pack(verified.open()), verified.pack_id, home)
        embedder = self._embedder(arrays, home, params["threads"])
        self._path = verified.path
        self._arrays = arrays
        gate = load_gate(params["gate"], arrays.embedder)
        self._searcher = Searcher(arrays, embedder.embed_query if embedder is not None else None, gate=gate)
        self._scorer, self._query_embedder = None, embedder
        self._rerank = params["rerank"]
        self._home, self._threads = home, params["threads"]
        languages = tuple(sorted({file.language for file in arrays.files} - {""}))
        summary = KnowledgeSummary(
            len(arrays.files),
            len(arrays.passages),
            languages,
            trusted=tuple(file.name for file in arrays.files if file.trusted),
            public=tuple(file.name for file in arrays.files if file.public),
        )
        return msgspec.to_builtins(summary)

    def ask(self, params: dict[str, Any], call: Call) -> Any:
        """Search and, when asked to, quote."""
        assert self._searcher is not None  # the client opens first
        started = time.perf_counter()
        found = self._find(params["question"], params["k"], self._numbers(params["files"]))
        searched = time.perf_counter()
        call.check()
        quotations: tuple[Quotation, ...] = ()
        if params["quote"]:
            quoter = Quoter(self._sentences(), self._reader())
            read = found if self._rerank else with_definitions(self._searcher, found)
            languages = [self._searcher.language(hit.file_number) for hit in read.hits]
            quotations = quoter.quote(read, languages)
        timings = {"find": (searched - started) * 1000}
        if params["quote"]:
            timings["quote"] = (time.perf_counter() - searched) * 1000
        answer = KnowledgeAnswer(
            passages=tuple(hit.passage for hit in found.hits),
            below_gate=found.below_gate,
            quotations=quotations,
            warnings=(*self._warnings, *self._reader_warnings, *found.warnings),
            timings_ms=timings,
        )
        return msgspec.to_builtins(answer)

    def check(self, params: dict[str, Any], _call: Call) -> Any:
        """Lay the sentences of an answer beside the passages that the model was shown."""
        assert self._arrays is not None  # the client opens first
        languages = {file.name: file.language for file in self._arrays.files}
        evidence = [Evidence(text, languages[file]) for file, text in params["passages"]]
        return msgspec.to_builtins(check_answer(params["answer"], evidence))

    def explain(self, params: dict[str, Any], _call: Call) -> Any:
        """Tell how every file did."""
        assert self._searcher is not None  # the client opens first
        found = self._find(params["question"], params["k"], None)
        return msgspec.to_builtins(explain_files(self._searcher, found))

    def page(self, params: dict[str, Any], _call: Call) -> Any:
        """Return the text of one page."""
        assert self._arrays is not None  # the client opens first
        numbers = self._numbers([params["file"]])
        assert numbers  # one for the one name
        return msgspec.to_builtins(page_text(self._arrays, numbers[0], params["page"]))

    def _with_bits(self, arrays: KnowledgeArrays, pack_id: str, home: Home) -> KnowledgeArrays:
        """Return them with what a scan of many passages reads; derived at the pack's first run, mapped afterwards."""
        if arrays.vectors is None:
            return arrays
        vectors = BitCache(home.cache / "bits").with_bits(arrays.vectors, pack_id, fewest=self._fewest_for_bits)
        return replace(arrays, vectors=vectors)

    def _find(self, question: str, k: int, files: list[int] | None) -> SearchResult:
        assert self._searcher is not None  # the client opens first
        if not self._rerank:
            return self._searcher.search(question, k, allowed_files=files)
        found = self._searcher.search(question, k * CANDIDATES_PER_PASSAGE, allowed_files=files)
        return rerank(found, self._reader() or self._sentences(), k)

    def _reader(self) -> Reader | None:
        """The trained Reader, loaded when first needed; it knows English alone, so other languages do without.

        Where it is damaged, the sentence scorer goes on alone, and the person is told with every answer.
        """
        assert self._searcher is not None  # the client opens first
        languages = {self._searcher.language(number) for number in range(len(self._searcher.arrays.files))}
        if self._loaded_reader is None and not self._reader_warnings and languages & {"en", ""}:
            try:
                self._loaded_reader = load_reader(self._home, threads=self._threads)
            except SatchelError as error:
                self._reader_warnings = (_warning(error),)
        return self._loaded_reader

    def _sentences(self) -> SentenceScorer:
        assert self._searcher is not None  # the client opens first
        self._scorer = self._scorer or SentenceScorer(self._searcher.analyser, self._query_embedder)
        return self._scorer

    def _embedder(self, arrays: KnowledgeArrays, home: Home, threads: int) -> LlamaEmbedder | None:
        if arrays.embedder is None:
            return None
        try:
            return query_embedder(arrays.embedder, home, threads=threads)
        except SatchelError as error:
            # Keyword search goes on without it.
            self._warnings = (_warning(error),)
            return None

    def _numbers(self, names: Iterable[str] | None) -> list[int] | None:
        if names is None:
            return None
        assert self._arrays is not None  # the client opens first
        known = {file.name: number for number, file in enumerate(self._arrays.files)}
        for name in names:
            if name not in known:
                raise UnknownKnowledgeFileError(path=self._path, file=name, known=", ".join(known) or "none")
        return [known[name] for name in names]


def _warning(error: SatchelError) -> KnowledgeWarning:
    return KnowledgeWarning(error.code(), f"{error.message} {error.advice}".strip())


def page_text(arrays: KnowledgeArrays, number: int, page: int | None) -> PageText:
    """Return a page of a file, counted from 1; the whole file where it has no pages or none is asked for."""
    file = arrays.files[number]
    text = arrays.file_text(number)
    if page is None or not file.pages:
        return PageText(file.name, None, "", 0, text)
    first_byte = sum(entry.bytes for entry in arrays.files[:number])
    starts = [int(start) - first_byte for start in arrays.pages[arrays.pages[:, 0] == number][:, 1]]
    encoded = text.encode()
    at = min(max(page, 1), len(starts))
    end = starts[at] if at < len(starts) else len(encoded)
    labels = arrays.page_labels.get(number, ())
    return PageText(
        file.name,
        at,
        labels[at - 1] if labels else "",
        len(encoded[: starts[at - 1]].decode()),
        encoded[starts[at - 1] : end].decode(),
    )
