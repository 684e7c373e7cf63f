"""Tool calls in real turns: a real model that says what a test wrote, the real tools, broker, grants and log."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from helpers.harbour import Harbour
from helpers.scripted_gguf import write_scripted_gguf
from helpers.web_server import page, serving

from satchel.runtime.engine.base import LoadSpec, ToolCall
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.errors import SaveError
from satchel.runtime.knowledge.answers import KnowledgeSummary
from satchel.runtime.knowledge.client import KnowledgeClient, KnowledgeRequest
from satchel.runtime.packfile.verified import VerifiedFiles
from satchel.runtime.paths import Home
from satchel.runtime.permissions.audit import AuditLog
from satchel.runtime.permissions.calls import Call
from satchel.runtime.permissions.grants_file import GrantsFile
from satchel.runtime.permissions.labels import LOWEST, PERSON_ALONE, RECEIVED_PACK, Integrity, restored, typed_label
from satchel.runtime.project.folder import Project
from satchel.runtime.project.schema import Assistant, Sampling, Tool
from satchel.runtime.session.acting import Acting
from satchel.runtime.session.assistant import LoadedAssistant, from_project
from satchel.runtime.session.authority import subject_of
from satchel.runtime.session.chat_files import artefact_folder
from satchel.runtime.session.chat_labels import LABEL, label_of_file, labels_of_turn
from satchel.runtime.session.desk import Desk
from satchel.runtime.session.equipping import ToolOptions, equip, keeper
from satchel.runtime.session.events import (
    ApprovalNeeded,
    Checked,
    Event,
    Finished,
    QuestionAsked,
    Token,
    ToolFinished,
    ToolRequested,
    Warned,
)
from satchel.runtime.session.history import History
from satchel.runtime.session.language_model import LanguageModel
from satchel.runtime.session.session import Session
from satchel.runtime.tools.base import Artefact, Function, ToolResult, object_schema
from satchel.runtime.tools.runner import MOST_CALLS, ToolRunner

CALCULATE = ("<tool_call>", '{"name": "calculator", "arguments": {"expression": "317 * 24"}}', "</tool_call>")
PACK_ID = "c" * 64


def assistant_with(*, pack_id: str = "", **tools: list[str]) -> LoadedAssistant:
    """Return an assistant that asks for tools with these powers; with a pack id it is somebody else's."""
    assistant = Assistant(
        id="0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b",
        name="Guide",
        tools={name: Tool(requests=requests) for name, requests in tools.items()},
    )
    loaded = from_project(Project(Path("guide"), assistant, "Help with sums.", ()), None)
    return replace(loaded, pack_id=pack_id)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data", tmp_path / "cache", tmp_path / "settings")


@pytest.fixture
def history(home: Home) -> Iterator[History]:
    with History(home.history) as history:
        yield history


@pytest.fixture
def open_chat(tmp_path: Path, home: Home, history: History) -> Iterator[Callable[..., Session]]:
    """Return what opens a chat with a model that says `script`, and `after_tools` once it has a result."""
    opened: list[Session] = []

    def open_one(
        assistant: LoadedAssistant,
        script: tuple[str, ...],
        after_tools: tuple[str, ...] = (),
        *,
        can_ask: bool = False,
        knowledge: KnowledgeClient | None = None,
        context: int = 4096,
        **writing: str,
    ) -> Session:
        path = write_scripted_gguf(tmp_path / f"{len(opened)}.gguf", script, after_tools=after_tools, **writing)
        spec = LoadSpec(path=str(path), threads=1, context=context)
        model = LanguageModel(EngineClient(), spec, Sampling(temperature=0.0, max_tokens=64), name="tiny")
        options = ToolOptions(can_ask=can_ask)
        acting = equip(assistant, home, options, knowledge=knowledge, keeps_history=True)
        session = Session(assistant, knowledge=knowledge, history=history, model=model, acting=acting)
        opened.append(session)
        return session

    yield open_one
    for session in opened:
        session.close()


