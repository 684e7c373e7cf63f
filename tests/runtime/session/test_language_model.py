"""Turns that a language model speaks: the Starter, and tiny models for odd cases."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from helpers.harbour import Harbour
from helpers.scripted_gguf import write_scripted_gguf
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.engine.base import LoadSpec
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.engine.errors import NotAGgufError, TruncatedModelError
from satchel.runtime.errors import WorkerDiedError
from satchel.runtime.knowledge.client import KnowledgeClient, KnowledgeRequest
from satchel.runtime.packfile.verified import VerifiedFiles
from satchel.runtime.paths import Home
from satchel.runtime.project.folder import Example, Project
from satchel.runtime.project.schema import Assistant, Sampling
from satchel.runtime.session.assistant import LoadedAssistant, from_pack, from_project
from satchel.runtime.session.errors import ContextTooSmallError
from satchel.runtime.session.events import Checked, Cited, Event, Finished, Progress, Retrieved, Token, Warned
from satchel.runtime.session.history import History
from satchel.runtime.session.language_model import LanguageModel
from satchel.runtime.session.session import Session

COUNT = "Write all numbers from 1 to 2000, each on a line of its own."
GREEDY = Sampling(temperature=0.0, max_tokens=24)


def assistant_without_files(instructions: str = "", *examples: Example) -> LoadedAssistant:
    assistant = Assistant(id="0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b", name="Guide")
    return from_project(Project(Path("guide"), assistant, instructions, examples), None)


def language_model(path: Path, sampling: Sampling = GREEDY, *, name: str = "tiny", **spec) -> LanguageModel:
    return LanguageModel(EngineClient(), LoadSpec(path=str(path), threads=2, **spec), sampling, name=name)


@pytest.fixture(scope="module")
def starter(starter_model: Path) -> Iterator[LanguageModel]:
    """The Starter with a window of 2,048 tokens, loaded at its first answer."""
    model = language_model(starter_model, name="starter", context=2048)
    yield model
    model.close()


@pytest.fixture
def history() -> Iterator[History]:
    with History(None) as history:
        yield history


@pytest.fixture
def session(starter: LanguageModel, history: History) -> Session:
    """A chat without files; not closed, because the model is the file's."""
    return Session(assistant_without_files("Be brief."), knowledge=None, history=history, model=starter)


@pytest.fixture(scope="module")
def guide(harbour: Harbour, starter: LanguageModel) -> Iterator[Session]:
    """A chat about files."""
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack)
    with verified.open() as pack:
        assistant = from_pack(pack, verified)
    client = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "auto"))
    with History(None) as history:
        yield Session(assistant, knowledge=client, history=history, model=starter)
    client.close()


def answered(turn: Iterator[Event]) -> Finished:
    *_, finished = turn
    assert isinstance(finished, Finished)
    return finished


def said(session: Session) -> list[str]:
    assert session.chat is not None
    return [message.text for message in session.history.path(session.chat.head)]


def test_an_answer_from_files_streams_with_its_probabilities(guide):
    events = list(guide.turn("At what water level does the flood gate close?"))

    retrieved = next(event for event in events if isinstance(event, Retrieved))
    tokens = [event for event in events if isinstance(event, Token)]
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert retrieved.passages[0].file == "gate.txt"
    assert events.index(retrieved) < events.index(tokens[0])
    assert "".join(token.text for token in tokens).rstrip() == finished.answer
    assert all(token.logprob is not None and token.logprob <= 0 and len(token.alternatives) == 5 for token in tokens)
    assert (finished.mode, finished.model) == ("model", "starter")
    assert "3.2" in finished.answer
    assert finished.usage.completion_tokens >= len(tokens)
    assert finished.usage.context_tokens == 2048
    assert {"search", "prompt", "prefill", "decode", "first_word", "total"} <= set(finished.timings_ms)
    for cited in (event for event in events if isinstance(event, Cited)):
        assert f"[{cited.source.n}]" in finished.answer[cited.start : cited.end]


def test_a_citation_names_the_page_on_which_the_cited_words_stand(harbour, history, tmp_path):
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack)
    with verified.open() as pack:
        assistant = from_pack(pack, verified)
    model = language_model(
        write_scripted_gguf(tmp_path / "a.gguf", ["The siren", " sounds", " three times", " [1]", "."]), context=1024
    )
    knowledge = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "auto"))
    with Session(assistant, knowledge=knowledge, history=history, model=model) as session:
        events = list(session.turn("What is sold at the eastern pier, and how often does the siren sound?"))

    (shown,) = [event.passages[0] for event in events if isinstance(event, Retrieved)]
    (cited,) = [event.source for event in events if isinstance(event, Cited)]
    assert (shown.file, shown.page) == ("handbook.pdf", 1)
    assert (cited.file, cited.page) == ("handbook.pdf", 3)
    assert cited.text.endswith("The siren sounds three times.")


