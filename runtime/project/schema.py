"""`assistant.toml`: its keys, defaults and limits; unknown keys are errors that name their place."""

from __future__ import annotations

import re
import tomllib
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from satchel.runtime.packfile.names import UNSAFE_CHARACTERS
from satchel.runtime.project.errors import NewerProjectError, ProjectFormatError

FORMAT = 1

# What a pack's manifest would refuse is refused here, where the key can be named.
# `\Z`, because `$` lets a line end pass.
_LINE = rf"\A[^{UNSAFE_CHARACTERS}]*\Z"
_LINES = r"\A[^\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]*\Z"
_ID = r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
_SHA256 = r"\A[0-9a-f]{64}\Z"
_SHA256_OR_NONE = r"\A([0-9a-f]{64})?\Z"
_PATTERNS_IN_WORDS = {
    _LINE: "it has line breaks, control or direction-changing characters",
    _LINES: "it has control characters",
    _ID: "it is no id of 8-4-4-4-12 hexadecimal digits in small letters",
    _SHA256: "it is no SHA-256 of 64 hexadecimal digits in small letters",
    _SHA256_OR_NONE: "it is no SHA-256 of 64 hexadecimal digits in small letters",
}

# "Expected `int`, got `str` - at `$.retrieval.k`", or "… - at `key` in `$.tools`" where a name is wrong.
_PLACE = re.compile(r"(.*) - at (`key` in )?`\$(.*)`", re.DOTALL)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_LINE)]
Short = Annotated[str, msgspec.Meta(max_length=200, pattern=_LINE)]
Text = Annotated[str, msgspec.Meta(max_length=20_000, pattern=_LINES)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Retrieval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How knowledge is cut, searched and shown to the model."""

    passage_tokens: Annotated[int, msgspec.Meta(ge=16, le=8192)] = 200
    overlap_tokens: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 0
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
    sha256: Annotated[str, msgspec.Meta(pattern=_SHA256_OR_NONE)] = ""
    source: Short = ""
    minimum_context: Annotated[int, msgspec.Meta(ge=0, le=2**24)] = 0


class Adapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A LoRA adapter, named by its hash and where it comes from."""

    sha256: Annotated[str, msgspec.Meta(pattern=_SHA256)]
    source: Short


class Knowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where files come from, and what their author says of them (DESIGN 5: the two ticks)."""

    links: list[Annotated[str, msgspec.Meta(min_length=1, pattern=_LINES)]] = []
    """Folders that stay where they are; relative ones start at the project."""
    embedder: str = "default"
    """`default`, `multilingual`, or a sentence-transformers model: its folder (a relative one starts at the project),
    or its name on the hub, where it was downloaded."""
    trusted: list[str] | bool = False
    """Files (or all) whose words may be acted upon."""
    public: list[str] | bool = False
    """Files (or all) that hold no secret."""
    languages: list[str] = []
    """Overrides of what was detected, as "file: language"."""
    read_pictures: list[str] | bool = False
    """Files (or all) whose pages without text are read from their pictures; this needs the extra `ocr`."""
    from_pack: list[str] = []
    """Files that the pack brought without their sources; their text lies in `.satchel/origin.pack`."""


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One tool's settings and the capabilities that the assistant requests for it."""

    settings: dict[Name, str | Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | bool | list[str]] = {}
    requests: list[Annotated[str, msgspec.Meta(max_length=2000, pattern=_LINE)]] = []


class Assistant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole of `assistant.toml`."""

    format: Annotated[int, msgspec.Meta(ge=1)] = FORMAT
    id: Annotated[str, msgspec.Meta(pattern=_ID)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=_LINE)]
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=_LINE)] = "1.0.0"
    author: Short = ""
    description: Annotated[str, msgspec.Meta(max_length=1000, pattern=_LINES)] = ""
    greeting: Annotated[str, msgspec.Meta(max_length=2000, pattern=_LINES)] = ""
    starters: Annotated[list[Short], msgspec.Meta(max_length=12)] = []
    attribution: Text = ""
    examples: Annotated[int, msgspec.Meta(ge=0, le=32)] = 4
    """How many of examples.jsonl are shown to the model."""
    retrieval: Retrieval = Retrieval()
    sampling: Sampling = Sampling()
    knowledge: Knowledge = Knowledge()
    models: Annotated[list[ModelPreference], msgspec.Meta(max_length=16)] = []
    adapter: Adapter | None = None
    tools: dict[Name, Tool] = {}
    unpacked_from: Annotated[str, msgspec.Meta(pattern=_SHA256_OR_NONE)] = ""
    """The id of the pack that the folder was unpacked from, until its person takes it for their own: what it ticks is
    its author's wish and no grant (DESIGN 5)."""


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
    except RecursionError as error:
        raise ProjectFormatError(path=path, where="not TOML", reason="it is nested too deeply") from error
    except tomllib.TOMLDecodeError as error:
        raise ProjectFormatError(path=path, where="not TOML", reason=str(error).rstrip(".")) from error
    except ValueError as error:  # from `int`, which refuses thousands of digits
        raise ProjectFormatError(path=path, where="not TOML", reason="a number in it is too long") from error
    if isinstance(found := table.get("format", FORMAT), int) and found > FORMAT:
        raise NewerProjectError(path=path, format=found, known=FORMAT)
    try:
        assistant = msgspec.convert(table, Assistant)
    except msgspec.ValidationError as error:
        where, reason = split_place(str(error))
        if "tools[...]" in where:
            where = _place_in_tools(table["tools"], where)
        raise ProjectFormatError(path=path, where=where, reason=reason) from error
    retrieval = assistant.retrieval
    if retrieval.overlap_tokens * 2 > retrieval.passage_tokens:
        reason = f"{retrieval.overlap_tokens} is more than half of passage_tokens ({retrieval.passage_tokens})"
        raise ProjectFormatError(path=path, where="retrieval.overlap_tokens", reason=reason)
    return assistant


def split_place(message: str) -> tuple[str, str]:
    """Turn msgspec's "Expected `int`, got `str` - at `$.retrieval.k`" into ("retrieval.k", "expected int, got str")."""
    parts = _PLACE.fullmatch(message)
    reason, of_a_name, place = parts.groups() if parts else (message, None, "")
    for pattern, words in _PATTERNS_IN_WORDS.items():
        if repr(pattern) in reason:
            reason = words
    where = place.removeprefix(".") or "top level"
    if of_a_name:
        where = f"a name in {where}"
    reason = re.sub(r"^Object contains unknown field `(.*)`$", r"there is no key `\1`", reason)
    reason = re.sub(r"^Object missing required field `(.*)`$", r"the key `\1` is missing", reason)
    # "JSON is malformed" stays as it is.
    return where, reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason


def _place_in_tools(tools: dict[str, Any], where: str) -> str:
    """Name the keys that msgspec calls `[...]`: "tools.fetch.settings.hosts"."""
    for name, tool in tools.items():
        try:
            msgspec.convert(tool, Tool)
        except msgspec.ValidationError:
            where = where.replace("[...]", f".{name}", 1)
            for key, value in tool.get("settings", {}).items() if "[...]" in where else ():
                try:
                    msgspec.convert({"settings": {key: value}}, Tool)
                except msgspec.ValidationError:
                    return where.replace("[...]", f".{key}", 1)
            return where
    return where