def all_of(kind: type[Event], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def ended(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def answering(session: Session, question: str, choice: str) -> list[Event]:
    """Have a turn in which the person answers every request and question with `choice`."""
    events = []
    for event in session.turn(question):
        events.append(event)
        if isinstance(event, ApprovalNeeded):
            assert session.decide(event.request_id, choice)
        if isinstance(event, QuestionAsked):
            assert session.decide(event.question_id, choice)
    return events


def test_a_call_is_made_and_its_result_goes_back_to_the_model(open_chat, history, home):
    session = open_chat(assistant_with(calculator=[]), ("Let me see.", *CALCULATE), ("It is", " 7608", "."))

    events = list(session.turn("What is 317 times 24?"))

    (asked,), (finished,) = all_of(ToolRequested, events), all_of(ToolFinished, events)
    assert (asked.call["name"], asked.decision) == ("calculator", "allow")
    assert finished.result == "7608"
    assert finished.call == {
        "name": "calculator",
        "arguments": {"expression": "317 * 24"},
        "decision": "allow",
    }
    assert ended(events).answer == "Let me see.\n\nIt is 7608."
    assert "".join(event.text for event in all_of(Token, events)) == ended(events).answer
    (*_, answer) = history.path(session.chat.head)
    assert [part.kind for part in answer.parts] == ["text", "tool_call", "tool_result"]
    assert restored(answer.labels[LABEL]).integrity is Integrity.USER
    logged = AuditLog(home.data / "audit").read()
    assert [record.entry.kind for record in reversed(logged)] == ["allowed", "finished"]
    assert AuditLog(home.data / "audit").verify().problem == ""


def test_a_received_packs_tool_is_denied_where_nobody_is_there_to_ask(open_chat):
    session = open_chat(assistant_with(pack_id=PACK_ID, calculator=[]), CALCULATE, ("I cannot.",))

    events = list(session.turn("What is 317 times 24?"))

    (finished,) = all_of(ToolFinished, events)
    assert finished.call["decision"] == "deny"
    assert "may not do this" in finished.result
    assert "7608" not in finished.result
    assert [warned.kind for warned in all_of(Warned, events)] == ["nobody-to-ask"]
    assert session.unasked == 1
    assert ended(events).answer == "I cannot."


def test_what_a_strangers_pack_ticked_asks_first_when_it_is_unpacked(open_chat):
    unpacked = replace(assistant_with(calculator=[]), unpacked_from=PACK_ID)

    events = list(open_chat(unpacked, CALCULATE, ("I cannot.",)).turn("What is 317 times 24?"))

    assert [finished.call["decision"] for finished in all_of(ToolFinished, events)] == ["deny"]


def test_the_words_and_ticks_of_an_unpacked_pack_are_its_authors():
    unpacked = replace(assistant_with(), unpacked_from=PACK_ID)
    labels = labels_of_turn(unpacked, typed_label(["https://a.org"]), "Hello", [])
    summary = KnowledgeSummary(1, 1, ("en",), trusted=("gate.txt",), public=("gate.txt",))

    assert [each.label for each in labels.values] == [RECEIVED_PACK]
    assert label_of_file(unpacked, summary, "gate.txt") == LOWEST


def test_what_a_person_allows_once_is_made_once(open_chat):
    session = open_chat(assistant_with(pack_id=PACK_ID, calculator=[]), CALCULATE, ("Done.",), can_ask=True)

    first = answering(session, "What is 317 times 24?", "once")
    second = answering(session, "And again?", "deny")

    assert [finished.result for finished in all_of(ToolFinished, first)] == ["7608"]
    (request,) = all_of(ApprovalNeeded, second)
    assert request.request["tool"] == "calculator"
    assert [argument["text"] for argument in request.request["arguments"]] == ["317 * 24"]
    (denied,) = all_of(ToolFinished, second)
    assert "the person said no" in denied.result


@pytest.mark.parametrize(("choice", "decision"), [("always", "allow"), ("never", "deny")])
def test_always_and_never_hold_in_the_next_session(open_chat, choice, decision):
    assistant = assistant_with(pack_id=PACK_ID, calculator=[])
    answering(open_chat(assistant, CALCULATE, ("Done.",), can_ask=True), "What is 317 times 24?", choice)

    events = list(open_chat(assistant, CALCULATE, ("Done.",)).turn("Once more?"))

    assert all_of(ApprovalNeeded, events) == []
    assert [finished.call["decision"] for finished in all_of(ToolFinished, events)] == [decision]


def test_what_is_allowed_for_a_chat_ends_with_it(open_chat):
    session = open_chat(assistant_with(pack_id=PACK_ID, calculator=[]), CALCULATE, ("Done.",), can_ask=True)
    answering(session, "What is 317 times 24?", "chat")

    assert all_of(ApprovalNeeded, answering(session, "Again?", "deny")) == []
    session.new_chat()
    assert len(all_of(ApprovalNeeded, answering(session, "In a new chat?", "deny"))) == 1


def test_an_answer_to_no_question_changes_nothing(open_chat):
    session = open_chat(assistant_with(calculator=[]), ("Hello.",), can_ask=True)

    assert not session.decide("nothing", "always")


def test_cancelled_while_it_waits_for_an_answer_the_turn_ends(open_chat):
    session = open_chat(assistant_with(pack_id=PACK_ID, calculator=[]), CALCULATE, ("Done.",), can_ask=True)
    events = []
    for event in session.turn("What is 317 times 24?"):
        events.append(event)
        if isinstance(event, ApprovalNeeded):
            session.cancel()

    assert ended(events).reason == "cancelled"
    assert all_of(ToolFinished, events) == []


@pytest.mark.parametrize("expression", ["2 +", "1 / 0", "height of the harbour"])
def test_a_call_that_fails_is_told_to_the_model_and_the_chat_goes_on(open_chat, expression):
    call = ("<tool_call>", f'{{"name": "calculator", "arguments": {{"expression": "{expression}"}}}}', "</tool_call>")
    session = open_chat(assistant_with(calculator=[]), call, ("Sorry.",))

    events = list(session.turn("What is it?"))

    (finished,) = all_of(ToolFinished, events)
    assert finished.result.startswith("Error: ")
    assert ended(events).answer == "Sorry."


def test_a_model_that_calls_for_ever_is_stopped(open_chat):
    again = ("<tool_call>\n", '{"name": "calculator", "arguments": {"expression": "1"}}', "\n</tool_call>")
    session = open_chat(assistant_with(calculator=[]), CALCULATE, again)

    events = list(session.turn("What is 317 times 24?"))

    assert len(all_of(ToolFinished, events)) == MOST_CALLS
    assert [warned.kind for warned in all_of(Warned, events)] == ["tool-limit"]
    assert "<tool_call>" not in ended(events).answer


def test_a_turn_whose_calls_fill_the_window_ends_with_what_was_said(open_chat):
    again = ("<tool_call>\n", '{"name": "calculator", "arguments": {"expression": "1"}}', "\n</tool_call>")
    session = open_chat(assistant_with(calculator=[]), ("Let me see.", *CALCULATE), again, context=1536)

    events = list(session.turn("What is 317 times 24?"))

    assert 1 <= len(all_of(ToolFinished, events)) < MOST_CALLS
    assert [warned.kind for warned in all_of(Warned, events)] == ["window-full"]
    assert ended(events).answer == "Let me see."


@pytest.mark.parametrize("refusal", ["", "{{ raise_exception('user and assistant only') }}"])
def test_a_template_without_a_place_for_results_is_told_them_by_the_user(open_chat, refusal):
    template = (
        "{% for m in messages %}{% if m.role == 'tool' %}" + refusal + "{% else %}"
        "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
        "<|im_start|>assistant{{ '\t' if '<tool_response>\n7608' in messages[-1].content else '\n' }}"
    )
    session = open_chat(assistant_with(calculator=[]), CALCULATE, ("It is 7608.",), template=template)

    events = list(session.turn("What is 317 times 24?"))

    assert len(all_of(ToolFinished, events)) == 1
    assert ended(events).answer == "It is 7608."


def test_a_tool_asks_the_person_in_the_middle_of_a_turn(open_chat):
    ask = ("<tool_call>", '{"name": "ask_user", "arguments": {"question": "Which harbour?"}}', "</tool_call>")
    session = open_chat(assistant_with(ask_user=[]), ask, ("Thanks.",), can_ask=True)

    events = answering(session, "Where do I moor?", "Delft")

    (question,) = all_of(QuestionAsked, events)
    assert question.question == "Which harbour?"
    assert [finished.result for finished in all_of(ToolFinished, events)] == ["Delft"]


def tool_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("tool ")]


def test_a_turn_that_nobody_reads_any_more_leaves_no_call_running(open_chat):
    ask = ("<tool_call>", '{"name": "ask_user", "arguments": {"question": "Which harbour?"}}', "</tool_call>")
    turn = open_chat(assistant_with(ask_user=[]), ask, ("Thanks.",), can_ask=True).turn("Where do I moor?")
    while not isinstance(next(turn), QuestionAsked):
        pass
    assert "tool ask_user" in tool_threads()

    turn.close()

    assert tool_threads() == []


def test_a_call_that_was_under_way_when_its_turn_was_cancelled_is_in_the_history(open_chat, history):
    ask = ("<tool_call>", '{"name": "ask_user", "arguments": {"question": "Which harbour?"}}', "</tool_call>")
    session = open_chat(assistant_with(ask_user=[]), ask, ("Thanks.",), can_ask=True)
    events = []
    for event in session.turn("Where do I moor?"):
        events.append(event)
        if isinstance(event, QuestionAsked):
            session.cancel()

    assert ended(events).reason == "cancelled"
    (*_, answer) = history.path(session.chat.head)
    assert [part.kind for part in answer.parts] == ["text", "tool_call", "tool_result"]


def test_files_that_cannot_be_kept_are_told_and_the_turn_goes_on(open_chat):
    class Maker:
        name = "calculator"
        functions = (
            Function(
                name="calculator",
                description="Makes a file.",
                parameters=object_schema({"expression": {"type": "string"}}),
                run=lambda _arguments, _context: ToolResult("Made.", (Artefact("a.txt", "text/plain", b"x"),)),
            ),
        )

        def close(self) -> None:
            pass

    def full(_artefact: Artefact) -> str:
        raise SaveError(path="a.txt", reason="no space left on device")

    authority = open_chat(assistant_with(calculator=[]), CALCULATE)._acting.authority
    acting = Acting(ToolRunner([Maker()]), authority, desk=Desk(is_staffed=False), keep_artefact=full)
    labels = labels_of_turn(assistant_with(), typed_label(()), "Make it", [])

    events = list(acting.act(acting.begin(labels), ToolCall("calculator", {"expression": "1"})))

    (warned,) = all_of(Warned, events)
    assert "no space left" in warned.text
    assert [finished.result for finished in all_of(ToolFinished, events)] == ["Made."]


def test_what_is_taken_back_meanwhile_counts_no_longer_in_an_open_chat(open_chat, home):
    assistant = assistant_with(pack_id=PACK_ID, calculator=[])
    session = open_chat(assistant, CALCULATE, ("Done.",), can_ask=True)
    answering(session, "What is 317 times 24?", "always")
    assert all_of(ApprovalNeeded, answering(session, "Again?", "deny")) == []

    GrantsFile(home.settings).revoke(subject_of(assistant).key)

    assert len(all_of(ApprovalNeeded, answering(session, "And now?", "deny"))) == 1


def test_the_log_tells_a_no_and_no_hash_that_the_arguments_could_be_guessed_from(open_chat, home):
    session = open_chat(assistant_with(pack_id=PACK_ID, calculator=[]), CALCULATE, ("Done.",), can_ask=True)
    answering(session, "What is 317 times 24?", "deny")

    entries = [record.entry for record in reversed(AuditLog(home.data / "audit").read())]
    assert [(entry.kind, entry.why) for entry in entries][-1] == ("answered", "deny")
    assert len({entry.digest for entry in entries}) == 1
    assert entries[0].digest != Call("calculator", {"expression": "317 * 24"}).digest


def test_a_tool_that_this_version_does_not_know_is_named(open_chat):
    session = open_chat(assistant_with(teleport=[]), ("Hello.",))

    (warned,) = all_of(Warned, list(session.turn("Hi")))

    assert warned.kind == "tool-off"
    assert "teleport" in warned.text


def test_an_obedient_model_cannot_carry_files_words_out_of_this_computer(open_chat, harbour: Harbour):
    """Everything is granted, the passages are in the context, and the model does what an injected text would say."""
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack)
    with serving(lambda _head, _body: page("<p>ok</p>")) as canary:
        assistant = assistant_with(web_fetch=["net.fetch"])
        address = f"{canary.place}/?q=Wilma+Janssen"
        call = ("<tool_call>", f'{{"name": "web_fetch", "arguments": {{"address": "{address}"}}}}', "</tool_call>")
        knowledge = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "auto"))
        session = open_chat(assistant, call, ("Sent.",), knowledge=knowledge)

        events = list(session.turn("Who is the lock keeper?"))

        assert canary.requests == []
    assert [finished.call["decision"] for finished in all_of(ToolFinished, events)] == ["deny"]
    (_, answer) = session.history.path(session.chat.head)
    label = restored(answer.labels[LABEL])
    assert (label.integrity, label.readers) == (Integrity.UNTRUSTED, PERSON_ALONE)


