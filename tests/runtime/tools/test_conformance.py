"""Every tool passes the one suite."""

from __future__ import annotations

import datetime as dt
import json
import sys

import pytest
from helpers.tool_conformance import CHECKS, Specimen
from helpers.web_server import page, serving

from satchel.runtime.permissions.labels import LOWEST, WEB
from satchel.runtime.sandbox.probes import find_sandbox
from satchel.runtime.tools.ask_user import AskUser
from satchel.runtime.tools.calculator import Calculator
from satchel.runtime.tools.clock import Clock
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.files import Files, PickedFolder
from satchel.runtime.tools.memory import Memory
from satchel.runtime.tools.notes import Notes
from satchel.runtime.tools.python import Python
from satchel.runtime.tools.search_knowledge import KnowledgePassage, SearchKnowledge
from satchel.runtime.tools.web_fetch import WebFetch
from satchel.runtime.tools.web_search import WebSearch, searxng

MOMENT = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def sandbox():
    return find_sandbox()


@pytest.fixture
def server():
    results = {"results": [{"title": "Tides", "url": "https://example.org/tides", "content": "The Moon pulls."}]}

    def answer(request, _body):
        if request.startswith("GET /search"):
            return page(json.dumps(results), media_type="application/json")
        return page("<html><body><h1>Tides</h1><p>The Moon pulls the sea.</p></body></html>")

    with serving(answer) as one:
        yield one


@pytest.fixture
def make(tmp_path, server, sandbox):
    """A builder of one tool's specimen by its name."""

    def files():
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes/a.txt").write_text("one\ntwo\n")
        good = {
            "files_list": [{"folder": "notes"}],
            "files_read": [{"folder": "notes", "file": "a.txt"}, {"folder": "notes", "file": "a.txt", "from_line": 2}],
            "files_write": [{"folder": "notes", "file": "sub/b.txt", "text": "three"}],
        }
        return Specimen(Files({"notes": PickedFolder(tmp_path / "notes", writable=True)}), good)

    def memory():
        notes = Notes(tmp_path / "notes.json")
        notes.add("They live in Bonn.", WEB)
        good = {"memory_write": [{"note": "They like tides."}], "memory_recall": [{}, {"words": "Bonn"}]}
        return Specimen(Memory(notes), good)

    def python():
        if sandbox.confinement is None:
            pytest.skip(sandbox.in_words)
        return Specimen(Python(sandbox), {"python": [{"code": "1 + 1"}]})

    def search_knowledge():
        passages = [KnowledgePassage("The Moon pulls the sea.", "tides.pdf", 3, LOWEST)]
        good = {"search_knowledge": [{"query": "tides"}, {"query": "tides", "passages": 2}]}
        return Specimen(SearchKnowledge(lambda _query, count, _context: passages[:count]), good)

    egress = Egress([server.place])
    builders = {
        "calculator": lambda: Specimen(Calculator(), {"calculator": [{"expression": "2 + 3 km/km"}]}),
        "clock": lambda: Specimen(Clock(lambda: MOMENT), {"clock": [{}, {"time_zone": "UTC"}]}),
        "ask_user": lambda: Specimen(
            AskUser(lambda _question, choices, _context: choices[0] if choices else "yes"),
            {"ask_user": [{"question": "Which?", "choices": ["this", "that"]}, {"question": "Sure?"}]},
        ),
        "search_knowledge": search_knowledge,
        "memory": memory,
        "files": files,
        "python": python,
        "web_fetch": lambda: Specimen(WebFetch(egress), {"web_fetch": [{"address": f"{server.place}/tides"}]}),
        "web_search": lambda: Specimen(
            WebSearch(searxng(server.place, egress)), {"web_search": [{"query": "tides", "results": 3}]}
        ),
    }

    def build(name):
        return builders[name]()

    return build


TOOLS = (
    "calculator", "clock", "ask_user", "search_knowledge", "memory", "python", "web_fetch", "web_search",
    *(("files",) if sys.platform != "win32" else ()),
)  # fmt: skip


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("_"))
@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_keeps_the_contract(make, name, check):
    specimen = make(name)
    try:
        check(specimen)
    finally:
        specimen.runner.close()
