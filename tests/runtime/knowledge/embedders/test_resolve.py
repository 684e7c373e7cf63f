"""From a word in `assistant.toml` to a model on this disk, and from a fingerprint to what embeds a question."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from helpers.embedder_folders import write_embedder_folder
from helpers.project_folders import write_files, write_project

from satchel.runtime.commands.index import index_project
from satchel.runtime.knowledge.embedders import resolve
from satchel.runtime.knowledge.embedders.bundled import BundledEmbedder, bundled_embedder
from satchel.runtime.knowledge.embedders.choose import query_embedder
from satchel.runtime.knowledge.embedders.errors import (
    EmbedderError,
    EmbedderLoadError,
    EmbedderMissingError,
    WrongEmbedderError,
)
from satchel.runtime.knowledge.embedders.model_folder import EmbedderFolder, Prefixes, read_embedder_folder
from satchel.runtime.knowledge.embedders.multilingual import MULTILINGUAL
from satchel.runtime.knowledge.embedders.resolve import (
    placed_setting,
    query_gguf,
    resolve_embedder,
    runnable_gguf,
)
from satchel.runtime.knowledge.fingerprint import EmbedderFingerprint


def in_hub(cache: Path, name: str, revision: str) -> Path:
    """Put a model where the hub's client would have."""
    entry = cache / f"models--{name.replace('/', '--')}"
    write_files(entry / "refs", {"main": f"{revision}\n"})
    return write_embedder_folder(entry / "snapshots" / revision)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    return cache


@pytest.fixture
def model(tmp_path: Path) -> EmbedderFolder:
    return read_embedder_folder(write_embedder_folder(tmp_path / "model"))


def test_the_default_is_the_bundled_one(home):
    assert isinstance(resolve_embedder("default", home), BundledEmbedder)


@pytest.mark.parametrize("setting", ["default", "multilingual", "somebody/model", "/there/model"])
def test_words_names_and_whole_paths_stay_as_they_are(tmp_path, setting):
    assert placed_setting(setting, tmp_path) == setting


@pytest.mark.parametrize("setting", ["model", "./model", "../model", "a/b/model", "~nobody-here/model", "mo del/x", ""])
def test_every_other_path_starts_at_the_project(tmp_path, setting):
    project = tmp_path / "project"
    assert placed_setting(setting, project) == str((project / setting).resolve())