def test_what_a_tool_told_is_not_called_missing_from_the_files(open_chat, harbour: Harbour):
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack)
    knowledge = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "auto"))
    said = ("All tolls of the year come to 7608 euros.", " The flood gate closes at 3.2 metres.")
    session = open_chat(assistant_with(calculator=[]), CALCULATE, said, knowledge=knowledge)

    events = list(session.turn("When does the flood gate close?"))

    assert [checked.verdict for checked in all_of(Checked, events)] == ["not_checked", "supported"]


def test_an_answer_that_cannot_be_checked_any_more_is_kept(open_chat, history, harbour: Harbour, tmp_path):
    pack = Path(shutil.copy(harbour.pack, tmp_path / "mine.pack"))
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(pack)
    knowledge = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "auto"))
    session = open_chat(assistant_with(), ("The flood gate closes at 3.2 metres.",), knowledge=knowledge)
    events = []
    for event in session.turn("When does the flood gate close?"):
        events.append(event)
        if isinstance(event, Token) and pack.exists():
            pack.unlink()
            os.kill(knowledge._worker.pid, signal.SIGKILL)

    assert ended(events).answer == "The flood gate closes at 3.2 metres."
    assert "not-checked" in [warned.kind for warned in all_of(Warned, events)]
    assert history.path(session.chat.head)[-1].text == ended(events).answer


