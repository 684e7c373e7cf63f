"""The tools that an assistant ticked, made ready for one chat; those that this machine or version has not are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from satchel.runtime.knowledge.client import KnowledgeClient
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.chat_labels import label_of_file
from satchel.runtime.session.events import Warned
from satchel.runtime.tools.ask_user import Asker, AskUser
from satchel.runtime.tools.base import CallContext, Tool
from satchel.runtime.tools.calculator import Calculator
from satchel.runtime.tools.clock import Clock
from satchel.runtime.tools.files import Files, PickedFolder
from satchel.runtime.tools.memory import Memory
from satchel.runtime.tools.notes import Notes
from satchel.runtime.tools.search_knowledge import KnowledgePassage, SearchKnowledge

Setting = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What tools reach beyond their arguments."""

    notes: Path
    """The file of the assistant's memory."""
    knowledge: KnowledgeClient | None = None
    ask: Asker | None = None
    folders: Mapping[str, PickedFolder] = field(default_factory=dict)
    """Those that the person picked for this assistant."""
    named_places: Sequence[str] = ()
    """Places that a grant names."""


def build_tools(assistant: LoadedAssistant, around: Surroundings) -> tuple[list[Tool], list[Warned]]:
    """Return the assistant's tools in the order of their names, and a warning for each that is not there."""
    makers = _makers(assistant, around)
    tools: list[Tool] = []
    missing: list[Warned] = []
    for name, wanted in sorted(assistant.tools.items()):
        made = makers[name](wanted.settings) if name in makers else "this version of Satchel does not know it"
        if isinstance(made, str):
            missing.append(Warned("tool-off", f"The tool {name} is off: {made}."))
        else:
            tools.append(made)
    return tools, missing


_Maker = Callable[[Mapping[str, Setting]], "Tool | str"]
"""Makes a tool from its settings, or says why there is none."""


def _makers(assistant: LoadedAssistant, around: Surroundings) -> dict[str, _Maker]:
    return {
        "ask_user": lambda _: AskUser(around.ask),
        "calculator": lambda _: Calculator(),
        "clock": lambda _: Clock(),
        "files": lambda _: Files(around.folders),
        "memory": lambda _: Memory(Notes(around.notes)),
        "python": _python,
        "search_knowledge": lambda _: _search(assistant, around.knowledge),
        "web_fetch": lambda _: _web_fetch(around),
        "web_search": lambda settings: _web_search(settings, around),
    }


def _python(_settings: Mapping[str, Setting]) -> Tool | str:
    # Probing starts a process: only for those who want to run code.
    from satchel.runtime.sandbox.probes import find_sandbox
    from satchel.runtime.tools.python import Python

    tool = Python(find_sandbox())
    return tool.problem or tool


def _search(assistant: LoadedAssistant, knowledge: KnowledgeClient | None) -> Tool | str:
    if knowledge is None:
        return "there are no files to search"

    def search(query: str, count: int, _context: CallContext) -> list[KnowledgePassage]:
        summary = knowledge.open()
        found = knowledge.ask(query, k=count, quote=False)
        return [
            KnowledgePassage(one.text, one.file, one.page, label_of_file(assistant, summary, one.file))
            for one in found.passages
        ]

    return SearchKnowledge(search)


def _web_fetch(around: Surroundings) -> Tool:
    from satchel.runtime.tools.egress import Egress
    from satchel.runtime.tools.web_fetch import WebFetch

    return WebFetch(Egress(around.named_places))


def _web_search(settings: Mapping[str, Setting], around: Surroundings) -> Tool | str:
    from satchel.runtime.permissions.places import parse_place
    from satchel.runtime.tools.egress import Egress
    from satchel.runtime.tools.web_search import WebSearch, ddgs, searxng

    address = settings.get("searxng", "")
    if not address:
        return WebSearch(ddgs())
    place = parse_place(str(address))
    return (
        WebSearch(searxng(place, Egress(around.named_places))) if place else f'"{address}" is no address of a SearXNG'
    )
