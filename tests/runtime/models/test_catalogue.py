"""The list that comes with this version: sound, sorted, dated, and of models that the engine knows."""

from __future__ import annotations

from pathlib import Path

import llama_cpp
import msgspec
import pytest

from satchel.runtime.models.catalogue import CatalogueModel, find_in_catalogue, load_catalogue, nearest
from satchel.runtime.models.errors import UnknownModelError
from satchel.runtime.models.hub import parse_reference


def test_the_list_reaches_from_1b_to_14b_smallest_first():
    models = load_catalogue().model

    assert [model.gigabytes for model in models] == sorted(model.gigabytes for model in models)
    assert (models[0].parameters, models[-1].parameters) == ("1B", "14B")
    assert 12 <= len(models) <= 20


def test_the_list_says_when_and_how_it_was_checked():
    catalogue = load_catalogue()

    assert catalogue.made.year == 2026
    assert "the hub itself was not asked" in catalogue.how


def test_no_two_entries_share_a_name_or_a_file():
    models = load_catalogue().model

    assert len({model.name for model in models}) == len({model.reference for model in models}) == len(models)


def test_every_entry_can_be_asked_for():
    for model in load_catalogue().model:
        reference = parse_reference(model.reference)
        assert (reference.repository, reference.file) == (model.repository, model.file)


def test_the_engine_of_this_version_knows_every_architecture():
    library = next((Path(llama_cpp.__file__).parent / "lib").glob("*llama.*")).read_bytes()

    assert [model.name for model in load_catalogue().model if f"\0{model.architecture}\0".encode() not in library] == []


@pytest.mark.parametrize(
    "name", ["qwen3-4b", "QWEN3-4B", "Qwen3 4B Instruct 2507", "Qwen3-4B-Instruct-2507-Q4_K_M.gguf"]
)
def test_an_entry_is_found_by_name_title_or_file(name):
    assert find_in_catalogue(name, load_catalogue()).name == "qwen3-4b"


@pytest.mark.parametrize(
    ("name", "near"), [("qwen3-4", "qwen3-4b"), ("granit", "granite-3.3-2b"), ("phi4", "phi-4"), ("", "olmo-2-1b")]
)
def test_an_unknown_name_is_told_with_the_nearest(name, near):
    with pytest.raises(UnknownModelError) as caught:
        find_in_catalogue(name, load_catalogue())

    assert near in caught.value.advice
    assert "hub:OWNER/REPOSITORY/FILE.gguf" in caught.value.advice


def test_nothing_near_is_told_with_the_whole_list():
    assert nearest("zzz", ["a-1b", "b-2b"]) == "a-1b, b-2b"


@pytest.mark.parametrize(
    "wrong",
    [{"name": "a b"}, {"repository": "alone"}, {"file": "x.bin"}, {"gigabytes": 0}, {"sha256": "0"}, {"context": 1}],
)
def test_an_entry_of_another_form_is_refused(wrong):
    sound = msgspec.to_builtins(load_catalogue().model[0])

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(sound | wrong, CatalogueModel)
