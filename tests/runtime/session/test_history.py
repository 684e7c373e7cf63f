"""The tree of messages in its file: what is kept, and what is found."""

from __future__ import annotations

import pytest
from helpers.chats import say, texts
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.session.errors import AmbiguousChatError, UnknownChatError, UnknownMessageError
from satchel.runtime.session.history import History, Part


def test_a_message_comes_back_with_all_that_it_was_given(history, path):
    chat = history.create_chat("assistant-1", "Tides")
    parts = (
        Part("thinking", "The moon …"),
        Part("text", "At noon 🌊"),
        Part("tool_call", detail={"name": "search", "arguments": {"q": ["a", 1, None, 2.5]}}),
        Part("text", ", says the table."),
    )
    question = say(history, chat, None, "When?")
    written = history.add_message(
        chat.id,
        question.id,
        "assistant",
        parts,
        labels={"integrity": "untrusted"},
        pack_id="ab" * 32,
        model="reader",
        timings={"search": 1.5},
    )

    with History(path) as again:
        assert again.message(written.id) == written
        assert again.message(written.id).text == "At noon 🌊, says the table."
        assert again.message(written.id).parts == parts


def test_the_path_leads_from_the_root_to_a_message(history):
    chat = history.create_chat("a", "t")
    first = say(history, chat, None, "1")
    second = say(history, chat, first, "2")
    third = say(history, chat, second, "3")

    assert texts(history.path(third.id)) == ["1", "2", "3"]
    assert texts(history.path(first.id)) == ["1"]
    assert history.path(None) == ()


def test_each_new_message_is_the_head_and_the_chat_moves_to_the_top(history):
    older, newer = history.create_chat("a", "older"), history.create_chat("a", "newer")
    assert [chat.title for chat in history.chats()] == ["newer", "older"]

    message = say(history, older, None, "again")

    assert history.chat(older.id).head == message.id
    assert [chat.title for chat in history.chats()] == ["older", "newer"]
    assert history.chat(newer.id).head is None


def test_editing_a_question_makes_a_branch_and_overwrites_nothing(history):
    chat = history.create_chat("a", "t")
    question = say(history, chat, None, "When does it flood?")
    answer = say(history, chat, question, "At noon.")
    edited = say(history, chat, None, "When does it ebb?")
    other_answer = say(history, chat, edited, "At six.")

    assert texts(history.siblings(edited.id)) == ["When does it flood?", "When does it ebb?"]
    assert texts(history.path(answer.id)) == ["When does it flood?", "At noon."]
    assert texts(history.path(other_answer.id)) == ["When does it ebb?", "At six."]


def test_answering_again_adds_a_sibling(history):
    chat = history.create_chat("a", "t")
    question = say(history, chat, None, "When?")
    answers = [say(history, chat, question, text) for text in ("At noon.", "At twelve.", "Midday.")]

    assert [message.id for message in history.siblings(answers[1].id)] == [answer.id for answer in answers]


def test_roots_of_other_chats_are_no_siblings(history):
    one, other = history.create_chat("a", "1"), history.create_chat("a", "2")
    say(history, other, None, "elsewhere")
    mine = say(history, one, None, "here")

    assert texts(history.siblings(mine.id)) == ["here"]


def test_a_branch_goes_on_at_its_newest_leaf(history):
    chat = history.create_chat("a", "t")
    root = say(history, chat, None, "root")
    left = say(history, chat, root, "left")
    right = say(history, chat, root, "right")
    leaf = say(history, chat, left, "left leaf")

    assert history.latest_leaf(root.id) == right.id
    assert history.latest_leaf(left.id) == leaf.id
    assert history.latest_leaf(leaf.id) == leaf.id


def test_another_branch_is_shown_by_moving_the_head(history):
    chat = history.create_chat("a", "t")
    first, second = say(history, chat, None, "first"), say(history, chat, None, "second")
    assert history.chat(chat.id).head == second.id

    history.set_head(chat.id, first.id)
    assert history.chat(chat.id).head == first.id

    history.set_head(chat.id, None)
    assert history.chat(chat.id).head is None


def test_the_head_cannot_be_moved_to_a_message_that_is_not_there_and_nothing_breaks(history):
    chat, other = history.create_chat("a", "t"), history.create_chat("a", "u")
    elsewhere = say(history, other, None, "elsewhere")

    for message_id in ("nowhere", elsewhere.id):
        with pytest.raises(UnknownMessageError):
            history.set_head(chat.id, message_id)

    assert history.chat(chat.id).head is None
    assert say(history, chat, None, "still writable").text == "still writable"


def test_a_parent_must_be_in_the_same_chat(history):
    chat, other = history.create_chat("a", "t"), history.create_chat("a", "u")
    elsewhere = say(history, other, None, "elsewhere")

    for parent in ("nowhere", elsewhere.id):
        with pytest.raises(UnknownMessageError):
            history.add_message(chat.id, parent, "user", (Part("text", "x"),))


def test_a_message_for_a_chat_that_was_deleted_meanwhile_is_refused(history, path):
    chat = history.create_chat("a", "t")
    with History(path) as elsewhere:
        elsewhere.delete_chat(chat.id)

    with pytest.raises(UnknownChatError):
        say(history, chat, None, "too late")

    assert history.search("late") == ()
    assert history.create_chat("a", "still writable").title == "still writable"


def test_a_parent_that_was_deleted_meanwhile_is_an_error_that_names_it(history, path):
    chat = history.create_chat("a", "t")
    parent = say(history, chat, None, "question")
    with History(path) as elsewhere:
        elsewhere.delete_chat(chat.id)

    with pytest.raises(UnknownMessageError, match=parent.id):
        say(history, chat, parent, "too late")


