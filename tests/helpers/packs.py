"""Small builders of packs, sound ones, and the knives to damage them with."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.packfile import canonical, names
from satchel.runtime.packfile.documents import encode_files
from satchel.runtime.packfile.layout import MIMETYPE_CONTENT, lay_out
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.schema_v1 import (
    AnalyserFingerprint,
    Entry,
    Identity,
    KnowledgeFile,
    Manifest,
    Persona,
    Retrieval,
    Sampling,
    Signature,
)
from satchel.runtime.packfile.writer import write_pack

Entries = dict[str, Any]
"""Entry name to bytes, file or array, as `write_pack` takes them."""

IDENTITY = Identity(id="6f1c5b1e-3c1d-4a52-9d5b-0f8e2a7c4b10", name="Tide tutor", version="1.0.0", author="A. Author")
DIMENSION = 8
TEXTS = {
    "tides.md": "Tides rise twice a day.\n\nThe Moon pulls the sea; the Sun helps at new moon — spring tides.",
    "häfen/emden.md": "Emden liegt an der Ems.\n\nDer Hafen fällt nicht trocken. Größe: 😀 zählt als ein Zeichen.",
}


def manifest(**changes: Any) -> Manifest:
    """A manifest with every key at a plain value; `changes` replace whole keys."""
    plain = Manifest(
        identity=IDENTITY,
        persona=Persona(description="Explains tides.", greeting="Ahoy!", starters=("When is high tide?",)),
        attribution="",
        examples=0,
        models=(),
        adapter=None,
        sampling=Sampling(
            temperature="0.2",
            top_p="0.95",
            top_k=40,
            min_p="0.05",
            repeat_penalty="1.05",
            max_tokens=512,
            seed=None,
        ),
        retrieval=Retrieval(passage_tokens=200, overlap_tokens=32, k=6, gate="auto", rerank=False),
        embedder=None,
        analyser=None,
        tools=(),
    )
    return msgspec.structs.replace(plain, **changes)


def knowing_manifest(*, dimension: int = DIMENSION, **changes: Any) -> Manifest:
    """A manifest whose pack may hold vectors and a keyword index."""
    embedder = EmbedderFingerprint(
        name="tiny", weights_sha256="ab" * 32, dimension=dimension, pooling="mean", max_tokens=256
    )
    analyser = AnalyserFingerprint(name="words", version="1", languages=("en",))
    return manifest(**{"embedder": embedder, "analyser": analyser, **changes})


def plain_entries() -> Entries:
    """The entries of an assistant without knowledge."""
    return {"README.txt": b"A Satchel pack.\n", "instructions.md": "Answer briefly — and kindly.\n".encode()}


def knowledge_entries(
    texts: Mapping[str, str] = TEXTS, *, dimension: int = DIMENSION, sources: bool = True, seed: int = 1
) -> Entries:
    """The arrays and documents of DESIGN 4 for these files: a passage a paragraph, random vectors, words."""
    files, spans, words = [], [], []
    entries: Entries = {}
    start = 0
    for number, (name, text) in enumerate(texts.items()):
        content = text.encode()
        source = f"knowledge/sources/{number + 1:04}.md" if sources else ""
        if source:
            entries[source] = content
        files.append(_file(name, text, source))
        for place, first, paragraph in _paragraphs(text):
            last = first + len(paragraph)
            spans.append((number, start + place, start + place + len(paragraph.encode()), first, last))
            words.append([word.casefold() for word in paragraph.split()])
        start += len(content)
    entries[names.FILES] = encode_files(tuple(files))
    entries[names.TEXT] = "".join(texts.values()).encode()
    entries[names.PASSAGES] = np.array(spans, np.uint32).reshape(-1, 5)
    return entries | vector_entries(len(spans), dimension, seed=seed) | keyword_entries(words)


def vector_entries(passages: int, dimension: int = DIMENSION, *, seed: int = 1) -> Entries:
    """Random unit vectors in two planes and a scale, by the formula of DESIGN 3.4."""
    vectors = np.random.default_rng(seed).standard_normal((passages, dimension), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scale = np.abs(vectors).max(axis=1, initial=0) / np.float32(127)
    scaled = vectors / scale[:, None]
    high = np.rint(scaled)
    low = np.rint((scaled - high) * np.float32(254))
    return {
        names.VECTORS_HIGH: high.astype(np.int8),
        names.VECTORS_LOW: low.astype(np.int8),
        names.VECTORS_SCALE: scale.astype(np.float32),
    }


def keyword_entries(words: Sequence[Sequence[str]]) -> Entries:
    """A keyword index over the words of each passage."""
    postings: dict[str, list[tuple[int, int]]] = {}
    for number, passage in enumerate(words):
        for word, count in Counter(passage).items():
            postings.setdefault(word, []).append((number, count))
    terms = sorted(postings, key=str.encode)
    found = [postings[term] for term in terms]
    flat = [posting for rows in found for posting in rows]
    return {
        names.BM25_TERMS: "".join(terms).encode(),
        names.BM25_TERM_STARTS: _starts([len(term.encode()) for term in terms], np.uint32),
        names.BM25_POSTINGS: _starts([len(rows) for rows in found], np.uint64),
        names.BM25_PASSAGES: np.array([number for number, _ in flat], np.uint32),
        names.BM25_COUNTS: np.array([count for _, count in flat], np.uint16),
        names.BM25_LENGTHS: np.array([len(passage) for passage in words], np.uint32),
    }


def write_plain_pack(path: Path, **changes: Any) -> Path:
    """A pack of instructions alone."""
    return write_pack(path, manifest(**changes), plain_entries().items()).path


def write_knowing_pack(
    path: Path, texts: Mapping[str, str] = TEXTS, *, dimension: int = DIMENSION, seed: int = 1, **changes: Any
) -> Path:
    """A pack that knows these files, with vectors and a keyword index."""
    entries = plain_entries() | knowledge_entries(texts, dimension=dimension, seed=seed)
    return write_pack(path, knowing_manifest(dimension=dimension, **changes), entries.items()).path


def contents_of(path: Path) -> dict[str, bytes]:
    """All entries of a pack's table."""
    with open_pack(path, verify=True) as pack:
        return {name: pack.read(name) for name in pack.names}


