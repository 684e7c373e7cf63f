"""What a session tells of its model, and when it lets it go."""

from __future__ import annotations

import time
from pathlib import Path

from satchel.runtime.engine.base import LoadSpec
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.paths import Home
from satchel.runtime.project.folder import Project
from satchel.runtime.project.schema import Adapter, Assistant, ModelPreference, Sampling
from satchel.runtime.session.assistant import from_project
from satchel.runtime.session.choosing import ModelRequest, choose_model
from satchel.runtime.session.events import Finished, Warned
from satchel.runtime.session.history import History
from satchel.runtime.session.language_model import LanguageModel
from satchel.runtime.session.session import Session
from satchel.runtime.settings import Settings

BRIEF = Sampling(temperature=0.0, max_tokens=4)
ASSISTANT = Assistant(id="0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b", name="Guide")


def test_an_idle_model_is_unloaded_and_the_next_question_loads_it_again(starter_model: Path) -> None:
    engine = EngineClient()
    model = LanguageModel(
        engine, LoadSpec(path=str(starter_model), context=512), BRIEF, name="starter", idle_seconds=0.05
    )
    assistant = from_project(Project(Path("guide"), ASSISTANT, "", ()), None)
    with History(None) as history, Session(assistant, knowledge=None, history=history, model=model) as session:
        list(session.turn("Hello"))
        deadline = time.monotonic() + 10
        while engine.is_loaded and time.monotonic() < deadline:
            engine.pid  # noqa: B018 - looking costs time, and the timer's thread needs some
        assert not engine.is_loaded
        *_, finished = session.turn("Hello again")
    assert isinstance(finished, Finished)
    assert finished.answer


def test_a_window_smaller_than_the_author_asks_for_is_told(starter_model: Path) -> None:
    model = LanguageModel(
        EngineClient(), LoadSpec(path=str(starter_model), context=512), BRIEF, name="starter", minimum_context=4096
    )
    assistant = from_project(Project(Path("guide"), ASSISTANT, "", ()), None)
    with History(None) as history, Session(assistant, knowledge=None, history=history, model=model) as session:
        warnings = [event for event in session.turn("Hello") if isinstance(event, Warned)]
    assert [warning.kind for warning in warnings] == ["small-context"]
    assert "512 tokens; the assistant was made for 4,096" in warnings[0].text


def test_a_missing_adapter_is_told_and_the_model_speaks_without(starter_model: Path, home: Home) -> None:
    wanted = Adapter(sha256="ab" * 32, source="example.org/adapter")
    preference = ModelPreference(name="SmolLM2", family="smollm2", parameters="135M")
    settings = Assistant(id=ASSISTANT.id, name="Guide", adapter=wanted, models=[preference], sampling=BRIEF)
    assistant = from_project(Project(Path("guide"), settings, "", ()), None)
    model = choose_model(ModelRequest(reference=str(starter_model), context=512), assistant, Settings(), home)
    assert model is not None
    with History(None) as history, Session(assistant, knowledge=None, history=history, model=model) as session:
        events = list(session.turn("Hello"))
    warnings = [event for event in events if isinstance(event, Warned)]
    assert [warning.kind for warning in warnings] == ["no-adapter"]
    assert "example.org/adapter" in warnings[0].text
    assert isinstance(events[-1], Finished)
