"""A chat as Markdown."""

from __future__ import annotations

import msgspec

from satchel.runtime.session.events import Source
from satchel.runtime.session.export import chat_as_markdown
from satchel.runtime.session.history import Chat, Message, Part

CHAT = Chat("c", "a", "The gate", 1_700_000_000.0, 1_700_000_000.0, "2")
GATE = Source(1, "gate.txt", None, 0, 36, "The flood gate\ncloses at 3.2 metres.", 0.9)
FUEL = Source(2, "handbook.pdf", 12, 0, 10, "Diesel.", 0.5, "xii")


def message(identity: str, role: str, *parts: Part, model: str = "") -> Message:
    return Message(identity, "c", None, role, parts, {}, "", model, {}, 0.0)


def source(value: Source) -> Part:
    return Part("source", detail=msgspec.to_builtins(value))


def test_each_answer_is_followed_by_its_sources_once_each():
    messages = [
        message("1", "user", Part("text", "When does it close? ")),
        message(
            "2", "assistant", Part("text", "At 3.2 m [1]."), source(GATE), source(GATE), source(FUEL), model="starter"
        ),
    ]

    title, _, day, _, *lines = chat_as_markdown(CHAT, messages).split("\n")

    assert title == "# The gate"
    assert day.startswith("2023-11-1")
    assert lines == [
        "## You",
        "",
        "When does it close?",
        "",
        "## starter",
        "",
        "At 3.2 m [1].",
        "",
        "> [1] gate.txt: The flood gate closes at 3.2 metres.",
        "",
        "> [2] handbook.pdf, p. xii: Diesel.",
        "",
    ]


def test_a_chat_without_messages_has_its_title_and_day():
    assert chat_as_markdown(CHAT, ()).startswith("# The gate\n\n2023-11-1")
