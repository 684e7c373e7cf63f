"""A chat with an assistant that quotes: turns, the tree they make, and how they end."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from helpers.harbour import Harbour

from satchel.runtime.errors import WorkerDiedError
from satchel.runtime.knowledge.client import KnowledgeClient, KnowledgeRequest
from satchel.runtime.packfile.errors import PackChangedError
from satchel.runtime.packfile.verified import VerifiedFiles
from satchel.runtime.project.folder import Project
from satchel.runtime.project.schema import Assistant
from satchel.runtime.session.assistant import LoadedAssistant, from_pack, from_project
from satchel.runtime.session.errors import UnknownMessageError
from satchel.runtime.session.events import Cited, Event, Finished, Progress, Retrieved, Source, Token, Warned
from satchel.runtime.session.history import History, Part
from satchel.runtime.session.prompt import NOT_IN_THE_FILES
from satchel.runtime.session.session import Session

FUEL = "Where is diesel sold?"
GATE = "At what water level does the flood gate close?"


@pytest.fixture(scope="module")
def assistant(harbour: Harbour) -> LoadedAssistant:
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack)
    with verified.open() as pack:
        return from_pack(pack, verified)


@pytest.fixture(scope="module")
def knowledge(harbour: Harbour, assistant: LoadedAssistant) -> Iterator[KnowledgeClient]:
    assert assistant.knowledge is not None
    client = KnowledgeClient(KnowledgeRequest(assistant.knowledge, harbour.home, assistant.retrieval.gate))
    yield client
    client.close()


@pytest.fixture
def session(assistant: LoadedAssistant, knowledge: KnowledgeClient) -> Iterator[Session]:
    """A session in memory; the knowledge worker is the file's, so it stays when the session goes."""
    with History(None) as history:
        yield Session(assistant, knowledge=knowledge, history=history)


def answered(turn: Iterator[Event]) -> Finished:
    *_, finished = turn
    assert isinstance(finished, Finished)
    return finished


def said(session: Session) -> list[str]:
    assert session.chat is not None
    return [message.text for message in session.history.path(session.chat.head)]


def last_two(session: Session) -> tuple[str, str]:
    """Return the ids of the last question and its answer."""
    assert session.chat is not None
    question, answer = session.history.path(session.chat.head)[-2:]
    return question.id, answer.id


def test_a_turn_searches_answers_cites_and_ends(session):
    events = list(session.turn(FUEL))

    kinds = [type(event) for event in events if not isinstance(event, Warned)]
    assert kinds[:3] == [Progress, Retrieved, Token]
    assert set(kinds[3:-1]) == {Cited}
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert (finished.reason, finished.mode, finished.model, finished.found) == ("answered", "quote", "reader", True)
    assert finished.answer == "".join(event.text for event in events if isinstance(event, Token))
    assert {"search", "search.find", "search.quote", "first_word", "total"} <= set(finished.timings_ms)


def test_question_and_answer_are_kept_with_their_sources(session, harbour):
    finished = answered(session.turn(FUEL))

    assert session.chat is not None
    question, answer = session.history.path(session.chat.head)
    assert answer.id == finished.message_id
    assert (question.role, question.text, question.pack_id) == ("user", FUEL, harbour.pack_id)
    assert (answer.role, answer.text, answer.model) == ("assistant", finished.answer, "reader")
    sources = [msgspec.convert(part.detail, Source) for part in answer.parts if part.kind == "source"]
    assert (sources[0].file, sources[0].page) == ("handbook.pdf", 2)
    assert answer.timings == finished.timings_ms


def test_what_the_files_do_not_hold_is_said_plainly(session):
    finished = answered(session.turn("Who painted the Mona Lisa in Florence?"))

    assert (finished.answer, finished.found, finished.reason) == (NOT_IN_THE_FILES, False, "not_found")


