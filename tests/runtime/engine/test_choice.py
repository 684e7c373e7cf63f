"""Which model a person means, and the Starter, which must be the very file that was tested."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from helpers.tiny_gguf import TinyModel, write_gguf, write_parts

from satchel.runtime.engine.choice import GgufFile, Quote, find_model, list_models
from satchel.runtime.engine.errors import ChangedStarterError, ModelMissingError
from satchel.runtime.engine.identity import file_sha256
from satchel.runtime.engine.known_hashes import KnownHashes
from satchel.runtime.engine.starter import STARTER_FILE, STARTER_SHA256, find_starter
from satchel.runtime.errors import MissingExtraError


@pytest.fixture
def models(home) -> Path:
    """A person's folder with three models, one of them split."""
    home.models.mkdir(parents=True)
    write_gguf(home.models / "Qwen3-4B.Q4_K_M.gguf")
    (home.models / "pulled").mkdir()
    write_gguf(home.models / "pulled" / "gemma-3-1b.gguf")
    write_parts(home.models, "Large-70B", TinyModel(), 2)
    return home.models


def test_converted_embedders_are_no_models_to_talk_to(models, home):
    before = list_models(home)
    (models / "embedders").mkdir()
    write_gguf(models / "embedders" / "mine.gguf")

    assert list_models(home) == before


def test_reader_means_quotes(home):
    assert find_model("reader", home) == Quote()


def test_starter_means_the_installed_file(home):
    found = find_model("starter", home)

    assert isinstance(found, GgufFile)
    assert (found.name, found.is_starter, found.path.name) == ("starter", True, STARTER_FILE)
    assert file_sha256(found.path) == STARTER_SHA256


def test_a_file_is_taken_where_it_lies_and_need_not_be_sound(tmp_path, home, monkeypatch):
    path = tmp_path / "some model.gguf"
    path.write_bytes(b"not even a model")
    monkeypatch.chdir(tmp_path)

    for reference in (str(path), "some model.gguf", "./some model.gguf"):
        assert find_model(reference, home) == GgufFile(path, "some model")


def test_the_persons_own_folder_can_be_meant_by_a_tilde(tmp_path, home, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write_gguf(tmp_path / "mine.gguf")

    assert find_model("~/mine.gguf", home) == GgufFile(path, "mine")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("Qwen3-4B.Q4_K_M", "Qwen3-4B.Q4_K_M"),
        ("qwen3", "Qwen3-4B.Q4_K_M"),
        ("GEMMA-3-1B.gguf", "gemma-3-1b"),
        ("large", "Large-70B"),
    ],
)
def test_a_model_in_the_folder_is_found_by_the_beginning_of_its_name(models, home, reference, name):
    found = find_model(reference, home)

    assert isinstance(found, GgufFile)
    assert found.name == name
    assert found.path.is_relative_to(models)


@pytest.mark.usefixtures("models")
def test_the_first_part_stands_for_a_split_model(home):
    assert [model.name for model in list_models(home)] == ["Large-70B", "Qwen3-4B.Q4_K_M", "gemma-3-1b"]
    assert list_models(home)[0].path.name == "Large-70B-00001-of-00002.gguf"


def test_a_whole_name_wins_over_a_beginning(models, home):
    write_gguf(models / "gemma-3-1b-it.gguf")

    found = find_model("gemma-3-1b", home)
    assert isinstance(found, GgufFile)
    assert found.name == "gemma-3-1b"


def test_a_beginning_of_several_names_is_refused_with_the_names(models, home):
    write_gguf(models / "Qwen3-8B.gguf")

    with pytest.raises(ModelMissingError, match="'qwen3': more than one model begins so") as caught:
        find_model("qwen3", home)

    assert "Qwen3-4B.Q4_K_M, Qwen3-8B." in caught.value.advice


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("reference", ["llama", "", "x" * 5000, "a\0b", "~nobody-here/m", "/", "..", ".gguf"])
def test_what_is_not_there_is_named_with_what_is(home, reference):
    with pytest.raises(ModelMissingError, match="no file and no model on this disk has that name") as caught:
        find_model(reference, home)

    assert repr(reference) in caught.value.message
    assert "Large-70B, Qwen3-4B.Q4_K_M, gemma-3-1b" in caught.value.advice


@pytest.mark.parametrize("reference", ["gone/m.gguf", "~nobody-here/m.gguf", "/nowhere/x.GGUF"])
def test_a_path_that_leads_nowhere_is_told_as_a_path(home, reference):
    with pytest.raises(ModelMissingError, match="there is no such file") as caught:
        find_model(reference, home)

    assert "Models on this disk: none." in caught.value.advice


def test_without_a_folder_there_are_no_models(home):
    assert list_models(home) == []
    assert not home.data.exists()


def _starter_in(home, content: bytes) -> Path:
    home.models.mkdir(parents=True)
    path = home.models / STARTER_FILE
    path.write_bytes(content)
    return path


def test_a_starter_with_other_bytes_is_not_used_and_the_sound_one_is(home):
    _starter_in(home, b"GGUF, but not the Starter")

    assert file_sha256(find_starter(home)) == STARTER_SHA256


@pytest.fixture
def no_package(monkeypatch):
    """An environment without the extra: its package's metadata cannot be found."""
    monkeypatch.setattr(sys, "path", [])


@pytest.mark.usefixtures("no_package")
def test_a_starter_with_other_bytes_alone_is_refused_by_its_path(home):
    path = _starter_in(home, b"GGUF, but not the Starter")

    with pytest.raises(ChangedStarterError, match="its bytes differ") as caught:
        find_starter(home)

    assert str(path) in caught.value.message
    with pytest.raises(ChangedStarterError):
        find_model("starter", home)


@pytest.mark.usefixtures("no_package")
def test_without_the_extra_the_starter_says_which_command_installs_it(home):
    with pytest.raises(MissingExtraError, match="needs the extra `starter`") as caught:
        find_model("starter", home)

    assert caught.value.advice == "In the checkout run: pip install '.[starter]'"


@pytest.mark.usefixtures("no_package")
def test_a_copy_of_the_starter_in_the_persons_folder_is_enough(home, starter_path):
    home.models.mkdir(parents=True)
    (home.models / STARTER_FILE).symlink_to(starter_path)

    assert find_starter(home) == home.models / STARTER_FILE


def test_a_file_is_hashed_once_until_it_changes(tmp_path):
    path, hashes = tmp_path / "m.gguf", KnownHashes(tmp_path / "cache")
    path.write_bytes(b"one")
    first = hashes.sha256(path)
    remembered = (tmp_path / "cache" / "engine" / "hashes.json").read_bytes()

    assert hashes.sha256(path) == first == file_sha256(path)
    assert (tmp_path / "cache" / "engine" / "hashes.json").read_bytes() == remembered
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert hashes.sha256(path) == file_sha256(path) != first


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": 1}', b"\xff"])
def test_remembered_hashes_that_are_damaged_are_computed_again(tmp_path, content):
    path, file = tmp_path / "m.gguf", tmp_path / "cache" / "engine" / "hashes.json"
    path.write_bytes(b"one")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)

    assert KnownHashes(tmp_path / "cache").sha256(path) == file_sha256(path)
