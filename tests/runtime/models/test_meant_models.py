"""Which of the models on this disk a person or an assistant's author means, those of other programs included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.model_folders import model_bytes, write_file, write_hugging_face, write_ollama
from helpers.tiny_gguf import STRING, UINT32

from satchel.runtime.cli.main import main
from satchel.runtime.engine.choice import GgufFile, find_elsewhere, find_model
from satchel.runtime.engine.errors import ModelMissingError
from satchel.runtime.project.schema import ModelPreference
from satchel.runtime.session.preferred import find_preferred

QWEN3_4B = ModelPreference(name="Qwen3 4B", family="qwen3", parameters="4B")


def ollama(person: Path, name: str, content: bytes) -> Path:
    return write_ollama(person / ".ollama/models", name, content)


@pytest.mark.parametrize("reference", ["llama3.2:3b", "Llama3.2:3B", "llama3"])
def test_a_found_model_is_meant_by_its_name_or_its_beginning(owner, person, reference):
    blob = ollama(person, "llama3.2:3b", model_bytes())

    found = find_model(reference, owner)
    assert isinstance(found, GgufFile)
    assert (found.path, found.name, found.source) == (blob, "llama3.2:3b", "ollama")


def test_a_whole_name_elsewhere_wins_over_a_beginning_here(owner, person):
    write_file(owner.models / "tiny-1b-instruct.gguf", model_bytes(1))
    link = write_hugging_face(person / ".cache/huggingface/hub", "m/T", "tiny-1b.gguf", model_bytes(2))

    assert find_model("tiny-1b", owner).path == link


def test_a_beginning_that_two_programs_have_is_refused(owner, person):
    write_file(owner.models / "tiny-1b.gguf", model_bytes(1))
    ollama(person, "tiny:2b", model_bytes(2))

    with pytest.raises(ModelMissingError, match="more than one model begins so") as caught:
        find_model("tiny", owner)
    assert "tiny-1b, tiny:2b" in caught.value.advice


def test_an_unknown_name_is_told_with_the_found_ones(owner, person):
    ollama(person, "llama3.2:3b", model_bytes())

    with pytest.raises(ModelMissingError) as caught:
        find_model("mistral", owner)
    assert "llama3.2:3b" in caught.value.advice


def test_of_very_many_models_the_nearest_are_told(owner):
    for number in range(40):
        write_file(owner.models / f"model-{number}.gguf", b"x")
    write_file(owner.models / "Mistral-7B.gguf", b"x")

    with pytest.raises(ModelMissingError) as caught:
        find_model("mistal-7b", owner)
    assert "Mistral-7B, model-7, and others that `satchel models list` shows." in caught.value.advice


@pytest.mark.parametrize("reference", ["granite-4-micro", "Granite-4-Micro"])
def test_a_name_of_the_catalogue_means_its_file_where_that_is_here(owner, person, reference):
    path = write_file(person / ".lmstudio/models/ibm/x/granite-4.0-h-micro-Q4_K_M.gguf", model_bytes())

    assert find_model(reference, owner).path == path


def test_a_name_of_the_catalogue_that_is_not_here_says_how_it_comes(owner):
    with pytest.raises(ModelMissingError, match="`satchel models pull qwen3-4b` gets it"):
        find_model("Qwen3-4B", owner)


def test_a_link_in_the_own_folder_is_the_persons(owner, person):
    blob = ollama(person, "tiny:1b", model_bytes())
    owner.models.mkdir(parents=True)
    (owner.models / "mine.gguf").symlink_to(blob)

    assert find_elsewhere(owner) == []
    assert find_model("mine", owner).source == "satchel"


def test_no_found_model_is_called_as_a_built_in_one(owner, person):
    write_file(person / ".lmstudio/models/a/b/starter.gguf", model_bytes(1))
    write_file(person / ".lmstudio/models/a/b/reader.gguf", model_bytes(2))

    assert [model.name for model in find_elsewhere(owner)] == ["lm-studio:reader", "lm-studio:starter"]


@pytest.mark.parametrize("name", ["qwen3:4b", "hf.co/unsloth/Qwen3-4B-GGUF:Q4_K_M"])
def test_an_authors_preference_is_met_by_another_programs_name(owner, person, name):
    blob = ollama(person, name, model_bytes())

    assert find_preferred([QWEN3_4B], owner).path == blob


def test_a_name_without_a_size_is_asked_in_the_file(owner, person):
    ollama(person, "qwen3:latest", model_bytes(metadata=(("general.size_label", STRING, "8B"),)))
    assert find_preferred([QWEN3_4B], owner) is None

    blob = ollama(person, "qwen3:newest", model_bytes(metadata=(("general.size_label", STRING, "4B"),)))
    assert find_preferred([QWEN3_4B], owner).path == blob


@pytest.mark.parametrize("content", [model_bytes(metadata=(("llama.pooling_type", UINT32, 3),)), b"GGUF, broken"])
def test_what_cannot_speak_is_no_ones_preference(owner, person, content):
    write_file(person / ".lmstudio/models/Qwen/x/Qwen3-Embedding-4B.gguf", content)

    assert find_preferred([QWEN3_4B], owner) is None


def test_the_hash_that_a_program_names_is_enough(owner, person):
    ollama(person, "qwen3:4b", model_bytes(1))
    exact = ollama(person, "other:1b", model_bytes(2))
    wanted = ModelPreference(name="x", family="qwen3", parameters="4B", sha256=exact.name.removeprefix("sha256-"))

    assert find_preferred([wanted], owner).path == exact


def test_of_two_alike_the_persons_own_is_taken(owner, person):
    ollama(person, "qwen3:4b", model_bytes(1))
    own = write_file(owner.models / "Qwen3-4B-Q8_0.gguf", model_bytes(2))

    assert find_preferred([QWEN3_4B], owner).path == own


@pytest.mark.usefixtures("warm_home")
def test_a_found_model_answers_when_it_is_named(person, harbour, capsys):
    """Its weights are random, so what it says is nothing; that it speaks is told."""
    ollama(person, "tiny:1b", model_bytes(context=4096))

    assert main(["run", str(harbour.pack), "When is high tide?", "--model", "tiny:1b", "--json"]) == 0
    answered = json.loads(capsys.readouterr().out)
    assert (answered["mode"], answered["model"]) == ("model", "tiny:1b")
