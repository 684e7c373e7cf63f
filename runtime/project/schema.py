"""`assistant.toml`: its keys, defaults and limits; unknown keys are errors that name their place."""

from __future__ import annotations

import re
import tomllib
import uuid
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from satchel.runtime.project.errors import NewerProjectError, ProjectFormatError

FORMAT = 1

Short = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Retrieval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How knowledge is cut, searched and shown to the model."""

    passage_tokens: Annotated[int, msgspec.Meta(ge=16, le=8192)] = 200
    overlap_tokens: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 32
    k: Annotated[int, msgspec.Meta(ge=1, le=100)] = 6
    gate: Literal["auto", "off"] | Fraction = "auto"
    rerank: bool = False


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a language model's next token is chosen."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.2
    top_p: Fraction = 0.95
    top_k: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 40
    min_p: Fraction = 0.05
    repeat_penalty: Annotated[float, msgspec.Meta(ge=0.5, le=2)] = 1.05
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 512
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] | None = None


class ModelPreference(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model that suits the assistant; looked for on this disk by SHA-256, then by family and size."""

    name: Short
    family: Short = ""
    parameters: Short = ""
    sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    source: Short = ""
    minimum_context: Annotated[int, msgspec.Meta(ge=0, le=2**24)] = 0


class Adapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A LoRA adapter, named by its hash and where it comes from."""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    source: Short


class Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where files come from, and what their author says of them (DESIGN 5: the two ticks)."""

    links: list[str] = []
    """Folders that stay where they are; relative ones start at the project."""
    embedder: str = "default"
    """`default`, `multilingual`, or a folder of a sentence-transformers model."""
    trusted: list[str] | bool = False
    """Files (or all) whose words may be acted upon."""
    public: list[str] | bool = False
    """Files (or all) that hold no secret."""
    languages: list[str] = []
    """Overrides of what was detected, as "file: language"."""
    from_pack: list[str] = []
    """Files that the pack brought without their sources; their text lies in `.satchel/origin.pack`."""


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One tool's settings and the capabilities that the assistant requests for it."""

    settings: dict[str, str | int | bool | list[str]] = {}
    requests: list[str] = []


class Assistant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of `assistant.toml`."""

    format: int = FORMAT
    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "1.0.0"
    author: Short = ""
    description: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    greeting: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    starters: Annotated[list[Short], msgspec.Meta(max_length=12)] = []
    attribution: Text = ""
    examples: Annotated[int, msgspec.Meta(ge=0, le=32)] = 4
    """How many of examples.jsonl are shown to the model."""
    retrieval: Retrieval = Retrieval()
    sampling: Sampling = Sampling()
    knowledge: Knowledge = Knowledge()
    models: Annotated[list[ModelPreference], msgspec.Meta(max_length=16)] = []
    adapter: Adapter | None = None
    tools: dict[str, Tool] = {}


def new_id() -> str:
    """Return an id for a new assistant; it stays for life, through renames and versions."""
    return str(uuid.uuid4())


def parse_assistant(text: str, path: Path) -> Assistant:
    """Read the text of an `assistant.toml`.

    Raises:
        ProjectFormatError: names the file, the key and what is wrong with it.
        NewerProjectError: written by a newer Satchel.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectFormatError(path=path, where="not TOML", reason=str(error).rstrip(".")) from error
    if isinstance(found := table.get("format", FORMAT), int) and found > FORMAT:
        raise NewerProjectError(path=path, format=found, known=FORMAT)
    try:
        assistant = msgspec.convert(table, Assistant)
    except msgspec.ValidationError as error:
        where, reason = split_place(str(error))
        raise ProjectFormatError(path=path, where=where, reason=reason) from error
    retrieval = assistant.retrieval
    if retrieval.overlap_tokens * 2 > retrieval.passage_tokens:
        reason = f"{retrieval.overlap_tokens} is more than half of passage_tokens ({retrieval.passage_tokens})"
        raise ProjectFormatError(path=path, where="retrieval.overlap_tokens", reason=reason)
    return assistant


def split_place(message: str) -> tuple[str, str]:
    """Turn msgspec's "Expected `int`, got `str` - at `$.retrieval.k`" into ("retrieval.k", "expected int, got str")."""
    reason, _, place = message.partition(" - at ")
    where = place.strip("`").removeprefix("$").removeprefix(".") or "top level"
    reason = re.sub(r"^Object contains unknown field `(.*)`$", r"there is no key `\1`", reason)
    reason = re.sub(r"^Object missing required field `(.*)`$", r"the key `\1` is missing", reason)
    return where, reason[:1].lower() + reason[1:]
