"""The history's file: what is really gone, who may write at once, and what damage looks like."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest
from helpers.chats import say, say_many, texts
from helpers.python_processes import run_python, start_python

from satchel.runtime.errors import BusyError, SatchelError, SaveError
from satchel.runtime.session.errors import HistoryDamagedError, UnknownChatError, UnknownMessageError
from satchel.runtime.session.history import History, Part


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


def test_only_chats_had_with_a_pack_alone_go_with_it(history):
    def chat_with(*packs: str) -> str:
        chat = history.create_chat("a", "t")
        parent = None
        for pack in packs:
            parent = history.add_message(chat.id, parent, "user", (Part("text", "x"),), pack_id=pack).id
        return chat.id

    alone = [chat_with("one"), chat_with("one", "one")]
    kept = [chat_with("one", "two"), chat_with("", "one"), chat_with("two"), chat_with()]

    assert set(history.chats_of_pack("one")) == set(alone)
    assert history.delete_chats_of_pack("one") == 2
    assert {chat.id for chat in history.chats()} == set(kept)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a person's folder to them by other means")
def test_nobody_else_may_read_the_chats(tmp_path):
    path = tmp_path / "data" / "history.sqlite3"
    path.parent.mkdir(mode=0o755)
    path.touch(0o644)

    with History(path) as history:
        say(history, history.create_chat("a", "t"), None, "x")

        modes = {found.name: found.stat().st_mode & 0o777 for found in [path.parent, *path.parent.iterdir()]}

    assert modes.pop("data") == 0o700
    assert len(modes) == 3  # with SQLite's log and its index
    assert set(modes.values()) == {0o600}


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

    with pytest.raises(HistoryDamagedError, match=r"history\.sqlite3"), History(path) as history:  # noqa: PT012 - any of them may be first to notice
        history.chats()
        history.search("message")
        history.path(last.id)


def test_a_file_cut_short_is_an_error_that_names_the_file(path):
    with History(path) as history:
        last = say_many(history, history.create_chat("a", "t"), 300)[-1]
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 8192 * 4096])

    with pytest.raises(HistoryDamagedError, match=r"history\.sqlite3"), History(path) as history:  # noqa: PT012 - any of them may be first to notice
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