def test_each_sentence_of_an_answer_is_checked_against_the_passages(harbour, history, tmp_path):
    pieces = ["The flood gate closes at", " 3.2 metres", " [1]", ".", " The lock keeper is", " Peter Smit", "!"]
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack)
    with verified.open() as pack:
        assistant = from_pack(pack, verified)
    model = language_model(write_scripted_gguf(tmp_path / "a.gguf", pieces), context=1024)
    knowledge = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "auto"))
    with Session(assistant, knowledge=knowledge, history=history, model=model) as session:
        events = list(session.turn("When does the flood gate close, and who is the lock keeper?"))

    finished = events[-1]
    assert isinstance(finished, Finished)
    checks = [event for event in events if isinstance(event, Checked)]
    assert [(finished.answer[one.start : one.end], one.verdict) for one in checks] == [
        ("The flood gate closes at 3.2 metres [1].", "supported"),
        ("The lock keeper is Peter Smit!", "contradicted"),
    ]
    assert checks[1].differing == ("Peter Smit",)
    (retrieved,) = [event for event in events if isinstance(event, Retrieved)]
    assert "Wilma Janssen" in next(one.text for one in retrieved.passages if one.n == checks[1].sources[0])
    assert "check" in finished.timings_ms


def test_a_model_that_goes_on_with_passages_of_its_own_is_stopped_there(harbour, history, tmp_path):
    pieces = ["At 3.2 metres", " [1]", ".", "\n", "<pass", "age n=", '"7">', "Lies"]
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack)
    with verified.open() as pack:
        assistant = from_pack(pack, verified)
    model = language_model(write_scripted_gguf(tmp_path / "a.gguf", pieces), context=1024)
    knowledge = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "auto"))
    with Session(assistant, knowledge=knowledge, history=history, model=model) as session:
        finished = answered(session.turn("When does the flood gate close?"))

    assert (finished.answer, finished.reason) == ("At 3.2 metres [1].", "answered")


def test_the_model_loads_once_and_reads_only_what_is_new(guide):
    list(guide.turn("Where is diesel sold?"))

    events = list(guide.turn("Is smoking forbidden there?"))

    finished = events[-1]
    assert isinstance(finished, Finished)
    assert [event.stage for event in events if isinstance(event, Progress) and "loading" in event.stage] == []
    assert finished.usage.cached_tokens > 0


def test_the_conversation_before_is_shown_to_the_model(session):
    list(session.turn("My boat is called Albatross."))

    assert "Albatross" in answered(session.turn("What is my boat called?")).answer


def test_cancelled_in_the_middle_what_was_said_is_kept_and_the_next_turn_works(starter_model, history):
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=1500)
    model = language_model(starter_model, sampling, context=2048)
    with Session(assistant_without_files(), knowledge=None, history=history, model=model) as session:
        shown: list[str] = []
        for event in session.turn(COUNT):
            if isinstance(event, Token):
                shown.append(event.text)
                if len(shown) == 8:
                    session.cancel()
            finished = event

        assert isinstance(finished, Finished)
        assert finished.reason == "cancelled"
        assert finished.answer == "".join(shown[:8]).rstrip() == said(session)[-1]
        assert answered(session.turn("Say hello.")).model == "tiny"


@pytest.mark.parametrize("cut_after", [1, 2, 3, 4])
def test_an_answer_cut_at_a_line_break_ends_with_its_last_word(tmp_path, history, cut_after):
    model = language_model(write_scripted_gguf(tmp_path / "lines.gguf", ["One", "\n", "Two", "\n\n", "Three"]))
    shown: list[str] = []
    with Session(assistant_without_files(), knowledge=None, history=history, model=model) as session:
        for event in session.turn("Count."):
            if isinstance(event, Token):
                shown.append(event.text)
                if len(shown) == cut_after:
                    session.cancel()
            finished = event

        assert isinstance(finished, Finished)
        assert finished.reason == "cancelled"
        assert finished.answer == "".join(shown).strip() == said(session)[-1]


def test_a_model_killed_in_the_middle_is_told_and_the_next_turn_works(starter_model, history):
    engine = EngineClient()
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=1000)
    model = LanguageModel(engine, LoadSpec(path=str(starter_model), context=2048, threads=2), sampling, name="starter")
    with Session(assistant_without_files(), knowledge=None, history=history, model=model) as session:
        turn = session.turn(COUNT)
        while not isinstance(next(turn), Token):
            pass
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)

        with pytest.raises(WorkerDiedError, match="The model process stopped: it was killed"):
            list(turn)

        assert said(session) == [COUNT]
        events = session.turn("Say hello.")
        assert next(events) == Progress("loading the model", 0, 1)
        while not isinstance(next(events), Token):
            pass
        session.cancel()
        assert answered(events).answer


