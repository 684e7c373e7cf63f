"""What `manifest.json`, `files.json`, `page_labels.json` and `signature.json` of a format 1 pack hold.

Every key is always written; unknown keys are errors. Limits on lengths and ranges are part of the schema, so that what
reads a pack need not check again.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint
from satchel.runtime.packfile.canonical import DECIMAL_PATTERN
from satchel.runtime.packfile.limits import PACK_BYTES, TABLE_ENTRIES
from satchel.runtime.packfile.names import UNSAFE_CHARACTERS

FORMAT = 1

# `\Z`, because `$` lets a line end pass.
_LINE = rf"\A[^{UNSAFE_CHARACTERS}]*\Z"
TEXT_PATTERN = r"\A[^\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]*\Z"

Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
OptionalSha256 = Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{64})?\Z")]
Crc32 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{8}\Z")]
Size = Annotated[int, Meta(ge=0, le=PACK_BYTES)]
Decimal = Annotated[str, Meta(pattern=rf"\A{DECIMAL_PATTERN}\Z")]
PositiveDecimal = Annotated[str, Meta(pattern=rf"\A(?!0\Z){DECIMAL_PATTERN}\Z")]
Fraction = Annotated[str, Meta(pattern=r"\A(?:0|1|0\.[0-9]{0,5}[1-9])\Z")]
Line = Annotated[str, Meta(max_length=200, pattern=_LINE)]
"""Shown on one line: no control characters, nothing that changes the direction of the text around it."""
LongLine = Annotated[str, Meta(max_length=2000, pattern=_LINE)]
Text = Annotated[str, Meta(max_length=20_000, pattern=TEXT_PATTERN)]
"""Several lines (`\\n`), tabs allowed."""
Language = Annotated[str, Meta(pattern=r"\A(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})?\Z")]
"""A BCP 47 tag, or empty: not detected."""

SettingName = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]
# The text has no pattern here, `documents.check_manifest` looks at its characters: msgspec 0.22 frees wild pointers of
# a union that has a collection and a `str` with a pattern (the process aborts when it ends; a length alone is safe).
Setting = (
    Annotated[str, Meta(max_length=20_000)]
    | Annotated[int, Meta(ge=-(2**53), le=2**53)]
    | bool
    | Annotated[tuple[Text, ...], Meta(max_length=1000)]
)


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose pack this is: `id` stays for an assistant's life, `version` is the author's own wording."""

    id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
    name: Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]
    version: Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE)]
    author: Line


class Persona(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person sees before the first turn."""

    description: Text
    greeting: Text
    starters: Annotated[tuple[Annotated[str, Meta(max_length=2000, pattern=TEXT_PATTERN)], ...], Meta(max_length=64)]


class ModelPreference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model that suits; empty texts and 0 where unknown. Never a file in the pack."""

    name: Line
    family: Line
    parameters: Line
    """As people write it: "135M"."""
    sha256: OptionalSha256
    source: LongLine
    minimum_context: Annotated[int, Meta(ge=0, le=2**24)]
    """Tokens."""


class Adapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The LoRA adapter to put on the model; named, never carried."""

    sha256: Sha256
    source: LongLine


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the next token is chosen; decimals as text."""

    temperature: Decimal
    top_p: Fraction
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)]
    min_p: Fraction
    repeat_penalty: PositiveDecimal
    max_tokens: Annotated[int, Meta(ge=1, le=2**24)]
    seed: Annotated[int, Meta(ge=0, lt=2**32)] | None
    """None: a new one each turn."""


class Retrieval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How knowledge was cut, and how it is searched."""

    passage_tokens: Annotated[int, Meta(ge=1, le=65_536)]
    overlap_tokens: Annotated[int, Meta(ge=0, le=65_536)]
    k: Annotated[int, Meta(ge=1, le=1000)]
    gate: Annotated[str, Meta(pattern=rf"\A(?:auto|off|{DECIMAL_PATTERN})\Z")]
    rerank: bool


class AnalyserFingerprint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which analyser made the keyword index's terms."""

    name: Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]
    version: Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE)]
    languages: Annotated[tuple[Language, ...], Meta(max_length=256)]


class ToolUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tool that the assistant wants, its settings, and the capabilities it asks for: a ceiling, never a grant."""

    name: Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]
    settings: Annotated[dict[SettingName, Setting], Meta(max_length=200)]
    requests: Annotated[tuple[LongLine, ...], Meta(max_length=200)]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry's place in the table; the order is that of the file."""

    name: str
    size: Size
    crc32: Crc32
    sha256: Sha256


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of `manifest.json`; its SHA-256 is the pack id."""

    format: Literal[1] = 1
    identity: Identity
    persona: Persona
    attribution: Text
    examples: Annotated[int, Meta(ge=0, le=1000)]
    """How many lines of examples.jsonl go into the prompt."""
    models: Annotated[tuple[ModelPreference, ...], Meta(max_length=64)]
    adapter: Adapter | None
    sampling: Sampling
    retrieval: Retrieval
    embedder: EmbedderFingerprint | None
    analyser: AnalyserFingerprint | None
    tools: Annotated[tuple[ToolUse, ...], Meta(max_length=256)]
    entries: Annotated[tuple[Entry, ...], Meta(max_length=TABLE_ENTRIES)] = ()
    """Filled in by the writer."""


PageNumber = Annotated[int, Meta(ge=1, le=2**24)]


class KnowledgeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One row of `knowledge/files.json`: a file that the assistant knows, and how its author vouches for it."""

    name: str
    """As the person knows it: a relative path with `/`."""
    media_type: Annotated[str, Meta(max_length=200, pattern=r"\A(?:[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+)?\Z")]
    sha256: OptionalSha256
    """Of the source, whether or not it is in the pack; so is `size`."""
    size: Annotated[int, Meta(ge=0, le=2**53)]
    source: str
    """Name of the entry that holds the source; empty when exported without."""
    bytes: Size
    """Of its text within `knowledge/text.utf8`; so are `characters` (code points)."""
    characters: Size
    pages: Annotated[int, Meta(ge=0, le=2**24)]
    """0 where the format has none."""
    language: Language
    trusted: bool
    """The author's tick "I trust what these files say"."""
    public: bool
    """The author's tick "nothing in these files is secret"."""
    problem: Text
    """Why the file, or a part of it, could not be read; empty: nothing went wrong."""
    picture_pages: Annotated[tuple[tuple[PageNumber, PageNumber], ...], Meta(max_length=2**16)] = ()
    """Runs of pages (first and last) whose text was read from their pictures; left out where there are none."""


class PageLabels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row of `knowledge/page_labels.json`: the printed labels of a file that has them, one a page."""

    file: Annotated[int, Meta(ge=0, le=PACK_BYTES)]
    """Row in files.json."""
    labels: tuple[Line, ...]


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`signature.json`: over the manifest's bytes, so that signing changes neither the manifest nor the pack id."""

    algorithm: Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]
    key: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/=_-]{1,512}\Z")]
    signature: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/=_-]{1,512}\Z")]
