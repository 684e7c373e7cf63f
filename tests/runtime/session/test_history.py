"""The tree of messages in its file: what is kept, what is found, what is really gone, and what breaks how."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from helpers.python_processes import run_python, start_python
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.errors import BusyError, SatchelError, SaveError
from satchel.runtime.session.errors import HistoryDamagedError, UnknownChatError, UnknownMessageError
from satchel.runtime.session.history import Chat, History, Message, Part


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    with History(path) as history:
        yield history


def say(history: History, chat: Chat, parent: Message | None, text: str, **more: object) -> Message:
    role = "user" if parent is None or parent.role == "assistant" else "assistant"
    return history.add_message(chat.id, parent.id if parent else None, role, (Part("text", text),), **more)


def say_many(history: History, chat: Chat, count: int) -> list[Message]:
    """Add a chain without waiting for the disk each time."""
    history._database.execute("PRAGMA synchronous = OFF")
    messages: list[Message] = []
    for number in range(count):
        messages.append(say(history, chat, messages[-1] if messages else None, f"message {number}"))
    return messages


def texts(messages: tuple[Message, ...]) -> list[str]:
    return [message.text for message in messages]


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
def test_an_unknown_or_ambiguous_chat_is_an_error(history, given):
    history.create_chat("a", "1")
    history.create_chat("a", "2")

    with pytest.raises(UnknownChatError):
        history.chat(given)


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


def file_bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in (path, Path(f"{path}-wal"), Path(f"{path}-journal")) if file.exists())


def test_deleting_a_chat_removes_its_words_from_the_disk(history, path):
    kept = history.create_chat("a", "kept title")
    say(history, kept, None, "harmless remark")
    chat = history.create_chat("a", "Zanzibarian title")
    parent = None
    for number in range(60):
        parent = say(history, chat, parent, f"Xylophonist{number} " * 40, model="quincemodel")
    history.rename_chat(chat.id, "Ptarmigan title")
    before = file_bytes(path)
    assert b"Xylophonist7" in before
    assert b"xylophonist" in before  # the search index holds folded words
    assert b"Ptarmigan" in before

    history.delete_chat(chat.id)

    after = file_bytes(path)
    for trace in (b"Xylophonist", b"xylophonist", b"Zanzibarian", b"Ptarmigan", b"quincemodel", chat.id.encode()):
        assert trace not in after, trace
    assert b"harmless remark" in after
    assert texts(history.search("harmless xylophonist7")) == ["harmless remark"]


def test_deleting_one_of_many_chats_removes_its_words_from_merged_index_segments_too(history, path):
    history._database.execute("PRAGMA synchronous = OFF")
    generator = random.Random(4)
    chats = [history.create_chat("a", f"title {number}") for number in range(12)]
    for _ in range(25):
        for number, chat in enumerate(chats):
            say(history, chat, None, f"common{generator.randrange(50)} distinct{number}word common")

    history.delete_chat(chats[3].id)

    assert b"distinct3word" not in file_bytes(path)
    assert len(history.search("distinct4word", limit=100)) == 25


def test_a_deleted_chat_is_unknown_and_deleting_it_again_is_harmless(history):
    chat = history.create_chat("a", "t")
    message = say(history, chat, None, "x")

    history.delete_chat(chat.id)
    history.delete_chat(chat.id)

    with pytest.raises(UnknownChatError):
        history.chat(chat.id)
    with pytest.raises(UnknownMessageError):
        history.message(message.id)
    assert history.chats() == ()


def test_a_chat_of_ten_thousand_messages_is_walked_searched_and_deleted(history, path):
    chat = history.create_chat("a", "long")
    messages = say_many(history, chat, 10_000)

    assert len(history.path(messages[-1].id)) == 10_000
    assert history.latest_leaf(messages[0].id) == messages[-1].id
    assert texts(history.search("9999")) == ["message 9999"]

    history.delete_chat(chat.id)

    assert history.search("message") == ()
    assert b"message 9999" not in file_bytes(path)


WRITE_FIFTY = """
import sys
from pathlib import Path
from satchel.runtime.session.history import History, Part
path, chat_id, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
with History(path) as history:
    print("ready", flush=True)
    sys.stdin.readline()
    parent = None
    for number in range(50):
        parent = history.add_message(chat_id, parent, "user", (Part("text", f"{name} {number}"),)).id
