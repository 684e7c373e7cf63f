"""Reading, cutting and embedding files: nothing that is known is done again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from helpers.harbour import GATE, TIDES, Harbour
from helpers.project_folders import write_files

from satchel.kernels import ops
from satchel.kernels.arrays import QuantisedRows
from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.documents import ExtractedText, PassageSpan
from satchel.runtime.knowledge.embedders.choose import build_fingerprint, query_embedder
from satchel.runtime.knowledge.embedders.llama_embedder import LlamaEmbedder
from satchel.runtime.knowledge.embedders.vector_cache import VectorCache
from satchel.runtime.knowledge.extract.reader import DocumentReader
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.knowledge.ingest import KeptText, KnowledgeInput, find_vectors, index_files, read_files
from satchel.runtime.knowledge.passages import PassageSettings
from satchel.runtime.knowledge.text_cache import TextCache
from satchel.runtime.packfile.schema_v1 import KnowledgeFile

TEXTS = [f"Boat number {number} lies at pier {number % 7}." for number in range(300)]


class KnowsSome:
    """A source of vectors that knows the texts it was given, and remembers what it was asked for."""

    def __init__(self, texts: Sequence[str], embedder: LlamaEmbedder) -> None:
        self.asked: list[str] = []
        self._rows = dict(zip(texts, embedder.embed_passages(list(texts)) if texts else (), strict=True))

    def find(self, texts: Sequence[str], fingerprint: EmbedderFingerprint) -> tuple[list[int], QuantisedRows]:
        self.asked += texts
        places = [place for place, text in enumerate(texts) if text in self._rows]
        found = [self._rows[texts[place]] for place in places]
        return places, ops.quantise(np.array(found, np.float32).reshape(-1, fingerprint.dimension))


@pytest.fixture(scope="module")
def embedder(harbour: Harbour) -> Iterator[LlamaEmbedder]:
    embedder = query_embedder(build_fingerprint("default", harbour.home), harbour.home)
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


@pytest.fixture
def texts(tmp_path: Path) -> TextCache:
    return TextCache(tmp_path / "texts")


def described(name: str, content: str = "", **changes) -> KnowledgeFile:
    file = KnowledgeFile(
        name=name,
        media_type="",
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        size=len(content.encode()),
        source="",
        bytes=0,
        characters=0,
        pages=0,
        language="",
        trusted=False,
        public=False,
        problem="",
    )
    return msgspec.structs.replace(file, **changes)


def vectors_of(rows: QuantisedRows) -> np.ndarray:
    return rows.scale[:, None] * (rows.high + rows.low / np.float32(254))


def test_a_file_gets_its_text_its_type_and_its_language(tmp_path, reader, texts):
    write_files(tmp_path, {"tides.md": TIDES})

    (read,) = read_files([KnowledgeInput(described("a/tides.md", TIDES), tmp_path / "tides.md")], reader, texts)

    assert "spring tide" in read.extracted.text
    assert (read.file.media_type, read.file.language, read.file.problem) == ("text/markdown", "en", "")
    assert read.kept_passages is None


def test_the_authors_word_on_the_language_stands(tmp_path, reader, texts):
    write_files(tmp_path, {"tides.md": TIDES})

    (read,) = read_files(
        [KnowledgeInput(described("tides.md", TIDES, language="nl"), tmp_path / "tides.md")], reader, texts
    )

    assert read.file.language == "nl"


def test_a_file_that_changed_since_it_was_hashed_is_described_as_it_was_read(tmp_path, reader, texts):
    write_files(tmp_path, {"gate.txt": GATE})

    (read,) = read_files([KnowledgeInput(described("gate.txt", "before"), tmp_path / "gate.txt")], reader, texts)

    assert (read.file.sha256, read.file.size) == (hashlib.sha256(GATE.encode()).hexdigest(), len(GATE))
    assert texts.get(read.file.sha256, ".txt") == read.extracted
    assert texts.get(described("gate.txt", "before").sha256, ".txt") is None


def test_a_file_that_vanished_is_left_out_by_its_whole_name(tmp_path, reader, texts):
    (read,) = read_files([KnowledgeInput(described("deep/none.md"), tmp_path / "none.md")], reader, texts)

    assert read.extracted.text == ""
    assert read.file.problem.startswith("deep/none.md is not there (any more).")


def test_what_was_wrong_before_reading_stays_the_reason(tmp_path, reader, texts):
    file = described("a.md", problem="it cannot be opened: permission denied")

    (read,) = read_files([KnowledgeInput(file, tmp_path / "a.md")], reader, texts)

    assert read.file.problem == "it cannot be opened: permission denied"


def test_a_text_in_the_cache_is_not_read_again_unless_asked_to(tmp_path, reader, texts):
    write_files(tmp_path, {"gate.txt": GATE})
    entry = KnowledgeInput(described("gate.txt", GATE), tmp_path / "gate.txt")
    texts.put(entry.file.sha256, ".txt", ExtractedText("text/plain", "planted"))

    assert read_files([entry], reader, texts)[0].extracted.text == "planted"
    assert "flood gate" in read_files([entry], reader, texts, fresh=True)[0].extracted.text


def test_a_kept_text_is_taken_as_it_is(reader, texts):
    kept = KeptText(ExtractedText("text/plain", "High water."), (PassageSpan(0, 11),))

    (read,) = read_files([KnowledgeInput(described("a.txt"), None, kept)], reader, texts)

    assert read.extracted is kept.extracted
    assert read.kept_passages == kept.passages


def test_vectors_come_from_the_first_source_that_knows_them_in_the_passages_order(embedder, home):
    first, second = KnowsSome(TEXTS[:2], embedder), KnowsSome(TEXTS[1:4], embedder)
    cache = VectorCache(home)
    asked = [TEXTS[5], TEXTS[0], TEXTS[3], TEXTS[5], TEXTS[1]]

    rows = find_vectors(asked, embedder, [first, second, cache], cache)

    # Not bit for bit: llama.cpp's last bits depend on what else is in a batch.
    np.testing.assert_allclose(vectors_of(rows), embedder.embed_passages(asked), atol=2e-3)
    assert first.asked == asked
    assert second.asked == [TEXTS[5], TEXTS[3], TEXTS[5]]
    assert cache.find(asked, embedder.fingerprint)[0] == [0, 3]


def test_nothing_is_asked_once_all_is_known(embedder, home):
    known, never = KnowsSome(TEXTS[:3], embedder), KnowsSome([], embedder)

    find_vectors(TEXTS[:3], embedder, [known, never], VectorCache(home))

    assert never.asked == []


def test_cancelled_after_a_batch_that_batch_is_kept(embedder, home):
    cache = VectorCache(home)

    def cancel(_stage: str, done: int, _total: int | None) -> None:
        if done > 256:
            raise CancelledError

    with pytest.raises(CancelledError):
        find_vectors(TEXTS, embedder, [cache], cache, progress=cancel)

    assert cache.find(TEXTS, embedder.fingerprint)[0] == list(range(256))


def test_steps_count_all_passages_and_never_go_back(embedder, home):
    known = KnowsSome(TEXTS[:10], embedder)
    steps: list[tuple[str, int, int | None]] = []

    find_vectors(TEXTS, embedder, [known], VectorCache(home), progress=lambda *step: steps.append(step))

    assert {(stage, total) for stage, _, total in steps} == {("embedding passages", 300)}
    counts = [done for _, done, _ in steps]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (10, 300)


def test_files_without_text_take_part_without_passages(embedder, home, reader, texts, tmp_path):
    write_files(tmp_path, {"gate.txt": GATE})
    inputs = [
        KnowledgeInput(described("empty.txt", problem="it is empty"), None),
        KnowledgeInput(described("gate.txt", GATE), tmp_path / "gate.txt"),
    ]
    cache = VectorCache(home)

    arrays = index_files(read_files(inputs, reader, texts), PassageSettings(), embedder, [cache], cache)

    assert [(file.name, file.bytes > 0) for file in arrays.files] == [("empty.txt", False), ("gate.txt", True)]
    assert arrays.passages[:, 0].tolist() == [1]
    assert arrays.vectors is not None
    assert arrays.vectors.high.shape == (1, 384)
