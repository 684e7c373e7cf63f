"""From an assistant's ticked tools to a session's `Acting`: what it asks for, what was granted, where files go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from satchel.runtime.atomic import save_bytes
from satchel.runtime.knowledge.client import KnowledgeClient
from satchel.runtime.paths import Home
from satchel.runtime.permissions.audit import AuditLog
from satchel.runtime.permissions.capabilities import parse_requests
from satchel.runtime.permissions.grants_file import GrantsFile
from satchel.runtime.sandbox.known import KnownSandbox
from satchel.runtime.session.acting import Acting
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.authority import Authority, subject_of
from satchel.runtime.session.chat_files import artefact_folder, audit_folder
from satchel.runtime.session.desk import Desk
from satchel.runtime.session.toolbox import Surroundings, build_tools
from satchel.runtime.settings import load_settings
from satchel.runtime.tools.base import Artefact
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.files import PickedFolder
from satchel.runtime.tools.runner import ToolRunner
from satchel.runtime.tools.secret_store import find_secret_store

_UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)
_MOST_NAME = 100


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """What a front end and its person give the tools of one session."""

    can_ask: bool = False
    """Somebody answers requests and questions."""
    folders: Mapping[str, PickedFolder] = field(default_factory=dict)
    """Folders for the tool `files`, by the names that the assistant sees."""
    artefacts: Path | None = None
    """Where files go that calls make; None: beside the chat, where one is kept."""


def equip(
    assistant: LoadedAssistant,
    home: Home,
    options: ToolOptions,
    *,
    knowledge: KnowledgeClient | None,
    keeps_history: bool,
) -> Acting:
    """Return the tools of one session, with the person's say over them.

    Raises:
        GrantsError: what the person granted cannot be read; nothing may be done then.
        SettingsError: nor can their settings.
    """
    authority = Authority(
        parse_requests((name, tool.requests) for name, tool in assistant.tools.items()),
        subject_of(assistant),
        assistant.name,
        grants=GrantsFile(home.settings),
        audit=AuditLog(audit_folder(home.data)),
        keeps_arguments=keeps_history,
    )
    desk = Desk(is_staffed=options.can_ask)
    around = Surroundings(
        notes=home.data / "memory" / f"{authority.subject.key.replace(' ', '-')}.json",
        sandbox=KnownSandbox(home.cache),
        secrets=lambda: find_secret_store(home.settings),
        subject=authority.subject.key,
        knowledge=knowledge,
        ask=desk.ask,
        folders=options.folders,
        image=load_settings(home.settings).image,
        egress=Egress(lambda: authority.grants.named_places),
    )
    tools, missing = build_tools(assistant, around)
    if options.artefacts is not None:
        keep = keeper(lambda: options.artefacts)
    else:
        keep = keeper(lambda: artefact_folder(home.data, authority.chat) if keeps_history else None)
    return Acting(ToolRunner(tools), authority, desk=desk, keep_artefact=keep, notes=missing)


def keeper(folder: Callable[[], Path | None]) -> Callable[[Artefact], str]:
    """Return what keeps artefacts; one of a name that is there already gets a number."""

    def keep(artefact: Artefact) -> str:
        if (place := folder()) is None:
            return ""
        name = _UNSAFE.sub("-", artefact.name).lstrip(".-")[-_MOST_NAME:] or "file"
        stem, suffix = Path(name).stem, Path(name).suffix
        path, number = place / name, 1
        while path.exists():
            number += 1
            path = place / f"{stem}-{number}{suffix}"
        save_bytes(path, artefact.content, private=True)
        return str(path)

    return keep
