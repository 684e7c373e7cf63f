"""Which names a pack may hold: a closed list, safe to unpack on every system."""

from __future__ import annotations

import re
import unicodedata

from satchel.runtime.packfile.limits import KNOWLEDGE_NAME_BYTES, NAME_BYTES

MIMETYPE = "mimetype"
MANIFEST = "manifest.json"
SIGNATURE = "signature.json"

FILES = "knowledge/files.json"
PAGE_LABELS = "knowledge/page_labels.json"
TEXT = "knowledge/text.utf8"
PAGES = "knowledge/pages.npy"
PASSAGES = "knowledge/passages.npy"
VECTORS_HIGH = "knowledge/vectors/high.npy"
VECTORS_LOW = "knowledge/vectors/low.npy"
VECTORS_SCALE = "knowledge/vectors/scale.npy"
BM25_TERMS = "knowledge/bm25/terms.utf8"
BM25_TERM_STARTS = "knowledge/bm25/term_starts.npy"
BM25_POSTINGS = "knowledge/bm25/postings.npy"
BM25_PASSAGES = "knowledge/bm25/passages.npy"
BM25_COUNTS = "knowledge/bm25/counts.npy"
BM25_LENGTHS = "knowledge/bm25/lengths.npy"

VECTOR_ENTRIES = (VECTORS_HIGH, VECTORS_LOW, VECTORS_SCALE)
BM25_ENTRIES = (BM25_TERMS, BM25_TERM_STARTS, BM25_POSTINGS, BM25_PASSAGES, BM25_COUNTS, BM25_LENGTHS)
SOURCES = "knowledge/sources/"

_FIXED = frozenset(
    {
        *("README.txt", "instructions.md", "examples.jsonl", "avatar.png", "mcp.json", "evals/cases.jsonl"),
        *(FILES, PAGE_LABELS, TEXT, PAGES, PASSAGES, *VECTOR_ENTRIES, *BM25_ENTRIES),
    }
)
_SOURCE = re.compile(r"knowledge/sources/(?!0000)(?:[0-9]{4}|[1-9][0-9]{4})(?:\.[a-z0-9]{1,16})?")
_ACTION = re.compile(r"actions/[^/]+\.openapi\.json")

UNSAFE_CHARACTERS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
"""Control, line-separating and direction-changing characters, and surrogates, as a regular expression's class."""

_UNSAFE = re.compile(f"[{UNSAFE_CHARACTERS}]")
_NOT_ON_WINDOWS = re.compile(r'[<>:"|?*]|[. ](?:/|\Z)')
_DEVICE = re.compile(
    r"(?:\A|/)(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.[^/]*)?(?:/|\Z)", re.IGNORECASE
)
_DRIVE = re.compile(r"\A[A-Za-z]:")


def entry_name_problem(name: str) -> str:
    """Say why `name` cannot be an entry of a format 1 pack; an empty text means that it can."""
    if name in _FIXED or _SOURCE.fullmatch(name):
        return ""
    if not _ACTION.fullmatch(name):
        return "format 1 has no such entry"
    if problem := path_problem(name, NAME_BYTES):
        return problem
    if _NOT_ON_WINDOWS.search(name) or _DEVICE.search(name):
        return "Windows cannot hold a file of that name"
    return ""


def knowledge_name_problem(name: str) -> str:
    """Say why `name` cannot be a knowledge file's name: a relative path with `/`, as it is shown and unpacked."""
    return path_problem(name, KNOWLEDGE_NAME_BYTES)


def path_problem(name: str, most_bytes: int) -> str:
    """Say what is unsafe in a relative path; an empty text means nothing."""
    if _UNSAFE.search(name):
        return "it has control or direction-changing characters"
    if len(name.encode()) > most_bytes:
        return f"it is longer than {most_bytes} bytes"
    if "\\" in name or name.startswith("/") or _DRIVE.search(name):
        return "it is no relative path with forward slashes"
    if any(part in {"", ".", ".."} for part in name.split("/")):
        return "it has an empty, `.` or `..` part"
    if not unicodedata.is_normalized("NFC", name):
        return "it is not in Unicode's composed form (NFC)"
    return ""


def collision_key(name: str) -> str:
    """Return what two names share when a file system that folds case or composes characters takes one for the other."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name.casefold())
