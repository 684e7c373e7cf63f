"""`satchel grant`: what an assistant asks for, what was granted or forbidden, and a person's change of mind."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from satchel.runtime.commands.opening import open_settings
from satchel.runtime.engine.base import ToolCall
from satchel.runtime.errors import UsageError
from satchel.runtime.paths import Home
from satchel.runtime.permissions.audit import AuditLog, Kind, Record, entry
from satchel.runtime.permissions.capabilities import Capability, Requests, parse_capability, parse_requests
from satchel.runtime.permissions.grants import Choice, Grant, Grants, ticked
from satchel.runtime.permissions.grants_file import GrantsFile, KeptAnswers, KeptPower, Subject
from satchel.runtime.permissions.standing import StandingApproval, make_standing_approval
from satchel.runtime.project.folder import load_project
from satchel.runtime.project.save import save_assistant
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.authority import subject_of
from satchel.runtime.session.chat_files import audit_folder
from satchel.runtime.session.equipping import ToolOptions, equip

ALL = "all"


@dataclass(frozen=True, slots=True)
class AskedPower:
    """One power that an assistant asks for, and what the person said."""

    tool: str
    capability: str
    """Empty: the tool itself, which needs no power."""
    in_words: str
    state: str
    """`granted`, `never` or `ask`."""


@dataclass(frozen=True, slots=True)
class AssistantGrants:
    """What counts for one assistant."""

    name: str
    subject: str
    """The key under which the answers are kept."""
    powers: tuple[AskedPower, ...]
    unknown: tuple[str, ...]
    """Requests that this version does not know: never granted."""
    standing: tuple[StandingApproval, ...]
    widened: bool
    """It asks for more than when the person answered: nothing is granted until they answer again."""
    unpacked: bool
    """A folder that came in a pack: what it ticks is granted once its person takes it for their own."""


def show_grants(reference: str, home: Home) -> AssistantGrants:
    """Return what an assistant asks for and what the person said.

    Raises:
        AssistantMissingError: there is no such pack or folder.
        GrantsError: what was granted cannot be read.
    """
    return _shown(open_settings(reference, home), home)


def change_grants(
    reference: str, home: Home, *, allow: Sequence[str] = (), never: Sequence[str] = (), revoke: Sequence[str] = ()
) -> AssistantGrants:
    """Grant, forbid and take back, in that order; each entry is a tool, "TOOL CAPABILITY", or "all".

    Raises:
        UsageError: the assistant does not ask for it.
    """
    assistant = open_settings(reference, home)
    requests, subject, file = _requests(assistant), subject_of(assistant), GrantsFile(home.settings)
    log = AuditLog(audit_folder(home.data))
    for entries, choice in ((allow, Choice.ALWAYS), (never, Choice.NEVER)):
        powers = [power for each in entries for power in _powers(each, requests)]
        if powers:
            file.answered(subject, assistant.name, requests, powers, choice)
            _write_down(log, "granted", subject, powers, choice.value)
    for each in revoke:
        if each == ALL:
            file.revoke(subject.key)
            _write_down(log, "revoked", subject, [], ALL)
            continue
        for power in _answered(each, file.everything().get(subject.key)):
            file.revoke(subject.key, power=power)
            _write_down(log, "revoked", subject, [power.as_grant()], "revoked")
    return _shown(assistant, home)


def approve_standing(
    reference: str, home: Home, *, name: str, call: str, free: str = "", characters: int = 0, until: dt.date
) -> AssistantGrants:
    """Answer calls like `call` (`{"name": …, "arguments": {…}}`) beforehand, to the end of a day.

    `free` is the one argument that may differ, up to so many characters.

    Raises:
        UsageError: `call` is no call.
        ToolError: the assistant has no such tool, or the arguments do not fit it.
        StandingApprovalError: says what is missing or too wide.
    """
    assistant = open_settings(reference, home)
    try:
        wanted = msgspec.json.decode(call, type=ToolCall)
    except msgspec.DecodeError as error:
        raise UsageError(reason=f'--call is no {{"name": …, "arguments": {{…}}}}: {error}') from error
    try:
        end = dt.datetime.combine(until, dt.time(23, 59, 59)).astimezone().timestamp()
    except (ValueError, OverflowError) as error:  # at the ends of the calendar
        raise UsageError(reason=f"{until} is no date to come that this machine can reckon with") from error
    acting = equip(assistant, home, ToolOptions(), knowledge=None, keeps_history=True)
    try:
        approval = make_standing_approval(
            name=name,
            pack_id=assistant.pack_id,
            call=acting.prepare(wanted).asked,
            free=free,
            characters=characters,
            until=end,
            now=time.time(),
        )
    finally:
        acting.close()
    subject = subject_of(assistant)
    GrantsFile(home.settings).approve_standing(subject, assistant.name, _requests(assistant), approval)
    _write_down(AuditLog(audit_folder(home.data)), "granted", subject, [], f"standing approval {name}")
    return _shown(assistant, home)


def revoke_standing(reference: str, home: Home, name: str) -> AssistantGrants:
    """Take a standing approval back.

    Raises:
        UsageError: there is none of this name.
    """
    assistant = open_settings(reference, home)
    subject = subject_of(assistant)
    if not GrantsFile(home.settings).revoke(subject.key, standing=name):
        raise UsageError(reason=f'there is no standing approval "{name}"')
    _write_down(AuditLog(audit_folder(home.data)), "revoked", subject, [], f"standing approval {name}")
    return _shown(assistant, home)


def take_as_own(reference: str, home: Home) -> AssistantGrants:
    """Take an unpacked folder for one's own: from now on its ticks grant, and its words count as its person's.

    Raises:
        UsageError: it is no folder that came in a pack.
        SaveError: it cannot be written.
    """
    assistant = open_settings(reference, home)
    if not assistant.unpacked_from:
        raise UsageError(reason=f"{reference} is no folder that was unpacked from a pack")
    folder = Path(reference)
    _write_down(AuditLog(audit_folder(home.data)), "granted", subject_of(assistant), [], "taken for one's own")
    save_assistant(folder, msgspec.structs.replace(load_project(folder).assistant, unpacked_from=""))
    return show_grants(reference, home)


def read_log(reference: str, home: Home, *, most: int = 100) -> list[Record]:
    """Return what the assistant's tools did and what was decided, newest first.

    Raises:
        AuditError: the log is not as it was written.
    """
    return AuditLog(audit_folder(home.data)).read(most=most, assistant=subject_of(open_settings(reference, home)).key)


def _requests(assistant: LoadedAssistant) -> Requests:
    return parse_requests((name, tool.requests) for name, tool in assistant.tools.items())


def _shown(assistant: LoadedAssistant, home: Home) -> AssistantGrants:
    requests = _requests(assistant)
    remembered = GrantsFile(home.settings).load(subject_of(assistant), requests)
    grants = remembered.grants
    if not assistant.is_received:
        grants = Grants(grants.allowed | ticked(requests).allowed, grants.never, standing=grants.standing)
    return AssistantGrants(
        name=assistant.name,
        subject=subject_of(assistant).key,
        powers=tuple(_asked(each, grants) for tool in requests.tools for each in _told_powers(tool, requests, grants)),
        unknown=requests.unknown,
        standing=grants.standing,
        widened=bool(remembered.widened) and assistant.is_received,
        unpacked=bool(assistant.unpacked_from),
    )


def _told_powers(tool: str, requests: Requests, grants: Grants) -> list[Grant]:
    """Return what a tool asks for, and what the person answered about less than that: one site of all, say."""
    asked = _powers(tool, requests)
    answered = [each for each in grants.allowed | grants.never if each.tool == tool and each not in asked]
    return [
        *asked,
        *(each for each in sorted(answered, key=str) if each.capability and requests.allow(tool, (each.capability,))),
    ]


def _asked(power: Grant, grants: Grants) -> AskedPower:
    needed = (power.capability,) if power.capability else ()
    state = "ask"
    if grants.forbidding(power.tool, needed):
        state = "never"
    elif grants.allow(power.tool, needed):
        state = "granted"
    return AskedPower(power.tool, str(power.capability or ""), str(power), state)


def _powers(named: str, requests: Requests) -> list[Grant]:
    """Return what "TOOL" (all that it asks for), "TOOL CAPABILITY" or "all" stands for."""
    if named == ALL:
        return [power for tool in requests.tools for power in _powers(tool, requests)]
    tool, _, narrowed = named.partition(" ")
    if tool not in requests.tools:
        known = ", ".join(requests.tools) or "nothing"
        raise UsageError(reason=f'the assistant does not ask for "{tool}"; it asks for {known}')
    asked: list[Capability] = sorted(requests.tools[tool])
    if not narrowed:
        return [Grant(tool, each) for each in asked] or [Grant(tool)]
    wanted = parse_capability(narrowed)
    if not requests.allow(tool, (wanted,)):
        raise UsageError(reason=f'the assistant does not ask for "{narrowed}" with {tool}')
    return [Grant(tool, wanted)]


def _answered(named: str, kept: KeptAnswers | None) -> list[KeptPower]:
    """Return the answers that "TOOL" (all of its powers, however narrow) or "TOOL CAPABILITY" stands for.

    Raises:
        UsageError: there is none.
    """
    tool, _, narrowed = named.partition(" ")
    capability = str(parse_capability(narrowed)) if narrowed else None
    answers = {*kept.always, *kept.never} if kept is not None else set()
    found = [each for each in sorted(answers) if each.tool == tool and capability in {None, each.capability}]
    if not found:
        raise UsageError(reason=f'you have granted or forbidden nothing that "{named}" stands for')
    return found


def _write_down(log: AuditLog, kind: Kind, subject: Subject, powers: Sequence[Grant], why: str) -> None:
    tools = ", ".join(dict.fromkeys(power.tool for power in powers))
    told = "; ".join(map(str, powers))
    log.append(msgspec.structs.replace(entry(kind, subject.key), tool=tools, why=f"{why}: {told}" if told else why))