def test_the_oldest_history_gives_way_first_and_it_is_said(starter_model, history):
    model = language_model(starter_model, Sampling(temperature=0.0, max_tokens=8), context=256)
    with Session(assistant_without_files(), knowledge=None, history=history, model=model) as session:
        for number in range(3):
            list(session.turn(f"Number {number}: " + "the tide rises and falls. " * 9))

        events = list(session.turn("Say hello."))

    (warned,) = [event for event in events if isinstance(event, Warned) and event.kind == "history-left-out"]
    assert warned.text in {
        "The oldest exchange no longer fits the window of 256 tokens.",
        "The 2 oldest exchanges no longer fit the window of 256 tokens.",
    }
    assert answered(iter(events)).usage.prompt_tokens < 256


def test_the_lowest_passages_give_way_next_and_it_is_said(harbour, starter_model, history):
    verified = VerifiedFiles(harbour.home.cache / "verified").verify_once(harbour.pack)
    with verified.open() as pack:
        assistant = from_pack(pack, verified)
    client = KnowledgeClient(KnowledgeRequest(verified, harbour.home, "off"))
    model = language_model(starter_model, Sampling(temperature=0.0, max_tokens=8), context=256)
    with Session(assistant, knowledge=client, history=history, model=model) as session:
        events = list(session.turn("At what water level does the flood gate close?"))

    (warned,) = [event for event in events if isinstance(event, Warned) and event.kind == "passages-left-out"]
    assert warned.text.startswith("Only ")
    assert warned.text.endswith("of 5 passages fit the window of 256 tokens.")


def test_a_question_longer_than_the_window_is_refused_with_the_sums_and_kept(session):
    question = "the tide rises " * 1000

    with pytest.raises(
        ContextTooSmallError, match=r"tokens of instructions \+ 0 of tools \+ \d+ of question"
    ) as raised:
        list(session.turn(question))

    assert "the window holds 2048 tokens" in raised.value.message
    assert said(session) == [question]
    assert answered(session.turn("Say hello.")).answer


def test_examples_are_shown_as_exchanges_before_the_question(starter, history):
    example = Example("What is the password of the harbour?", "The password is Kiebitz.")
    assistant = assistant_without_files("", example)
    session = Session(assistant, knowledge=None, history=history, model=starter)

    assert "Kiebitz" in answered(session.turn("What is the password of the harbour?")).answer


def test_an_answer_that_reaches_the_limit_says_so(starter_model, history):
    model = language_model(starter_model, Sampling(temperature=0.0, max_tokens=3), context=512)
    with Session(assistant_without_files(), knowledge=None, history=history, model=model) as session:
        finished = answered(session.turn(COUNT))

    assert finished.reason == "length"
    assert finished.usage.completion_tokens == 3


def test_the_same_seed_gives_the_same_answer(tmp_path, history):
    path = write_gguf(tmp_path / "tiny.gguf", TinyModel())
    answers = set()
    for _ in range(2):
        model = language_model(path, Sampling(temperature=1.5, seed=11, max_tokens=12))
        with Session(assistant_without_files(), knowledge=None, history=history, model=model) as session:
            answers.add(answered(session.turn("tide?")).answer)

    assert len(answers) == 1


def test_a_model_without_a_chat_template_is_spoken_to_in_chatml_and_it_is_said(tmp_path, history):
    path = write_gguf(tmp_path / "bare.gguf", TinyModel(template=None))
    with Session(assistant_without_files(), knowledge=None, history=history, model=language_model(path)) as session:
        events = list(session.turn("tide?"))

    notes = [event for event in events if isinstance(event, Warned)]
    assert any("template" in note.text for note in notes), notes
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(("content", "error"), [(b"PK\3\4 no model", NotAGgufError), (None, TruncatedModelError)])
def test_what_is_no_whole_model_is_told_and_the_question_is_kept(tmp_path, history, content, error):
    path = write_gguf(tmp_path / "tiny.gguf", TinyModel())
    path.write_bytes(path.read_bytes()[:-2000] if content is None else content)
    with Session(assistant_without_files(), knowledge=None, history=history, model=language_model(path)) as session:
        with pytest.raises(error, match=r"tiny\.gguf"):
            list(session.turn("tide?"))
        assert said(session) == ["tide?"]


def test_with_a_model_small_talk_is_the_models(session):
    assert answered(session.turn("Hello!")).model == "starter"


def test_the_state_of_the_instructions_is_kept_for_the_next_process(starter_model, tmp_path, history):
    assistant = assistant_without_files("You are a guide to a harbour. " + "Answer kindly and briefly. " * 20)
    usages = []
    for _ in range(2):
        home = Home(tmp_path / "data", tmp_path / "cache", tmp_path / "settings")
        model = language_model(starter_model, context=1024, cache=str(home.cache))
        with Session(assistant, knowledge=None, history=history, model=model) as session:
            usages.append(answered(session.turn("Say hello.")))

    cold, warm = usages
    assert cold.usage.cached_tokens == 0
    assert warm.usage.cached_tokens > 100
    assert warm.answer == cold.answer
    assert msgspec.structs.replace(warm.usage, cached_tokens=0) == cold.usage
