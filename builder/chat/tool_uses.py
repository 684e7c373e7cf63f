"""What a tool did, without a widget: from a turn's events or a kept message to cards."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from satchel.builder.language import translate
from satchel.runtime.session.events import ToolFinished, ToolRequested
from satchel.runtime.session.history import Part

State = Literal["asks", "runs", "done", "refused", "failed", "stopped"]

_SHORT_CHARACTERS = 160
_PICTURES = frozenset({".png", ".jpg", ".jpeg"})
_ERROR = "Error: "
"""How a result begins that tells the model of a failure (`tools.runner`)."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool, as its card shows it."""

    name: str
    arguments: Mapping[str, Any]
    state: State
    result: str = ""
    artefacts: tuple[str, ...] = ()
    """Where the files lie that it made."""

    @property
    def pictures(self) -> tuple[str, ...]:
        """Those of its files that are pictures by their names."""
        return tuple(path for path in self.artefacts if Path(path).suffix.casefold() in _PICTURES)

    @property
    def in_short(self) -> str:
        """The arguments' values on one line."""
        said = " · ".join(_plain(value) for value in self.arguments.values())
        return textwrap.shorten(said, _SHORT_CHARACTERS, placeholder=" …")

    @property
    def in_full(self) -> str:
        """The arguments, each by its name."""
        return "\n".join(f"{name}: {_plain(value)}" for name, value in self.arguments.items())


def after_request(uses: Sequence[ToolUse], event: ToolRequested) -> tuple[ToolUse, ...]:
    """Return the calls of an answer when one more begins."""
    state: State = "asks" if event.decision == "ask" else "runs"
    return (*uses, ToolUse(event.call["name"], event.call["arguments"], state))


def after_result(uses: Sequence[ToolUse], event: ToolFinished) -> tuple[ToolUse, ...]:
    """Return the calls of an answer when the last one has ended."""
    return (*uses[:-1], _ended(event.call, event.result, event.artefacts))


def allowed(uses: Sequence[ToolUse]) -> tuple[ToolUse, ...]:
    """Return the calls of an answer when the person has said something to the last one."""
    return tuple(replace(use, state="runs") if use.state == "asks" else use for use in uses)


def stopped(uses: Sequence[ToolUse]) -> tuple[ToolUse, ...]:
    """Return the calls of an answer whose turn is over."""
    return tuple(replace(use, state="stopped") if use.state in {"asks", "runs"} else use for use in uses)


def kept_uses(parts: Iterable[Part]) -> tuple[ToolUse, ...]:
    """Return the calls that a kept message tells of."""
    uses: list[ToolUse] = []
    call: Mapping[str, Any] | None = None
    for part in parts:
        if part.kind == "tool_call":
            call = part.detail
        elif part.kind == "tool_result" and call is not None:
            uses.append(_ended(call, part.text, tuple(part.detail.get("artefacts", ()))))
            call = None
    return tuple(uses)


def title_of(use: ToolUse) -> str:
    """Return what a card is called: "Ran code", or "Run code" where it is not done; else the function's name."""
    words = _words().get(use.name)
    if words is None:
        return use.name or translate("Chat", "A call")
    return words.did if use.state == "done" else words.act[:1].upper() + words.act[1:]


def icon_of(name: str) -> str:
    """Return the icon of a tool."""
    words = _words().get(name)
    return words.icon if words is not None else "plug"


def wants(name: str, assistant: str) -> str:
    """Return the heading of a request: "Astronomy tutor wants to search the web"."""
    words = _words().get(name)
    if words is None:
        return translate("Consent", "{name} wants to use {tool}", name=assistant, tool=name)
    return translate("Consent", "{name} wants to {act}", name=assistant, act=words.act)


def state_words(state: State) -> str:
    """Return how far a call is."""
    return {
        "asks": translate("Chat", "asks you"),
        "runs": translate("Chat", "running …"),
        "done": translate("Chat", "done"),
        "refused": translate("Chat", "not allowed"),
        "failed": translate("Chat", "failed"),
        "stopped": translate("Chat", "stopped"),
    }[state]


@dataclass(frozen=True, slots=True)
class _Words:
    icon: str
    did: str
    act: str


def _words() -> dict[str, _Words]:
    """Return what the tools are called, in the person's language; that is known only while the app runs."""
    return {
        "calculator": _Words(
            "calculator",
            translate("Tools", "Calculated"),
            translate("Tools", "calculate"),
        ),
        "clock": _Words(
            "clock",
            translate("Tools", "Looked at the clock"),
            translate("Tools", "look at the clock"),
        ),
        "search_knowledge": _Words(
            "book-open",
            translate("Tools", "Searched its files"),
            translate("Tools", "search its files"),
        ),
        "ask_user": _Words(
            "messages-square",
            translate("Tools", "Asked you"),
            translate("Tools", "ask you something"),
        ),
        "memory": _Words(
            "pencil",
            translate("Tools", "Used its notes"),
            translate("Tools", "use its notes"),
        ),
        "memory_write": _Words(
            "pencil",
            translate("Tools", "Wrote a note"),
            translate("Tools", "write a note about you"),
        ),
        "memory_recall": _Words(
            "pencil",
            translate("Tools", "Read its notes"),
            translate("Tools", "read its notes"),
        ),
        "python": _Words(
            "code",
            translate("Tools", "Ran code"),
            translate("Tools", "run code"),
        ),
        "files": _Words(
            "folder-open",
            translate("Tools", "Used your files"),
            translate("Tools", "use your files"),
        ),
        "files_list": _Words(
            "folder-open",
            translate("Tools", "Looked into a folder"),
            translate("Tools", "look into a folder"),
        ),
        "files_read": _Words(
            "folder-open",
            translate("Tools", "Read a file"),
            translate("Tools", "read a file"),
        ),
        "files_write": _Words(
            "folder-open",
            translate("Tools", "Wrote a file"),
            translate("Tools", "write a file"),
        ),
        "web_fetch": _Words(
            "globe",
            translate("Tools", "Read a web page"),
            translate("Tools", "read a web page"),
        ),
        "web_search": _Words(
            "search",
            translate("Tools", "Searched the web"),
            translate("Tools", "search the web"),
        ),
        "image": _Words(
            "image",
            translate("Tools", "Had a picture painted"),
            translate("Tools", "have a picture painted"),
        ),
        "http_action": _Words(
            "plug",
            translate("Tools", "Called a web service"),
            translate("Tools", "call a web service"),
        ),
        "mcp": _Words(
            "terminal",
            translate("Tools", "Called an MCP server"),
            translate("Tools", "connect an MCP server"),
        ),
    }


def _ended(call: Mapping[str, Any], result: str, artefacts: tuple[str, ...]) -> ToolUse:
    state: State = "done"
    if call.get("decision") == "deny":
        state = "refused"
    elif result.startswith(_ERROR):
        state = "failed"
    return ToolUse(str(call.get("name", "")), call.get("arguments", {}), state, result, artefacts)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