def test_a_home_is_the_persons(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert placed_setting("~/model", Path("/project")) == str(tmp_path / "model")


def test_a_folder_of_the_project_goes_before_a_name_on_the_hub(tmp_path):
    (tmp_path / "somebody" / "model").mkdir(parents=True)
    assert placed_setting("somebody/model", tmp_path) == str(tmp_path / "somebody" / "model")


def test_a_projects_own_embedder_is_found_from_anywhere(tmp_path, stranger, monkeypatch):
    settings = '[knowledge]\nembedder = "models/tiny"\n'
    folder = write_project(tmp_path / "tutor", settings=settings, files={"knowledge/tides.md": "The tide rises."})
    write_embedder_folder(folder / "models" / "tiny")
    elsewhere = tmp_path / "elsewhere"
    # Another of that name, where the command is run.
    write_embedder_folder(elsewhere / "models" / "tiny", config={"model_type": "mamba"})
    monkeypatch.chdir(elsewhere)
    assert index_project(folder, stranger).embedder == "tiny"


@pytest.mark.parametrize("setting", ["relative", "./relative", "/gone", "x" * 5000, "/" + "x" * 5000, "a\0b", ""])
def test_what_is_not_there_is_named(home, setting, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "relative").mkdir()
    with pytest.raises(EmbedderMissingError):
        resolve_embedder(setting, home)


def test_a_model_of_the_hubs_cache_is_used_and_none_is_downloaded(home, hub):
    with pytest.raises(EmbedderMissingError, match="somebody/model is not on this machine") as caught:
        resolve_embedder("somebody/model", home)
    assert "hf download somebody/model" in caught.value.advice
    folder = in_hub(hub, "somebody/model", "abc")
    resolved = resolve_embedder("somebody/model", home)
    assert (resolved.path, resolved.fingerprint.name) == (folder, "somebody/model")


def test_a_model_in_satchels_own_folder_goes_before_the_hubs_cache(home, hub):
    in_hub(hub, "somebody/model", "abc")
    own = write_embedder_folder(home.models / "embedders" / "somebody--model")
    assert resolve_embedder("somebody/model", home).path == own


def test_the_hubs_cache_lies_where_its_variables_say(home, tmp_path, monkeypatch):
    for variable in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    in_hub(tmp_path / "me" / ".cache" / "huggingface" / "hub", "a/one", "1")
    assert resolve_embedder("a/one", home).fingerprint.name == "a/one"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    in_hub(tmp_path / "xdg" / "huggingface" / "hub", "a/two", "1")
    assert resolve_embedder("a/two", home).fingerprint.name == "a/two"
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    in_hub(tmp_path / "hf" / "hub", "a/three", "1")
    assert resolve_embedder("a/three", home).fingerprint.name == "a/three"


def test_the_multilingual_one_is_asked_for_at_its_pinned_revision(home, hub):
    in_hub(hub, MULTILINGUAL.name, "another")
    with pytest.raises(EmbedderMissingError) as caught:
        resolve_embedder("multilingual", home)
    assert f"--revision {MULTILINGUAL.revision}" in caught.value.advice
    in_hub(hub, MULTILINGUAL.name, MULTILINGUAL.revision)
    assert resolve_embedder("multilingual", home).fingerprint.query_prefix == "query: "


def test_a_folders_gguf_is_written_once_and_anew_when_it_is_damaged(home, model):
    path = runnable_gguf(model, home)
    whole, written = path.read_bytes(), path.stat().st_mtime_ns
    assert runnable_gguf(model, home).stat().st_mtime_ns == written
    path.write_bytes(whole[:-32])
    assert runnable_gguf(model, home).read_bytes() == whole


def test_a_question_is_embedded_by_the_very_model_of_the_fingerprint(home, model):
    with pytest.raises(WrongEmbedderError, match="made by model"):
        query_gguf(model.fingerprint, home)
    runnable_gguf(model, home)
    embedder = query_embedder(model.fingerprint, home)
    assert embedder.fingerprint == model.fingerprint
    assert embedder.embed_query("the moon").shape == (32,)
    embedder.close()
    for other in (
        msgspec.structs.replace(model.fingerprint, query_prefix="query: "),
        msgspec.structs.replace(model.fingerprint, name=str(model.path)),
        msgspec.structs.replace(bundled_embedder().fingerprint, max_tokens=64),
    ):
        with pytest.raises(WrongEmbedderError):
            query_gguf(other, home)


def test_a_damaged_gguf_without_its_original_is_named_and_not_used(home, model):
    path = runnable_gguf(model, home)
    path.write_bytes(path.read_bytes()[:-32])
    shutil.rmtree(model.path)
    with pytest.raises(EmbedderLoadError, match="its bytes are not those that were written") as caught:
        query_embedder(model.fingerprint, home)
    assert "convert-embedder" in caught.value.advice


def test_a_stranger_who_claims_the_multilingual_weights_chooses_nothing_else(home, hub, monkeypatch):
    folder = in_hub(hub, MULTILINGUAL.name, MULTILINGUAL.revision)
    mine = read_embedder_folder(folder, name=MULTILINGUAL.name, prefixes=Prefixes("query: ", "passage: ")).fingerprint
    pinned = msgspec.structs.replace(mine, weights_sha256=MULTILINGUAL.weights_sha256)
    with pytest.raises(WrongEmbedderError):  # these weights are others
        query_gguf(pinned, home)
    monkeypatch.setattr(resolve, "MULTILINGUAL", replace(MULTILINGUAL, weights_sha256=mine.weights_sha256))
    with pytest.raises(WrongEmbedderError):
        query_gguf(msgspec.structs.replace(mine, dimension=8), home)
    assert query_gguf(mine, home).is_file()


def test_every_error_of_a_setting_is_an_embedders(home, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmbedderError, match=r"config\.json is missing"):
        resolve_embedder(str(tmp_path / "empty"), home)


def test_a_fingerprint_is_written_as_it_is_compared():
    fingerprint = bundled_embedder().fingerprint
    assert msgspec.json.decode(msgspec.json.encode(fingerprint), type=EmbedderFingerprint) == fingerprint
