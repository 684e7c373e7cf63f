"""What the form edits, without a widget: an assistant's settings, instructions, cases and picture."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from satchel.builder.language import translate
from satchel.runtime.evals.cases import Case
from satchel.runtime.project.schema import Assistant, split_place

S = TypeVar("S", bound=msgspec.Struct)

_PIECE = re.compile(r"[^\W\d_]+|\d|[^\w\s]|\n+")
_LETTERS_A_TOKEN = 7
"""Words up to so many letters are one token in the vocabularies of today's models; longer ones are cut."""
_FIRST_WIDE = 0x2E80
"""From here on (CJK) a character is about a token of its own."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One state of the form."""

    assistant: Assistant
    instructions: str = ""
    cases: tuple[Case, ...] = ()
    avatar: bytes = b""
    """A PNG; empty: initials are drawn."""

    def but(self, **settings: Any) -> Draft:
        """Return the draft with other keys of `assistant.toml`."""
        return replace(self, assistant=msgspec.structs.replace(self.assistant, **settings))


def problem_of(draft: Draft) -> tuple[str, str]:
    """Return the key that keeps a draft from being saved and why, in plain words; two empty texts: nothing does."""
    if not draft.assistant.name.strip():
        return "name", translate("Editor", "An assistant needs a name.")
    try:
        msgspec.convert(msgspec.to_builtins(draft.assistant), Assistant)
    except msgspec.ValidationError as error:
        return split_place(str(error))
    retrieval = draft.assistant.retrieval
    if retrieval.overlap_tokens * 2 > retrieval.passage_tokens:
        return "retrieval.overlap_tokens", translate("Editor", "The overlap can be half of a passage at most.")
    return "", ""


def merged(base: Draft, mine: Draft, theirs: Draft) -> Draft:
    """Return the form's changes since `base` on top of what is on the disk now: another program may edit it too.

    Where both changed the same key, the form's value stays.
    """
    return Draft(
        _merge_struct(base.assistant, mine.assistant, theirs.assistant),
        _merge(base.instructions, mine.instructions, theirs.instructions),
        _merge(base.cases, mine.cases, theirs.cases),
        _merge(base.avatar, mine.avatar, theirs.avatar),
    )


def answers_differ(one: Draft, other: Draft) -> bool:
    """Tell whether two drafts may answer differently; a picture, a description or a case changes no answer."""
    blank = {"description": "", "version": "", "author": "", "attribution": ""}
    return one.instructions != other.instructions or one.but(**blank).assistant != other.but(**blank).assistant


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text is, without a model: exact counts differ from model to model anyway."""
    count = 0
    for piece in _PIECE.findall(text):
        if piece[0].isalpha():
            wide = sum(ord(letter) >= _FIRST_WIDE for letter in piece)
            count += wide + -(-(len(piece) - wide) // _LETTERS_A_TOKEN)
        else:
            count += 1
    return count


def _merge(base: Any, mine: Any, theirs: Any) -> Any:
    return theirs if mine == base else mine


def _merge_struct(base: S, mine: S, theirs: S) -> S:
    changes = {}
    for key in mine.__struct_fields__:
        before, ours, others = getattr(base, key), getattr(mine, key), getattr(theirs, key)
        if all(isinstance(value, msgspec.Struct) for value in (before, ours, others)):
            changes[key] = _merge_struct(before, ours, others)
        else:
            changes[key] = _merge(before, ours, others)
    return msgspec.structs.replace(theirs, **changes)
