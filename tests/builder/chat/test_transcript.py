from __future__ import annotations

from collections.abc import Sequence

import pytest
from helpers.chats import say

from satchel.builder.chat.past_chats import Past, Row, rows
from satchel.builder.chat.transcript import Entry, LiveAnswer, branch_of, footer, place_of, span_in
from satchel.runtime.session.events import Cited, Finished, Progress, Retrieved, Source, Token, Usage, Warned
from satchel.runtime.session.history import Chat, History

SOURCE = Source(1, "tides.pdf", 12, 100, 130, "It floods at noon each day.", 0.9)


@pytest.fixture
def history():
    with History(None) as opened:
        yield opened


def test_a_branch_is_the_way_from_the_first_message_to_the_head_with_what_stands_beside_each(history):
    chat = history.create_chat("a", "one")
    question = say(history, chat, None, "q")
    first, second = (say(history, chat, question, text) for text in ("a1", "a2"))
    more = say(history, chat, second, "and?")

    branch = branch_of(history.messages(chat.id), more.id)

    assert [entry.text for entry in branch] == ["q", "a2", "and?"]
    assert branch[1].branches == (first.id, second.id)
    assert (branch[1].branch, branch[0].branch) == (2, 1)
    assert branch_of(history.messages(chat.id), None) == []


def test_an_answer_grows_with_its_events():
    answer = LiveAnswer().after([Progress("searching your files", 0, None)])
    assert answer.step is not None
    assert answer.entry("m").live
    answer = answer.after([Retrieved((SOURCE,)), Token("It "), Token("floods [1]."), Warned("w", "Careful.")])
    assert (answer.text, answer.step, answer.warnings) == ("It floods [1].", None, ("Careful.",))
    assert answer.entry("m").sources == (SOURCE,)
    finished = Finished("answered", "It floods [1].", True, "model", "m", Usage(), {"decode": 500.0}, "id")
    entry = answer.after([Cited(0, 5, SOURCE), Cited(0, 5, SOURCE), finished]).entry("m")
    assert (entry.id, entry.live, entry.sources, entry.words_per_second) == ("id", False, (SOURCE,), 6.0)


def test_what_was_shown_and_not_cited_is_no_source_in_the_end():
    finished = Finished("answered", "Yes.", True, "model", "m", Usage(), {}, "id")
    assert LiveAnswer().after([Retrieved((SOURCE,)), Token("Yes."), finished]).entry("m").sources == ()


def test_the_footer_says_who_spoke_and_how_fast():
    spoken = Entry("i", "assistant", "x", model="Qwen3 4B", timings={"first_word": 312.0}, words_per_second=41.3)
    assert footer(spoken) == "Qwen3 4B · first word 0.3 s · 41 words/s"
    quoted = Entry("i", "assistant", "noon", (SOURCE,), "reader", {"first_word": 48.0})
    assert footer(quoted) == "quoted word for word · first word 0.05 s"
    assert footer(Entry("i", "assistant", "x", model="m", reason="cancelled")) == "stopped · m"


def test_places_and_spans():
    assert place_of(SOURCE) == "tides.pdf · p. 12"
    assert place_of(Source(1, "a.md", None, 0, 1, "x", 1.0)) == "a.md"
    assert place_of(Source(1, "a.pdf", 4, 0, 1, "x", 1.0, "iv")) == "a.pdf · iv"
    scanned = Source(1, "a.pdf", 4, 0, 1, "x", 1.0, from_picture=True)
    assert place_of(scanned) == "a.pdf · p. 4 · read from a picture"
    assert span_in(SOURCE, "noon") == (13, 17)
    assert span_in(SOURCE, "midnight") is None


def chat_ids(found: Sequence[Row]) -> list[str]:
    return [row.chat.id for row in found if row.chat is not None]


def test_the_list_of_chats_has_days_and_holds_what_is_searched_for():
    now = 1_000_000_000.0
    chats = (Chat("1", "a", "Tides", now, now, None), Chat("2", "a", "Boats", now, now - 3 * 86400, None))
    past = Past(chats, {})
    listed = rows(past, now, "", (), ())
    assert [row.heading or (row.chat and row.chat.title) for row in listed] == [
        "Today",
        "Tides",
        "Last 7 days",
        "Boats",
    ]
    assert chat_ids(rows(past, now, "boa", (), ())) == ["2"]
    assert chat_ids(rows(past, now, "moored", {"1"}, ())) == ["1"]
    assert chat_ids(rows(past, now, "", (), {"1"})) == ["2"]
