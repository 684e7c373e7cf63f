"""`satchel chat`, driven through standard input."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.deaf_knowledge_service import BEGAN, FOR_EVER
from helpers.project_folders import write_project
from helpers.python_processes import start_python, wait_until
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.cli.main import main
from satchel.runtime.paths import Home
from satchel.runtime.session.history import History, Message

pytestmark = pytest.mark.usefixtures("warm_home")
CHAT = "import sys; from satchel.runtime.cli.main import main; sys.exit(main(['chat', *sys.argv[1:]]))"

Chat = Callable[..., tuple[str, str]]


@pytest.fixture
def chat(capsys: pytest.CaptureFixture[str], type_in: Callable[[str], None], tmp_path: Path) -> Chat:
    """Return what types lines into a chat and returns what was printed and noted, once it has ended well.

    Without another assistant it is one without files, which answers small talk and starts no worker.
    """
    polite = write_project(tmp_path / "polite", settings='greeting = "Welcome to the harbour."\n')

    def talk(*lines: str, options: tuple[str, ...] = (), assistant: Path = polite) -> tuple[str, str]:
        type_in("".join(f"{line}\n" for line in lines))
        assert main(["chat", str(assistant), *options]) == 0
        said = capsys.readouterr()
        return said.out, said.err

    return talk


def branch(home: Home, chat: int = 0) -> tuple[Message, ...]:
    with History(home.history) as history:
        return history.path(history.chats()[chat].head)


def test_it_greets_answers_and_ends_with_the_input(chat, harbour, warm_home):
    said, noted = chat("hello", "Where is diesel sold?", assistant=harbour.pack)

    assert said.startswith("Harbour guide\nWelcome to the harbour.\n  > When does the gate close?\n/help lists")
    assert "[1] handbook.pdf, p. 2" in said
    assert "no language model spoke" in noted
    assert [message.text for message in branch(warm_home)][:3] == [
        *("hello", "Welcome to the harbour.", "Where is diesel sold?")
    ]


def test_files_that_could_not_be_read_are_told_at_the_start(chat, tmp_path):
    folder = write_project(
        tmp_path / "tutor", files={"knowledge/empty.txt": "", "knowledge/gate.txt": "It opens at nine."}
    )

    _, noted = chat("hello", assistant=folder)

    assert "note: left out empty.txt is empty" in noted


@pytest.mark.parametrize("leaving", ["/quit", "/exit"])
def test_it_ends_when_it_is_told_to(chat, warm_home, leaving):
    said, _ = chat("hello", leaving, "thanks")

    assert "You are welcome" not in said
    assert len(branch(warm_home)) == 2


def test_help_lists_every_command(chat):
    said, _ = chat("/help")

    for command in ("/history", "/edit", "/again", "/branches", "/branch N", "/title", "/new", "/export", "/quit"):
        assert f"\n  {command}" in said


def test_a_command_that_is_none_is_told(chat):
    _, noted = chat("/histroy", "/")

    assert "There is no command /histroy; /help lists them." in noted


def test_blank_lines_are_no_questions(chat, warm_home):
    chat("", "   ")

    with History(warm_home.history) as history:
        assert history.chats() == ()


def test_history_numbers_the_messages_with_who_said_them(chat):
    said, _ = chat("hello", "thanks", "/history")

    assert "    1 you: hello\n    2 reader: Welcome to the harbour.\n    3 you: thanks\n    4 reader: You are" in said


def test_a_message_can_be_asked_anew_and_the_other_version_found_again(chat, warm_home):
    said, _ = chat("hello", "thanks", "/edit 3 bye", "/history", "/branches")

    assert [message.text for message in branch(warm_home)] == ["hello", "Welcome to the harbour.", "bye", "Goodbye."]
    with History(warm_home.history) as history:
        edited = branch(warm_home)[2]
        first, second = history.siblings(edited.id)
    assert f"    {first.id[:8]} user: thanks\n  * {second.id[:8]} user: bye" in said


def test_one_can_go_back_to_a_version_by_the_beginning_of_its_id(chat, warm_home):
    chat("hello", "thanks", "/edit 3 bye")
    with History(warm_home.history) as history:
        first, _ = history.siblings(branch(warm_home)[2].id)
        chat_id = history.chats()[0].id

    said, _ = chat(f"/branch {first.id[:8]}", options=("--chat", chat_id))

    assert "Going on with “hello”." in said
    assert "Going on from: You are welcome." in said
    assert branch(warm_home)[-1].text == "You are welcome."


@pytest.mark.parametrize("number", [1, 2])
def test_one_can_go_on_from_an_earlier_message(chat, warm_home, number):
    said, _ = chat("hello", "thanks", f"/branch {number}", "bye")

    assert "Going on from: Welcome to the harbour." in said
    assert [message.text for message in branch(warm_home)] == ["hello", "Welcome to the harbour.", "bye", "Goodbye."]


def test_again_answers_the_last_question_once_more(chat, warm_home):
    said, _ = chat("hello", "/again", "/branches")

    with History(warm_home.history) as history:
        assert len(history.siblings(branch(warm_home)[-1].id)) == 2
    assert said.count("Welcome to the harbour.") >= 4


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/again", "There is no answer yet."),
        ("/edit", "Say which message, and its new text: /edit N TEXT"),
        ("/edit 1", "Say which message, and its new text: /edit N TEXT"),
        ("/edit 9 text", "Say which message: its number in /history, or a version's id in /branches."),
        ("/edit ² text", "Say which message"),
        ("/branch", "Say which message"),
        ("/branch 0", "Say which message"),
        ("/title new", "A chat has a title from its first message on: /title TEXT"),
        ("/export a.md", "Say where to: /export FILE.md, once something was said."),
    ],
)
def test_what_a_command_lacks_is_told(chat, line, told):
    _, noted = chat(line)

    assert told in noted


def test_an_answer_cannot_be_edited_and_the_chat_goes_on(chat, warm_home):
    said, noted = chat("hello", "/edit 2 text", "thanks")

    assert "There is no message" in noted
    assert "You are welcome." in said
    assert len(branch(warm_home)) == 4


def test_a_new_chat_begins_with_the_next_message(chat, warm_home):
    chat("hello", "/new", "thanks")

    with History(warm_home.history) as history:
        assert {chat.title for chat in history.chats()} == {"hello", "thanks"}


def test_a_chat_can_be_renamed_and_written_as_markdown(chat, harbour, tmp_path):
    path = tmp_path / "chat.md"

    said, _ = chat("Where is diesel sold?", "/title Fuel", f"/export {path}", assistant=harbour.pack)

    assert f"Written: {path}" in said
    text = path.read_text()
    assert text.startswith("# Fuel\n")
    assert "## You\n\nWhere is diesel sold?" in text
    assert "> [1] handbook.pdf, p. 2: Diesel is sold" in text


def test_an_export_that_cannot_be_written_is_told_and_the_chat_goes_on(chat, tmp_path):
    (tmp_path / "file").write_text("x")

    said, noted = chat("hello", f"/export {tmp_path / 'file' / 'chat.md'}", "thanks")

    assert "could not be saved" in noted
    assert "You are welcome." in said


def test_an_export_overwrites_nothing(chat, tmp_path):
    (tmp_path / "mine.md").write_text("mine")

    _, noted = chat("hello", f"/export {tmp_path / 'mine.md'}")

    assert f"{tmp_path / 'mine.md'} is there already; nothing was written." in noted
    assert (tmp_path / "mine.md").read_text() == "mine"


def test_a_tilde_in_an_exports_name_is_the_persons_home(chat, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))

    said, _ = chat("hello", "/export ~/chat.md")

    assert f"Written: {tmp_path / 'ada/chat.md'}" in said
    assert (tmp_path / "ada/chat.md").read_text().startswith("# hello\n")


def test_an_error_in_a_chat_cannot_steer_the_terminal(chat, tmp_path):
    (tmp_path / "file").write_text("x")

    _, noted = chat("hello", f"/export {tmp_path / 'file'}/\x1b[2J.md")

    assert "\\u001b[2J.md could not be saved" in noted
    assert "\x1b" not in noted


def test_a_failed_turn_is_told_and_the_chat_goes_on(chat, tmp_path):
    model = write_gguf(tmp_path / "tiny.gguf", TinyModel(context=256))
    folder = write_project(tmp_path / "tutor", settings="[sampling]\nmax_tokens = 4\n")

    said, noted = chat("tide " * 2000, "tide?", "/history", options=("--model", str(model)), assistant=folder)

    assert "The question does not fit:" in noted
    assert "tiny spoke" in noted
    assert "    2 you: tide?\n    3 tiny:" in said


def test_chats_are_listed_searched_and_deleted(chat, warm_home):
    chat("hello", "/title Greeting")
    chat("Where is diesel sold?")
    with History(warm_home.history) as history:
        fuel, greeting = history.chats()

    listed, _ = chat(options=("--list",))
    found, _ = chat(options=("--search", "diesel"))
    deleted, _ = chat(options=("--delete", greeting.id[:8]))

    assert [line[:8] for line in listed.splitlines()] == [fuel.id[:8], greeting.id[:8]]
    assert listed.splitlines()[1].endswith("Greeting")
    assert f"{fuel.id[:8]}  user: Where is diesel sold?" in found
    assert greeting.id[:8] not in found
    assert deleted == "deleted: Greeting\n"
    with History(warm_home.history) as history:
        assert [chat.id for chat in history.chats()] == [fuel.id]


def test_chats_of_other_assistants_are_neither_listed_found_continued_nor_deleted(chat, tmp_path, warm_home):
    other = write_project(tmp_path / "other", settings="")
    settings = (other / "assistant.toml").read_text()
    (other / "assistant.toml").write_text(settings.replace('id = "0d5f1a52', 'id = "1d5f1a52'))
    chat("hello")

    assert chat(options=("--list",), assistant=other) == ("", "There are no chats with this assistant yet.\n")
    said, noted = chat(options=("--search", "hello"), assistant=other)
    assert (said, noted[:10]) == ("", "No message")
    with History(warm_home.history) as history:
        (theirs,) = history.chats()
    assert main(["chat", str(other), "--delete", theirs.id]) == 72
    assert main(["chat", str(other), "--chat", theirs.id]) == 72
    assert main(["chat", str(other), "--delete", ""]) == 72
    assert branch(warm_home)


def test_a_chat_that_is_not_there_is_an_error(capsys, tmp_path, type_in):
    type_in("hello\n")

    assert main(["chat", str(write_project(tmp_path / "tutor")), "--chat", "zzz"]) == 72
    assert "There is no chat zzz." in capsys.readouterr().err


def test_ctrl_c_stops_the_answer_and_not_the_chat(tmp_path, warm_home):
    folder = write_project(
        tmp_path / "tutor", settings="[sampling]\nmax_tokens = 4000\ntemperature = 0\nrepeat_penalty = 1\n"
    )
    with start_python(CHAT, str(folder), "--model", "starter", "--context", "4096") as talking:
        try:
            assert talking.stdin is not None
            assert talking.stdout is not None
            talking.stdin.write("Write all numbers from 1 to 2000, each on a line of its own.\n")
            talking.stdin.flush()
            while not talking.stdout.readline().startswith("2"):
                pass
            talking.send_signal(signal.SIGINT)
            rest, told = talking.communicate("/history\n", timeout=30)
        finally:
            talking.kill()

    assert talking.returncode == 0
    assert "Stopped after" in told
    assert "    1 you: Write all numbers" in rest
    question, answer = branch(warm_home)
    assert question.text.startswith("Write all numbers")
    assert "2" in answer.text


def test_ctrl_c_stops_an_answer_whose_worker_does_not_listen(harbour, tmp_path):
    began = tmp_path / "began"
    deaf = (
        "from satchel.runtime.knowledge import starting; starting._SERVICE = 'helpers.deaf_knowledge_service';" + CHAT
    )
    with start_python(deaf, str(harbour.pack), "--model", "reader", extra={BEGAN: str(began)}) as talking:
        try:
            assert talking.stdin is not None
            talking.stdin.write(f"Think {FOR_EVER}.\n")
            talking.stdin.flush()
            wait_until(began.exists)
            talking.send_signal(signal.SIGINT)
            rest, told = talking.communicate("Where is diesel sold?\n", timeout=30)
        finally:
            talking.kill()

    assert talking.returncode == 0
    assert "Stopped after" in told
    assert "Diesel is sold at the eastern pier" in rest
