"""Opening an assistant with the model that suits, and answering one question or many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.project_folders import write_files, write_project
from helpers.scripted_gguf import write_scripted_gguf
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.commands.answer import AnswerOptions, answer_batch, events_within, open_session
from satchel.runtime.commands.time_limit import TimeLimit
from satchel.runtime.engine.errors import ModelMissingError
from satchel.runtime.errors import OutOfTimeError, UsageError
from satchel.runtime.permissions.audit import AuditLog
from satchel.runtime.session.choosing import ModelRequest
from satchel.runtime.session.errors import UnknownChatError
from satchel.runtime.session.events import Finished, Token
from satchel.runtime.session.history import History
from satchel.runtime.settings import SettingsError

QUOTING = AnswerOptions(ModelRequest("reader"))
SPEAKING = AnswerOptions(ModelRequest("starter", context=4096))
COUNT = "Write a very long novel about the sea, with fifty chapters."
UNKEPT = AnswerOptions(ModelRequest("reader"), keep_history=False)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """An assistant that the Starter answers at great length."""
    sampling = "[sampling]\nmax_tokens = 4000\ntemperature = 0\nrepeat_penalty = 1\n"
    return write_project(tmp_path / "tutor", settings=sampling, files={"instructions.md": "Never stop."})


def lines(path: Path, *questions: object) -> Path:
    path.write_text("".join(json.dumps(question) + "\n\n" for question in questions))
    return path


def test_a_question_is_answered_and_kept(harbour, warm_home):
    with open_session(str(harbour.pack), QUOTING, warm_home) as session:
        *_, finished = session.turn("Where is diesel sold?")
        assert isinstance(finished, Finished)
        assert session.chat is not None

    with History(warm_home.history) as history:
        (chat,) = history.chats()
        assert chat.title == "Where is diesel sold?"
        question, answer = history.path(chat.head)
        assert (question.text, answer.text) == ("Where is diesel sold?", finished.answer)
        assert (answer.model, answer.pack_id) == ("reader", harbour.pack_id)


def test_without_history_nothing_is_written(harbour, warm_home):
    with open_session(str(harbour.pack), UNKEPT, warm_home) as session:
        list(session.turn("Where is diesel sold?"))

    assert not warm_home.data.exists()


def test_a_chat_goes_on_by_the_beginning_of_its_id(harbour, warm_home):
    with open_session(str(harbour.pack), QUOTING, warm_home) as session:
        list(session.turn("hello"))
        assert session.chat is not None
        chat_id = session.chat.id

    with open_session(str(harbour.pack), QUOTING, warm_home, chat=chat_id[:6]) as session:
        list(session.turn("thanks"))
        assert session.chat is not None
        assert [message.text for message in session.history.path(session.chat.head)] == [
            *("hello", "Welcome to the harbour.", "thanks", "You are welcome.")
        ]


def test_a_chat_that_is_not_there_is_named(harbour, warm_home):
    with (
        pytest.raises(UnknownChatError, match="There is no chat zzz"),
        open_session(str(harbour.pack), QUOTING, warm_home, chat="zzz"),
    ):
        pass


def test_a_model_that_is_not_there_is_named(harbour, warm_home):
    with (
        pytest.raises(ModelMissingError, match="no-such-model"),
        open_session(str(harbour.pack), AnswerOptions(ModelRequest("no-such-model")), warm_home),
    ):
        pass


def test_wrong_settings_are_named(harbour, warm_home):
    write_files(warm_home.settings, {"settings.toml": "threads = -1\n"})

    with pytest.raises(SettingsError, match=r"settings\.toml"), open_session(str(harbour.pack), QUOTING, warm_home):
        pass


def test_past_its_time_a_turn_is_stopped_and_what_was_said_is_kept(endless, home):
    with open_session(str(endless), SPEAKING, home) as session:
        list(session.turn("Say hello."))  # loads the model
        said: list[str] = []
        with pytest.raises(OutOfTimeError, match=r"longer than the 2 s it was given \(answering\)"):
            said.extend(event.text for event in events_within(session, COUNT, TimeLimit(2)) if isinstance(event, Token))
        assert session.chat is not None
        question, answer = session.history.path(session.chat.head)[-2:]

    assert question.text == COUNT
    assert answer.role == "assistant"
    assert answer.text == "".join(said).strip()
    assert answer.text


def test_time_that_is_up_already_asks_nothing(harbour, warm_home):
    limit = TimeLimit(1e-9)

    with open_session(str(harbour.pack), UNKEPT, warm_home) as session:
        with pytest.raises(OutOfTimeError):
            list(events_within(session, "Where is diesel sold?", limit))
        assert session.chat is None


def test_a_turn_in_time_is_all_there(harbour, warm_home):
    with open_session(str(harbour.pack), UNKEPT, warm_home) as session:
        events = list(events_within(session, "Where is diesel sold?", TimeLimit(100)))

    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "answered"


def test_a_previews_tools_leave_nothing_of_what_they_told_outside_of_its_folder(tmp_path, home):
    call = ("<tool_call>", '{"name": "calculator", "arguments": {"expression": "317 * 24"}}', "</tool_call>")
    model = write_scripted_gguf(tmp_path / "scripted.gguf", call, after_tools=("Well.",))
    folder = write_project(tmp_path / "tutor", settings="[tools.calculator]\n")
    options = AnswerOptions(ModelRequest(str(model)), history=tmp_path / "preview" / "history.sqlite3")

    with open_session(str(folder), options, home) as session:
        *_, finished = session.turn("What is 317 times 24?")

    assert finished.answer == "Well."
    records = AuditLog(home.data / "audit").read()
    assert [record.told.arguments for record in records if record.told is not None] == [{}, {}]


def test_a_batch_answers_each_line_on_its_own_and_keeps_no_history(harbour, warm_home, tmp_path):
    questions = lines(
        tmp_path / "q.jsonl",
        {"question": "Where is diesel sold?", "id": "fuel"},
        {"question": "And who is the keeper?"},
    )
    steps: list[tuple[str, int, int | None]] = []

    first, second = answer_batch(
        str(harbour.pack), questions, QUOTING, warm_home, progress=lambda *step: steps.append(step)
    )

    assert (first.line, first.id, second.line, second.id) == (1, "fuel", 3, None)
    assert first.result is not None
    assert first.result.sources[0].file == "handbook.pdf"
    assert first.error is second.error is None
    assert [step for step in steps if step[0] == "answering"] == [("answering", done, 2) for done in range(3)]
    assert not warm_home.history.exists()


def test_a_batch_comes_from_standard_input_with_ids_as_they_are(harbour, warm_home, type_in):
    type_in('\ufeff{"question": "Where is diesel\u2028sold?", "id": 7}\r\n\r\n{"question": "hello", "id": "7"}')

    answers = list(answer_batch(str(harbour.pack), Path("-"), QUOTING, warm_home))

    assert [(answer.line, answer.id, answer.error) for answer in answers] == [(1, 7, None), (3, "7", None)]


def test_two_questions_of_one_id_on_standard_input_are_told(harbour, warm_home, type_in):
    type_in('{"question": "a", "id": 7}\n{"question": "b", "id": 7}')

    with pytest.raises(UsageError, match='standard input, line 2: the id "7" is that of line 1'):
        list(answer_batch(str(harbour.pack), Path("-"), QUOTING, warm_home))


def test_a_question_that_fails_has_its_error_and_the_next_is_asked(tmp_path, home):
    model = write_gguf(tmp_path / "tiny.gguf", TinyModel(context=256))
    folder = write_project(tmp_path / "tutor", settings="[sampling]\nmax_tokens = 4\n")
    questions = lines(tmp_path / "q.jsonl", {"question": "tide " * 2000}, {"question": "tide?"})

    failed, answered = answer_batch(str(folder), questions, AnswerOptions(ModelRequest(str(model))), home)

    assert failed.result is None
    assert failed.error is not None
    assert (failed.error["code"], failed.error["exit_code"]) == ("context-too-small", 70)
    assert answered.error is None
    assert answered.result is not None
    assert answered.result.model == "tiny"


def test_each_question_of_a_batch_has_its_own_time(endless, home, tmp_path):
    questions = lines(tmp_path / "q.jsonl", {"question": COUNT}, {"question": COUNT})

    answers = list(answer_batch(str(endless), questions, SPEAKING, home, timeout=0.4))

    assert [answer.error and answer.error["code"] for answer in answers] == ["out-of-time", "out-of-time"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"question": "a"}\nnonsense\n', "line 2: JSON is malformed"),
        ('{"question": "a"}\n{"text": "b"}\n', "line 2: Object contains unknown field `text`"),
        ('{"question": 3}', "line 1: Expected `str`, got `int`"),
        ('{"question": "a"}\n{"question": " ", "id": "b"}\n', "line 2: the question is empty"),
        ('{"question": "a", "id": "x"}\n\n{"question": "b", "id": "x"}\n', 'line 3: the id "x" is that of line 1'),
        ('{"question": "a", "id": ["x"]}', "line 1: Expected `int | str | null`"),
        (b"\xff", r"is not UTF-8 \(byte 0\)"),
    ],
)
def test_a_line_that_is_no_question_is_named_before_any_is_asked(harbour, warm_home, tmp_path, content, told):
    write_files(tmp_path, {"q.jsonl": content})

    with pytest.raises(UsageError, match=told):
        list(answer_batch(str(harbour.pack), tmp_path / "q.jsonl", QUOTING, warm_home))
    assert not warm_home.data.exists()


def test_a_batch_that_is_not_there_is_named(harbour, warm_home, tmp_path):
    with pytest.raises(UsageError, match=r"q\.jsonl cannot be read: no such file"):
        list(answer_batch(str(harbour.pack), tmp_path / "q.jsonl", QUOTING, warm_home))


def test_an_empty_batch_answers_nothing(harbour, warm_home, tmp_path):
    (tmp_path / "q.jsonl").write_text("\n \n")

    assert list(answer_batch(str(harbour.pack), tmp_path / "q.jsonl", QUOTING, warm_home)) == []