def forge_pack(
    path: Path,
    forged: Manifest,
    contents: Mapping[str, bytes],
    *,
    rewrite: Callable[[bytes], bytes] = bytes,
) -> Path:
    """A file whose headers, sizes and checksums are all right, whatever its manifest and contents say.

    Entries keep the order given; `rewrite` has the last word on the manifest's bytes.
    """
    table = tuple(
        Entry(
            name=name,
            size=len(content),
            crc32=f"{zlib.crc32(content):08x}",
            sha256=hashlib.sha256(content).hexdigest(),
        )
        for name, content in contents.items()
    )
    manifest_bytes = rewrite(canonical.encode(msgspec.structs.replace(forged, entries=table)))
    layout = lay_out(manifest_bytes, table)
    bodies = [MIMETYPE_CONTENT, manifest_bytes, *contents.values()]
    path.write_bytes(
        b"".join(placement.header + body for placement, body in zip(layout.placements, bodies, strict=True))
        + layout.tail
    )
    return path


def sign(path: Path, signature: Signature | bytes) -> Path:
    """Append a `signature.json` with the headers that belong to it."""
    with open_pack(path, verify=True) as pack:
        manifest_bytes = canonical.encode(pack.manifest)
        unsigned, entries = pack.layout, pack.manifest.entries
    content = signature if isinstance(signature, bytes) else canonical.encode(signature)
    signed = lay_out(manifest_bytes, entries, content)
    body = path.read_bytes()[: unsigned.tail_offset]
    path.write_bytes(body + signed.placements[-1].header + content + signed.tail)
    return path


def _file(name: str, text: str, source: str) -> KnowledgeFile:
    content = text.encode()
    return KnowledgeFile(
        name=name,
        media_type="text/markdown",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        source=source,
        bytes=len(content),
        characters=len(text),
        pages=0,
        language="en",
        trusted=False,
        public=False,
        problem="",
    )


def _paragraphs(text: str) -> list[tuple[int, int, str]]:
    """Each paragraph with where it begins, in bytes and in characters."""
    found, place, first = [], 0, 0
    for paragraph in text.split("\n\n"):
        if paragraph:
            found.append((place, first, paragraph))
        place += len(paragraph.encode()) + 2
        first += len(paragraph) + 2
    return found


def _starts(lengths: Sequence[int], dtype: type[np.unsignedinteger[Any]]) -> np.ndarray[Any, Any]:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(dtype)