def test_a_chat_is_found_by_a_prefix_that_only_it_has(history):
    chats = [history.create_chat("a", str(number)) for number in range(40)]
    chosen = chats[0]

    assert history.chat(chosen.id) == chosen
    assert history.chat(chosen.id[:20]) == chosen


@pytest.mark.parametrize("given", ["", "zzz", "%", "_", "' OR 1=1 --", "\0", "00000000-0000-0000-0000-000000000000x"])
def test_an_unknown_chat_is_an_error(history, given):
    history.create_chat("a", "1")
    history.create_chat("a", "2")

    with pytest.raises(UnknownChatError):
        history.chat(given)


def test_a_beginning_that_several_chats_have_is_an_error_of_its_own(history):
    begins = [history.create_chat("a", str(number)).id[0] for number in range(17)]
    twice = next(digit for digit in begins if begins.count(digit) > 1)  # there are but 16 digits

    with pytest.raises(AmbiguousChatError):
        history.chat(twice)


def test_a_chat_with_another_assistant_is_not_found(history):
    chat = history.create_chat("mine", "1")

    assert history.chat(chat.id[:8], assistant_id="mine") == chat
    with pytest.raises(UnknownChatError):
        history.chat(chat.id, assistant_id="other")


def test_chats_are_listed_by_assistant(history):
    mine = history.create_chat("mine", "1")
    history.create_chat("other", "2")

    assert [chat.id for chat in history.chats("mine")] == [mine.id]
    assert len(history.chats()) == 2
    assert history.chats("nobody") == ()


def test_a_chat_can_be_renamed(history):
    chat = history.create_chat("a", "untitled")

    history.rename_chat(chat.id, "Ebbe & Flut 🌊")

    assert history.chat(chat.id).title == "Ebbe & Flut 🌊"
    with pytest.raises(UnknownChatError):
        history.rename_chat("nowhere", "x")


def test_search_finds_any_of_the_words_whatever_case_and_accents(history):
    chat = history.create_chat("a", "t")
    say(history, chat, None, "The harbour FLOODS at noon, says the café owner.")
    say(history, chat, None, "Nothing of interest.")

    assert len(history.search("floods")) == 1
    assert len(history.search("cafe interest")) == 2
    assert history.search("flood") == ()


def test_search_puts_the_best_match_first_not_the_newest(history):
    chat = history.create_chat("a", "t")
    say(history, chat, None, "tide tide tide table")
    say(history, chat, None, "a long message that happens to mention a tide once among many other words " * 3)

    assert history.search("tide table")[0].text == "tide tide tide table"


def test_search_keeps_to_a_chat_and_a_limit_when_told_so(history):
    chat, other = history.create_chat("a", "t"), history.create_chat("a", "u")
    for number in range(5):
        say(history, chat, None, f"tide {number}")
    say(history, other, None, "tide elsewhere")

    assert len(history.search("tide", chat_id=chat.id)) == 5
    assert len(history.search("tide", limit=3)) == 3
    assert texts(history.search("tide", chat_id=other.id)) == ["tide elsewhere"]


def test_search_keeps_to_an_assistant_however_many_others_say_the_same(history):
    mine = history.create_chat("mine", "1")
    said = say(history, mine, None, "when does the tide turn, and why so late")
    for _ in range(25):
        say(history, history.create_chat("other", "2"), None, "tide")

    assert history.search("tide", assistant_id="mine") == (said,)


def test_search_reads_neither_thinking_nor_tools(history):
    chat = history.create_chat("a", "t")
    parts = (Part("thinking", "secretly"), Part("text", "openly"), Part("tool_result", "machinery"))
    history.add_message(chat.id, None, "assistant", parts)

    assert len(history.search("openly")) == 1
    assert history.search("secretly machinery") == ()


@pytest.mark.parametrize(
    "query",
    [
        '"',
        '""',
        "\"unbalanced 'quotes",
        "a AND",
        "OR OR NOT",
        "NEAR(a b, 3)",
        "text: a",
        "{text} : a",
        "-a +b ^c",
        "a*",
        "(((",
        "; DROP TABLE messages; --",
        "\\",
        "a\0b",
        "\ud800 lone",
        "什么时候涨潮",
        "いつ満ち潮",
        "👩‍👩‍👧 🌊",
        "\u202e\u200b",
        "%s ?1 :x",
        "",
        " \t\n ",
    ],
)
def test_no_query_is_an_error(history, query):
    chat = history.create_chat("a", "t")
    say(history, chat, None, "a b c 什么时候涨潮 👩‍👩‍👧")

    assert isinstance(history.search(query), tuple)


@given(query=st.text(alphabet=st.characters(), max_size=40))
def test_no_text_at_all_is_an_error_when_it_is_searched_for(query):
    with History(None) as history:
        chat = history.create_chat("a", "t")
        say(history, chat, None, "tide")
        assert len(history.search("tide " + query)) == 1


def test_a_whole_page_can_be_searched_for(history):
    chat = history.create_chat("a", "t")
    say(history, chat, None, "word4999")

    assert len(history.search(" ".join(f"word{number}" for number in range(5000)))) == 1


def test_chinese_words_are_found_as_they_were_written(history):
    chat = history.create_chat("a", "t")
    say(history, chat, None, "涨潮")

    assert len(history.search("涨潮")) == 1


def test_all_messages_of_a_chat_come_at_once_with_every_branch(history):
    chat, other = history.create_chat("a", "one"), history.create_chat("a", "two")
    question = say(history, chat, None, "question")
    answers = [say(history, chat, question, text) for text in ("first", "second")]
    say(history, other, None, "elsewhere")

    assert history.messages(chat.id) == (question, *answers)
