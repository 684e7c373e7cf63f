"""Where "always" and "never" are kept: one small file among the person's settings, for its owner alone.

Each assistant's answers are kept with the set of capabilities that it asked for when the person answered, under its id
and its author's key; an unsigned pack under its pack id, because anybody can write its assistant's id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from satchel.runtime.atomic import save_bytes
from satchel.runtime.packfile.lock import locked
from satchel.runtime.permissions.capabilities import Requests, parse_capability
from satchel.runtime.permissions.errors import CapabilityError, GrantsError
from satchel.runtime.permissions.grants import Choice, Grant, Grants
from satchel.runtime.permissions.standing import StandingApproval

FILE_NAME = "grants.json"
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose grants: an assistant as far as it can be told from others."""

    assistant_id: str
    author_key: str = ""
    """Of a signature that holds; empty: unsigned, or a project of one's own."""
    pack_id: str = ""
    """Empty: a folder."""
    unpacked_from: str = ""
    """Of a folder that came in a pack: that pack's id. Empty: a project of one's own."""

    @property
    def key(self) -> str:
        """The name under which answers are kept: another key or another unsigned file is another one."""
        if self.unpacked_from:
            # Anybody can give a pack the id of a project of yours: what you granted that one is not for this one.
            return f"unpacked {self.assistant_id} {self.unpacked_from}"
        if self.author_key:
            return f"signed {self.assistant_id} {self.author_key}"
        return f"pack {self.pack_id}" if self.pack_id else f"project {self.assistant_id}"


class KeptPower(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """A tool's power as the file has it; an empty capability is the tool itself."""

    tool: str
    capability: str = ""

    def as_grant(self) -> Grant:
        """Return it as the broker takes it.

        Raises:
            CapabilityError: it is none of the closed set.
        """
        return Grant(self.tool, parse_capability(self.capability) if self.capability else None)


class KeptAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person answered one assistant."""

    name: str
    """Of the assistant, for lists."""
    asked: tuple[KeptPower, ...] = ()
    """Everything that it asked for then: a wider set later is asked about anew."""
    always: tuple[KeptPower, ...] = ()
    never: tuple[KeptPower, ...] = ()
    standing: tuple[StandingApproval, ...] = ()


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal[1] = 1
    assistants: dict[str, KeptAnswers] = {}


@dataclass(frozen=True, slots=True)
class Remembered:
    """The grants that a chat starts with."""

    grants: Grants
    widened: frozenset[KeptPower] = frozenset()
    """What the assistant asks for beyond what the person saw: not empty, nothing is allowed until they answer again."""


class GrantsFile:
    """The file of one person; each change reads it, changes it and replaces it whole, under a lock."""

    def __init__(self, folder: Path) -> None:
        """Use `grants.json` in `folder` (`Home.settings`); nothing is read or created yet."""
        self.path = folder / FILE_NAME

    def load(self, subject: Subject, requests: Requests) -> Remembered:
        """Return what the person answered this assistant.

        Raises:
            GrantsError: the file cannot be read as what it is; then nothing is granted.
        """
        kept = self._read().assistants.get(subject.key)
        if kept is None:
            return Remembered(Grants())
        widened = frozenset(each for each in _powers(requests) if not _covered(each, kept.asked))
        never = frozenset(each.as_grant() for each in kept.never)
        if widened:
            return Remembered(Grants(never=never), widened)
        standing = tuple(each for each in kept.standing if each.pack_id == subject.pack_id)
        return Remembered(Grants(frozenset(each.as_grant() for each in kept.always), never, standing=standing))

    def answered(
        self, subject: Subject, name: str, requests: Requests, powers: Iterable[Grant], choice: Choice
    ) -> None:
        """Remember an "always" or a "never" about `powers`; other choices are kept nowhere."""
        given = {KeptPower(each.tool, str(each.capability or "")) for each in powers}
        if choice not in {Choice.ALWAYS, Choice.NEVER}:
            return

        def change(kept: KeptAnswers) -> KeptAnswers:
            always, never = set(kept.always), set(kept.never)
            if any(not _covered(each, kept.asked) for each in _powers(requests)):
                # Answers to a narrower set do not speak for this one.
                always = set()
            always, never = (always | given, never - given) if choice is Choice.ALWAYS else (always, never | given)
            return KeptAnswers(
                name=name,
                asked=_powers(requests),
                always=tuple(sorted(always)),
                never=tuple(sorted(never)),
                standing=kept.standing,
            )

        self._change(subject.key, change)

    def approve_standing(self, subject: Subject, name: str, requests: Requests, approval: StandingApproval) -> None:
        """Keep a standing approval; one of the same name is replaced."""

        def change(kept: KeptAnswers) -> KeptAnswers:
            others = tuple(each for each in kept.standing if each.name != approval.name)
            # As in `answered`: the person now answers to what is asked for now.
            narrower = any(not _covered(each, kept.asked) for each in _powers(requests))
            return msgspec.structs.replace(
                kept,
                name=name,
                asked=_powers(requests),
                always=() if narrower else kept.always,
                standing=(*others, approval),
            )

        self._change(subject.key, change)

    def everything(self) -> dict[str, KeptAnswers]:
        """Return all that is kept, by subject key, for `satchel grant` and the app."""
        return dict(self._read().assistants)

    def revoke(self, key: str, *, power: KeptPower | None = None, standing: str = "") -> bool:
        """Take back one answer, one standing approval, or everything of one subject; False where there was none."""
        found = False

        def change(kept: KeptAnswers) -> KeptAnswers | None:
            nonlocal found
            if power is None and not standing:
                found = True
                return None
            left = msgspec.structs.replace(
                kept,
                always=tuple(each for each in kept.always if each != power),
                never=tuple(each for each in kept.never if each != power),
                standing=tuple(each for each in kept.standing if each.name != standing),
            )
            found = left != kept
            return left

        if key in self._read().assistants:
            self._change(key, change)
        return found

    def _read(self) -> _Document:
        try:
            with self.path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return _Document()
        except OSError as error:
            raise GrantsError(path=self.path, reason=(error.strerror or str(error)).lower()) from error
        if len(content) > _MOST_BYTES:
            raise GrantsError(path=self.path, reason="it is larger than such a file can be")
        try:
            document = msgspec.json.decode(content, type=_Document)
            for kept in document.assistants.values():
                for each in (*kept.always, *kept.never):
                    each.as_grant()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise GrantsError(path=self.path, reason=str(error)) from error
        except CapabilityError as error:
            raise GrantsError(path=self.path, reason=error.message.rstrip(".")) from error
        return document

    def _change(self, key: str, change: Callable[[KeptAnswers], KeptAnswers | None]) -> None:
        with locked(self.path, wait=True):
            assistants = dict(self._read().assistants)
            changed = change(assistants.get(key, KeptAnswers(name="")))
            if changed is None:
                assistants.pop(key, None)
            else:
                assistants[key] = changed
            document = msgspec.json.format(msgspec.json.encode(_Document(assistants=assistants), order="sorted"))
            save_bytes(self.path, document + b"\n", private=True)


def _powers(requests: Requests) -> tuple[KeptPower, ...]:
    powers = {
        KeptPower(tool, each)
        for tool, capabilities in requests.tools.items()
        for each in (map(str, capabilities) if capabilities else ("",))
    }
    return tuple(sorted(powers))


def _covered(power: KeptPower, asked: Iterable[KeptPower]) -> bool:
    if not power.capability:
        return any(each.tool == power.tool for each in asked)
    needed = parse_capability(power.capability)
    return any(
        each.tool == power.tool and each.capability and parse_capability(each.capability).covers(needed)
        for each in asked
    )
