"""Reading and writing a pack's JSON documents: the schema, and the rules that no schema can say."""

from __future__ import annotations

import re

import msgspec

from satchel.runtime.packfile import canonical, names
from satchel.runtime.packfile.canonical import SchemaError
from satchel.runtime.packfile.limits import DIMENSION, entry_limit, size_in_words
from satchel.runtime.packfile.schema_v1 import FORMAT, TEXT_PATTERN, KnowledgeFile, Manifest, PageLabels, Signature

_TEXT = re.compile(TEXT_PATTERN)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class NewerFormatError(Exception):
    """The manifest says a format that is above ours."""

    def __init__(self, found: int) -> None:
        super().__init__(found)
        self.found = found


class _Probe(msgspec.Struct):
    format: int


def decode_manifest(content: bytes) -> Manifest:
    """Return the manifest whose canonical bytes are `content`.

    Raises:
        NewerFormatError: made by a newer Satchel.
        SchemaError: anything else; names the key.
    """
    try:
        manifest = canonical.decode(content, Manifest, names.MANIFEST)
    except SchemaError:
        # Only now, because a newer format may have other keys and the usual case should parse once.
        try:
            found = msgspec.json.decode(content, type=_Probe).format
        except (ValueError, RecursionError):
            found = FORMAT
        if found > FORMAT:
            raise NewerFormatError(found) from None
        raise
    check_manifest(manifest)
    return manifest


def check_manifest(manifest: Manifest) -> None:
    """Check what spans several keys: the table's order and names, sizes by name, settings that depend on each other.

    Raises:
        SchemaError: names the key.
    """
    _check_entries(manifest)
    for number, tool in enumerate(manifest.tools):
        for key, value in tool.settings.items():
            if isinstance(value, str) and not _TEXT.match(value):
                raise SchemaError(f"tools[{number}].settings.{key}", "it has control characters")
    if manifest.retrieval.overlap_tokens >= manifest.retrieval.passage_tokens:
        raise SchemaError("retrieval.overlap_tokens", "it is not below passage_tokens")
    if (embedder := manifest.embedder) is not None:
        if not 1 <= embedder.dimension <= DIMENSION:
            raise SchemaError("embedder.dimension", f"it is not within 1 and {DIMENSION}")
        if embedder.max_tokens < 1:
            raise SchemaError("embedder.max_tokens", "it is below 1")
        if embedder.pooling not in {"mean", "cls"}:
            raise SchemaError("embedder.pooling", "it is neither mean nor cls")
        if not _SHA256.fullmatch(embedder.weights_sha256):
            raise SchemaError("embedder.weights_sha256", "it is no SHA-256 in lower-case hex")


def _check_entries(manifest: Manifest) -> None:
    before = b""
    seen: set[str] = set()
    for number, entry in enumerate(manifest.entries):
        if problem := names.entry_name_problem(entry.name):
            raise SchemaError(f"entries[{number}].name", f"{entry.name!r:.120}: {problem}")
        encoded = entry.name.encode()
        if encoded <= before:
            raise SchemaError(f"entries[{number}].name", f"{entry.name!r:.120} is not after the name before it")
        key = names.collision_key(entry.name)
        if key in seen:
            raise SchemaError(f"entries[{number}].name", f"{entry.name!r:.120} differs from another only in case")
        seen.add(key)
        before = encoded
        if entry.size > (limit := entry_limit(entry.name)):
            reason = f"{entry.name} has {size_in_words(entry.size)}, at most {size_in_words(limit)} are allowed"
            raise SchemaError(f"entries[{number}].size", reason)


def decode_files(content: bytes) -> tuple[KnowledgeFile, ...]:
    """Return the rows of `knowledge/files.json`.

    Raises:
        SchemaError: names the row and key.
    """
    files = canonical.decode(content, tuple[KnowledgeFile, ...], names.FILES)
    check_files(files)
    return files


def check_files(files: tuple[KnowledgeFile, ...]) -> None:
    """Check names and what spans rows and keys.

    Raises:
        SchemaError: names the row and key.
    """
    seen: set[str] = set()
    sources: set[str] = set()
    for number, file in enumerate(files):
        if problem := names.knowledge_name_problem(file.name):
            raise SchemaError(f"[{number}].name", f"{file.name!r:.120}: {problem}")
        key = names.collision_key(file.name)
        if key in seen:
            raise SchemaError(f"[{number}].name", f"{file.name!r:.120} is there twice")
        seen.add(key)
        if not file.characters <= file.bytes <= 4 * file.characters:
            raise SchemaError(f"[{number}].characters", f"{file.bytes} bytes cannot be {file.characters} characters")
        _check_picture_pages(number, file)
        if file.source:
            if not file.source.startswith(names.SOURCES) or file.source in sources:
                raise SchemaError(f"[{number}].source", f"{file.source!r:.120} is no source of its own")
            sources.add(file.source)


def _check_picture_pages(number: int, file: KnowledgeFile) -> None:
    """Check that runs of pages rise, do not touch, and are pages of the file."""
    before = 0
    for run, (first, last) in enumerate(file.picture_pages):
        if not (before + 1 < first or before == 0) or not first <= last <= file.pages:
            raise SchemaError(f"[{number}].picture_pages[{run}]", f"{first} to {last} are no further pages of the file")
        before = last


def encode_files(files: tuple[KnowledgeFile, ...]) -> bytes:
    """Return the bytes of `knowledge/files.json`.

    Raises:
        SchemaError: names the row and key.
    """
    content = canonical.encode(files)
    decode_files(content)
    return content


def decode_page_labels(content: bytes) -> tuple[PageLabels, ...]:
    """Return the rows of `knowledge/page_labels.json`, by rising file.

    Raises:
        SchemaError: names the row and key.
    """
    rows = canonical.decode(content, tuple[PageLabels, ...], names.PAGE_LABELS)
    for number in range(1, len(rows)):
        if rows[number].file <= rows[number - 1].file:
            raise SchemaError(f"[{number}].file", "the files do not rise")
    return rows


def encode_page_labels(rows: tuple[PageLabels, ...]) -> bytes:
    """Return the bytes of `knowledge/page_labels.json`.

    Raises:
        SchemaError: names the row and key.
    """
    content = canonical.encode(rows)
    decode_page_labels(content)
    return content


def decode_signature(content: bytes) -> Signature:
    """Return what `signature.json` says; whether it is true is another question.

    Raises:
        SchemaError: names the key.
    """
    return canonical.decode(content, Signature, names.SIGNATURE)