def test_small_talk_is_answered_in_the_authors_words(session):
    greeting = answered(session.turn("Hello!"))
    offer = answered(session.turn("What can you do?"))

    assert (greeting.answer, greeting.mode) == ("Welcome to the harbour.", "talk")
    assert offer.answer == (
        "I am Harbour guide. Answers about the harbour. I answer from 5 files, by quoting them with their place. "
        "You could ask: When does the gate close?"
    )


def test_without_files_and_a_model_it_says_that_there_is_nothing_to_answer_from():
    assistant = from_project(
        Project(Path("a"), Assistant(id="0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b", name="Guide"), "", ()), None
    )
    with History(None) as history, Session(assistant, knowledge=None, history=history) as session:
        assert answered(session.turn("hi")).answer == "Hello. I am Guide."
        finished = answered(session.turn(FUEL))

    assert (finished.found, finished.answer) == (
        False,
        "I have no files to answer from, and no language model is in use.",
    )


def test_a_question_that_leans_on_the_one_before_is_searched_with_it(session):
    list(session.turn(FUEL))

    (retrieved,) = [event for event in session.turn("And is it dear?") if isinstance(event, Retrieved)]

    assert retrieved.passages[0].file == "handbook.pdf"


def test_a_chat_is_titled_by_its_first_message_and_goes_on_where_it_stands(session):
    list(session.turn("hello"))
    list(session.turn("thanks"))

    assert session.chat is not None
    assert session.chat.title == "hello"
    assert said(session) == ["hello", "Welcome to the harbour.", "thanks", "You are welcome."]


def test_a_long_title_is_cut_and_kept_on_one_line(session):
    list(session.turn("hello " * 30 + "\n\tworld"))

    assert session.chat is not None
    assert session.chat.title == ("hello " * 10).rstrip()[:59].rstrip() + "…"
    assert len(session.chat.title) <= 60


def test_an_edited_question_is_a_branch_beside_it(session):
    list(session.turn("hello"))
    list(session.turn(FUEL))
    question, answer = last_two(session)

    edited = answered(session.edit(question, GATE))

    assert said(session) == ["hello", "Welcome to the harbour.", GATE, edited.answer]
    assert [message.text for message in session.history.siblings(question)] == [FUEL, GATE]
    assert session.history.latest_leaf(question) == answer


def test_the_first_question_can_be_edited_too(session):
    list(session.turn("hello"))
    question, _ = last_two(session)

    list(session.edit(question, "thanks"))

    assert said(session) == ["thanks", "You are welcome."]
    assert [message.text for message in session.history.siblings(question)] == ["hello", "thanks"]


def test_an_answer_given_once_more_is_a_branch_beside_it(session):
    list(session.turn(FUEL))
    question, answer = last_two(session)

    again = answered(session.regenerate(answer))

    assert last_two(session) == (question, again.message_id)
    assert [message.id for message in session.history.siblings(answer)] == [answer, again.message_id]


def test_a_turn_may_follow_any_message(session):
    list(session.turn("hello"))
    _, welcome = last_two(session)
    list(session.turn("thanks"))

    list(session.turn("bye", parent=welcome))

    assert said(session) == ["hello", "Welcome to the harbour.", "bye", "Goodbye."]


def test_a_new_chat_begins_with_the_next_message(session):
    list(session.turn("hello"))
    first = session.chat

    session.new_chat()
    assert session.chat is None
    list(session.turn("thanks"))

    assert session.chat is not None
    assert first is not None
    assert session.chat.id != first.id
    assert len(session.history.chats()) == 2


def test_messages_of_other_chats_and_roles_are_refused(session):
    list(session.turn("hello"))
    question, answer = last_two(session)
    with pytest.raises(UnknownMessageError):
        list(session.edit(answer, "x"))
    with pytest.raises(UnknownMessageError):
        list(session.regenerate(question))
    with pytest.raises(UnknownMessageError):
        list(session.edit("nonsense", "x"))
    session.new_chat()
    list(session.turn("thanks"))

    with pytest.raises(UnknownMessageError):
        list(session.edit(question, "x"))
    with pytest.raises(UnknownMessageError):
        list(session.turn("x", parent=answer))
    assert said(session) == ["thanks", "You are welcome."]


