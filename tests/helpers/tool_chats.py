"""Whole chats with tools: a scripted model that the real engine runs, the real tools, broker, grants and log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from helpers.scripted_gguf import write_scripted_gguf

from satchel.runtime.engine.base import LoadSpec
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.knowledge.client import KnowledgeClient
from satchel.runtime.paths import Home
from satchel.runtime.permissions.capabilities import parse_requests
from satchel.runtime.permissions.grants import Choice, Grant
from satchel.runtime.permissions.grants_file import GrantsFile
from satchel.runtime.project.folder import Project
from satchel.runtime.project.schema import Assistant, Sampling, Tool
from satchel.runtime.session.assistant import LoadedAssistant, from_project
from satchel.runtime.session.authority import subject_of
from satchel.runtime.session.equipping import ToolOptions, equip
from satchel.runtime.session.events import ApprovalNeeded, Event, QuestionAsked, ToolFinished, Warned
from satchel.runtime.session.history import History
from satchel.runtime.session.language_model import LanguageModel
from satchel.runtime.session.session import Session
from satchel.runtime.tools.files import PickedFolder

ID = "0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b"


def call(name: str, **arguments: Any) -> tuple[str, ...]:
    """Return the pieces in which a scripted model calls a function."""
    return ("<tool_call>", json.dumps({"name": name, "arguments": arguments}), "</tool_call>")


def assistant_in(
    folder: Path, tools: Mapping[str, Sequence[str]], *, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> LoadedAssistant:
    """Return the assistant of a project that asks for tools with these powers; its files lie in `folder`."""
    ticked = {
        name: Tool(requests=list(requests), settings=dict((settings or {}).get(name, {})))
        for name, requests in tools.items()
    }
    return from_project(Project(folder, Assistant(id=ID, name="Guide", tools=ticked), "Help.", ()), None)


def allow_everything(assistant: LoadedAssistant, home: Home) -> None:
    """Grant "always" whatever an assistant asks for."""
    requests = parse_requests((name, tool.requests) for name, tool in assistant.tools.items())
    powers = [Grant(name, one) for name, asked in requests.tools.items() for one in asked]
    powers += [Grant(name) for name, asked in requests.tools.items() if not asked]
    GrantsFile(home.settings).answered(subject_of(assistant), assistant.name, requests, powers, Choice.ALWAYS)


@dataclass
class Turn:
    """What happened in one turn."""

    events: list[Event] = field(default_factory=list)

    @property
    def results(self) -> list[str]:
        return [event.result for event in self.events if isinstance(event, ToolFinished)]

    @property
    def decisions(self) -> list[str]:
        return [event.call["decision"] for event in self.events if isinstance(event, ToolFinished)]

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        return [event.request for event in self.events if isinstance(event, ApprovalNeeded)]

    @property
    def warnings(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Warned)]


@dataclass
class ToolChat:
    """One chat, and the person in it."""

    session: Session
    answer: str = ""
    """What the person says to every request; empty: nobody is there."""

    def turn(self, message: str) -> Turn:
        turn = Turn()
        for event in self.session.turn(message):
            turn.events.append(event)
            if isinstance(event, ApprovalNeeded):
                assert self.session.decide(event.request_id, self.answer)
            if isinstance(event, QuestionAsked):
                assert self.session.decide(event.question_id, self.answer)
        return turn


@contextmanager
def tool_chat(
    assistant: LoadedAssistant,
    home: Home,
    model: Path,
    *,
    answer: str = "",
    knowledge: KnowledgeClient | None = None,
    folders: Mapping[str, PickedFolder] | None = None,
    context: int = 4096,
) -> Iterator[ToolChat]:
    """Open a chat with a model; nobody answers its requests unless `answer` says what."""
    with ExitStack() as stack:
        history = stack.enter_context(History(home.history))
        sampling = Sampling(temperature=0.0, max_tokens=64)
        spec = LoadSpec(path=str(model), threads=1, context=context)
        speaker = LanguageModel(EngineClient(), spec, sampling, name="tiny")
        stack.callback(speaker.close)
        options = ToolOptions(can_ask=bool(answer), folders=folders or {})
        acting = equip(assistant, home, options, knowledge=knowledge, keeps_history=True)
        session = Session(assistant, knowledge=knowledge, history=history, model=speaker, acting=acting)
        stack.callback(session.close)
        yield ToolChat(session, answer)


def scripted(
    path: Path, script: Sequence[str], after_tools: Sequence[str] = ("Done.",), *, context: int = 4096
) -> Path:
    """Write a model that says `script`, and `after_tools` once it has a result; its window counts letters."""
    return write_scripted_gguf(path, script, after_tools=after_tools, context=context)


def shown(request: Mapping[str, Any]) -> str:
    """Return all that a person is shown of a request, as one text."""
    return msgspec.json.encode(request).decode()