def test_with_a_chat_goes_what_its_tools_left_beside_it(open_chat, history, home):
    session = open_chat(assistant_with(calculator=[]), CALCULATE, ("Done.",))
    list(session.turn("What is 317 times 24?"))
    made = artefact_folder(home.data, session.chat.id) / "plot.png"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"PNG")

    history.delete_chat("")
    history.delete_chat("..")
    assert made.exists()
    assert [record.told is None for record in AuditLog(home.data / "audit").read()] == [False, False]
    history.delete_chat(session.chat.id)

    assert not made.parent.exists()
    log = AuditLog(home.data / "audit")
    assert [record.told for record in log.read()] == [None, None]
    assert log.verify().problem == ""


def test_files_that_a_tool_makes_are_kept_by_safe_names_of_their_own(tmp_path):
    keep = keeper(lambda: tmp_path / "made")

    paths = [Path(keep(Artefact(name, "text/plain", b"x"))) for name in ("a b.txt", "a b.txt", "../../x", "..", "ü")]

    assert [path.name for path in paths] == ["a-b.txt", "a-b-2.txt", "x", "file", "file-2"]
    assert {path.parent for path in paths} == {tmp_path / "made"}
    assert keeper(lambda: None)(Artefact("a", "text/plain", b"x")) == ""


def test_events_of_a_turn_with_tools_are_json(open_chat):
    session = open_chat(assistant_with(pack_id=PACK_ID, calculator=[]), CALCULATE, ("Done.",), can_ask=True)

    for event in answering(session, "What is 317 times 24?", "once"):
        assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event