def test_cancelled_at_any_event_a_turn_ends_and_the_next_one_works(session):
    count = len(list(session.turn(FUEL)))
    for at in range(count - 2):  # after the last but one all is said
        events = session.turn(FUEL)
        for _ in range(at + 1):
            next(events)
        session.cancel()
        rest = list(events)

        assert len(rest) == 1
        assert isinstance(rest[0], Finished)
        assert rest[0].reason == "cancelled"
        assert rest[0].message_id is not None
        assert answered(session.turn("thanks")).answer == "You are welcome."


def test_cancelling_from_another_thread_stops_a_search(session):
    events = session.turn(FUEL)
    next(events)
    cancelling = threading.Thread(target=session.cancel)
    cancelling.start()
    cancelling.join()

    assert answered(events).reason == "cancelled"


def test_a_cancel_between_turns_stops_nothing(session):
    session.cancel()

    assert answered(session.turn(FUEL)).reason == "answered"


def test_a_turn_that_is_left_early_keeps_the_question_and_the_next_one_follows_it(session):
    events = session.turn(FUEL)
    next(events)
    events.close()
    assert said(session) == [FUEL]

    list(session.turn("thanks"))

    assert said(session) == [FUEL, "thanks", "You are welcome."]


def test_a_failed_turn_keeps_the_question_and_can_be_asked_again(assistant, harbour):
    assert assistant.knowledge is not None
    client = KnowledgeClient(KnowledgeRequest(assistant.knowledge, harbour.home, "auto"))
    with History(None) as history, Session(assistant, knowledge=client, history=history) as session:
        client.open()
        pid = client._worker.pid
        assert pid is not None
        events = session.turn(FUEL)
        next(events)
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(0.05, os.kill, (pid, signal.SIGKILL)).start()

        with pytest.raises(WorkerDiedError, match="The knowledge process stopped"):
            list(events)
        assert said(session) == [FUEL]
        assert answered(session.turn(FUEL)).found


def test_a_pack_cut_short_in_use_is_told_and_once_mended_the_chat_goes_on(assistant, harbour, tmp_path):
    pack = Path(shutil.copyfile(harbour.pack, tmp_path / "own.pack"))
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(pack)
    client = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "auto"))
    with History(None) as history, Session(assistant, knowledge=client, history=history) as session:
        list(session.turn(FUEL))
        os.truncate(pack, 0)
        with pytest.raises(PackChangedError, match="was changed, cut short or replaced while it was in use"):
            list(session.turn(GATE))
        pack.write_bytes(harbour.pack.read_bytes())

        assert answered(session.turn(GATE)).found
        assert [text for text in said(session) if text in {FUEL, GATE}] == [FUEL, GATE, GATE]


def test_two_sessions_with_one_history_keep_their_chats_apart(assistant, knowledge):
    with History(None) as history:
        one = Session(assistant, knowledge=knowledge, history=history)
        other = Session(assistant, knowledge=knowledge, history=history)
        list(one.turn("hello"))
        list(other.turn("thanks"))
        list(one.turn("bye"))

        assert said(one) == ["hello", "Welcome to the harbour.", "bye", "Goodbye."]
        assert said(other) == ["thanks", "You are welcome."]


def test_a_question_without_an_answer_gets_one_and_is_not_asked_twice(session):
    chat = session.history.create_chat(session.assistant.id, "fuel")
    question = session.history.add_message(chat.id, None, "user", (Part("text", FUEL),))
    going_on = Session(session.assistant, knowledge=session._knowledge, history=session.history, chat=chat)

    finished = answered(going_on.answer(question.id))

    kept = session.history.messages(chat.id)
    assert [message.role for message in kept] == ["user", "assistant"]
    assert (kept[1].id, kept[1].parent_id) == (finished.message_id, question.id)
    with pytest.raises(UnknownMessageError):
        list(going_on.answer(kept[1].id))