"""


def test_two_processes_write_the_same_chat_and_nothing_is_lost(history, path):
    chat = history.create_chat("a", "shared")
    writers = [start_python(WRITE_FIFTY, str(path), chat.id, name) for name in ("left", "right")]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        _, complaints = writer.communicate("go\n", timeout=60)
        assert writer.returncode == 0, complaints

    roots = history.siblings(history.path(history.chat(chat.id).head)[0].id)
    assert {root.text for root in roots} == {"left 0", "right 0"}
    for root in roots:
        name = root.text.split()[0]
        branch = history.path(history.latest_leaf(root.id))
        assert texts(branch) == [f"{name} {number}" for number in range(50)]


def test_many_may_open_a_new_history_at_the_same_moment(tmp_path):
    for attempt in range(20):
        barrier = threading.Barrier(4)
        failures: list[Exception] = []

        def open_together(path: Path, barrier: threading.Barrier, failures: list[Exception]) -> None:
            barrier.wait()
            try:
                with History(path) as history:
                    history.create_chat("a", "t")
            except SatchelError as error:
                failures.append(error)

        path = tmp_path / f"{attempt}.sqlite3"
        threads = [threading.Thread(target=open_together, args=(path, barrier, failures)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        with History(path) as history:
            assert len(history.chats()) == 4


def test_a_writer_that_holds_the_file_for_too_long_makes_others_busy(path, monkeypatch):
    monkeypatch.setattr("satchel.runtime.session.history._WAIT_SECONDS", 0.1)
    with History(path) as waiting:
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")

        with pytest.raises(BusyError) as raised:
            waiting.create_chat("a", "t")

        assert str(path) in raised.value.message
        blocker.execute("ROLLBACK")
        blocker.close()
        assert waiting.create_chat("a", "t").title == "t"


def test_a_killed_writer_leaves_a_history_that_opens(history, path):
    chat = history.create_chat("a", "t")
    program = WRITE_FIFTY.replace("range(50)", "range(10**9)").replace(
        "parent = history", "print(number); parent = history"
    )
    with start_python(program, str(path), chat.id, "killed") as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
        while writer.stdout.readline() != "20\n":
            pass
        writer.kill()

    with History(path) as again:
        written = texts(again.path(again.chat(chat.id).head))
    assert len(written) >= 20
    assert written == [f"killed {number}" for number in range(len(written))]


def test_a_full_disk_is_an_error_that_loses_nothing(path):
    program = """
import resource, sys
from pathlib import Path
from satchel.runtime.errors import SaveError
from satchel.runtime.session.history import History, Part
with History(Path(sys.argv[1])) as history:
    chat = history.create_chat("a", "t")
    kept = history.add_message(chat.id, None, "user", (Part("text", "kept"),))
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    try:
        history.add_message(chat.id, kept.id, "assistant", (Part("text", "x" * 1_000_000),))
    except SaveError as error:
        print(error.exit_code)
    history.add_message(chat.id, kept.id, "assistant", (Part("text", "short"),))
"""
    finished = run_python(program, str(path))

    assert finished.stdout == "61\n", finished.stderr
    with History(path) as history:
        assert texts(history.path(history.chats()[0].head)) == ["kept", "short"]


@pytest.mark.parametrize("content", [b"this is no database, but it is long enough to be taken for one" * 30, b"SQLite"])
def test_a_file_that_is_no_history_is_refused_and_left_as_it_is(path, content):
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(HistoryDamagedError) as raised:
        History(path)

    assert str(path) in raised.value.message
    assert "--no-history" in raised.value.advice
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_history(path):
    path.parent.mkdir()
    path.touch()

    with History(path) as history:
        assert history.create_chat("a", "t").title == "t"


def test_pages_overwritten_in_the_middle_are_an_error_that_names_the_file(path):
    with History(path) as history:
        chat = history.create_chat("a", "t")
        last = say_many(history, chat, 300)[-1]
    content = bytearray(path.read_bytes())
    content[4096:-4096] = bytes(len(content) - 8192)
    path.write_bytes(content)

    with pytest.raises(HistoryDamagedError, match=r"history\.sqlite3"), History(path) as history:  # noqa: PT012
        history.chats()
        history.search("message")
        history.path(last.id)


def test_a_file_cut_short_is_an_error_that_names_the_file(path):
    with History(path) as history:
        last = say_many(history, history.create_chat("a", "t"), 300)[-1]
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 8192 * 4096])

    with pytest.raises(HistoryDamagedError, match=r"history\.sqlite3"), History(path) as history:  # noqa: PT012
        history.path(last.id)
        history.search("message")
        history.delete_chat(history.chats()[0].id)


def test_a_message_whose_parts_are_damaged_is_an_error_that_names_the_file(history):
    chat = history.create_chat("a", "t")
    message = say(history, chat, None, "x")
    history._database.execute('UPDATE messages SET parts = \'[{"kind": "hologram"}]\'')

    with pytest.raises(HistoryDamagedError, match="hologram"):
        history.message(message.id)


def test_a_history_of_a_newer_satchel_is_refused_and_left_as_it_is(history, path):
    history._database.execute("PRAGMA user_version = 2")

    with pytest.raises(HistoryDamagedError, match="it has version 2, from a newer Satchel"):
        History(path)

    assert sqlite3_value(path, "PRAGMA user_version") == 2


def sqlite3_value(path: Path, statement: str) -> object:
    database = sqlite3.connect(path)
    try:
        return database.execute(statement).fetchone()[0]
    finally:
        database.close()


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path):
    with pytest.raises(SaveError, match="unable to open"):
        History(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "data").write_text("")

    with pytest.raises(SaveError, match=r"data/history\.sqlite3"):
        History(tmp_path / "data" / "history.sqlite3")


def test_a_history_in_memory_writes_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with History(None) as history:
        chat = history.create_chat("a", "t")
        say(history, chat, None, "not kept")
        assert len(history.search("kept")) == 1
        history.delete_chat(chat.id)

    assert list(tmp_path.iterdir()) == []


def test_a_part_with_an_unknown_key_is_refused():
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"kind": "text", "colour": "red"}', type=Part)
