"""Models of other programs: each once, named as `--model` takes it, whatever lies around them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.model_folders import model_bytes, projector_bytes, write_file, write_hugging_face, write_ollama
from helpers.tiny_gguf import TinyModel, write_parts

from satchel.runtime.models.discovery import FoundModel, find_models, gguf_files
from satchel.runtime.models.places import Surroundings


@pytest.fixture
def here(tmp_path) -> Surroundings:
    return Surroundings(tmp_path, {}, "linux", tmp_path / "root")


def names(here: Surroundings, taken: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(model.program, model.name) for model in find_models(here, taken)]


def test_without_other_programs_nothing_is_found(here):
    assert find_models(here) == []


@pytest.mark.parametrize("name", ["llama3.2:3b", "ada/tutor:latest", "hf.co/bartowski/Tiny-GGUF:Q4_K_M"])
def test_ollamas_models_are_called_as_ollama_calls_them(here, name):
    content = model_bytes()
    blob = write_ollama(here.person / ".ollama/models", name, content)

    assert find_models(here) == [FoundModel("ollama", name, blob, blob.name.removeprefix("sha256-"))]


def test_two_tags_of_one_blob_are_one_model(here):
    models = here.person / ".ollama/models"
    write_ollama(models, "tiny:1b", model_bytes())
    write_ollama(models, "tiny:latest", model_bytes())

    assert names(here) == [("ollama", "tiny:1b")]


def test_ollamas_projectors_and_models_with_adapters_are_none(here):
    models = here.person / ".ollama/models"
    write_ollama(models, "sees:4b", model_bytes(1), more=(("projector", projector_bytes()),))
    write_ollama(models, "tuned:4b", model_bytes(2), more=(("adapter", b"GGUF"),))

    assert names(here) == [("ollama", "sees:4b")]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"layers": [{"mediaType": 1}]}', b"[" * 100_000, b"\xff"])
def test_a_broken_manifest_hides_no_other(here, content):
    models = here.person / ".ollama/models"
    write_ollama(models, "good:1b", model_bytes())
    write_file(models / "manifests/registry.ollama.ai/library/broken/latest", content)
    (models / "manifests/registry.ollama.ai/library/folder/latest").mkdir(parents=True)

    assert names(here) == [("ollama", "good:1b")]


def test_a_manifest_cannot_point_out_of_the_blobs(here):
    models = here.person / ".ollama/models"
    write_file(here.person / "secret", model_bytes())
    layer = '{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../../secret"}'
    write_file(models / "manifests/registry.ollama.ai/library/evil/latest", f'{{"layers": [{layer}]}}')

    assert find_models(here) == []


def test_a_manifest_whose_blob_is_gone_is_passed_over(here):
    write_ollama(here.person / ".ollama/models", "tiny:1b", model_bytes()).unlink()

    assert find_models(here) == []


def test_the_hugging_face_caches_links_are_models_and_name_their_hash(here):
    cache = here.person / ".cache/huggingface/hub"
    link = write_hugging_face(cache, "maker/Tiny-GGUF", "Tiny-Q8_0.gguf", model_bytes())
    write_hugging_face(cache, "maker/Tiny-GGUF", "sub/Other-Q8_0.gguf", model_bytes(2))
    write_file(cache / "models--maker--Tiny-GGUF/snapshots" / ("a" * 40) / "README.md", "x")

    first, second = find_models(here)
    assert (first.name, first.path, len(first.sha256)) == ("Tiny-Q8_0", link, 64)
    assert second.name == "Other-Q8_0"


def test_of_two_snapshots_the_current_one_has_the_plain_name(here):
    cache = here.person / ".cache/huggingface/hub"
    write_hugging_face(cache, "maker/Tiny-GGUF", "Tiny.gguf", model_bytes(1), commit="a" * 40)
    new = write_hugging_face(cache, "maker/Tiny-GGUF", "Tiny.gguf", model_bytes(2), commit="b" * 40)

    found = find_models(here)
    assert (found[0].name, found[0].path) == ("Tiny", new)
    assert found[1].name == "hugging-face:Tiny"


def test_a_link_whose_blob_was_removed_is_passed_over(here):
    link = write_hugging_face(here.person / ".cache/huggingface/hub", "m/T", "T.gguf", model_bytes())
    Path(os.path.realpath(link)).unlink()

    assert find_models(here) == []


def test_jans_models_are_called_by_their_folder(here):
    data = here.person / ".local/share/Jan/data"
    write_file(data / "llamacpp/models/maker/Tiny-4B/model.gguf", model_bytes())
    write_file(data / "llamacpp/models/maker/Tiny-4B/mmproj.gguf", projector_bytes())
    write_file(data / "models/old-1b/old-1b.Q4.gguf", model_bytes(2))

    assert names(here) == [("jan", "Tiny-4B"), ("jan", "old-1b.Q4")]


def test_a_model_that_was_imported_into_jan_is_found_where_it_lies(here):
    elsewhere = write_file(here.person / "Downloads/My Model.gguf", model_bytes())
    description = here.person / ".local/share/Jan/data/llamacpp/models/mine/model.yml"
    write_file(description, f"name: Mine\nmodel_path: '{elsewhere}'\nsize_bytes: 9\n")

    assert [(model.name, model.path) for model in find_models(here)] == [("mine", elsewhere)]


def test_a_split_model_is_one_and_projectors_are_none(here):
    folder = here.person / ".lmstudio/models/maker/Big-GGUF"
    folder.mkdir(parents=True)
    parts = write_parts(folder, "Big-Q8_0", TinyModel(), 3)
    write_file(folder / "mmproj-Big-F16.gguf", projector_bytes())

    assert [(model.name, model.path) for model in find_models(here)] == [("Big-Q8_0", parts[0])]


def test_gpt4all_and_llama_cpp_keep_plain_files(here):
    write_file(here.person / ".local/share/nomic.ai/GPT4All/Tiny.Q4_0.gguf", model_bytes(1))
    write_file(here.person / ".local/share/nomic.ai/GPT4All/localdocs_v3.db", "x")
    write_file(here.person / ".cache/llama.cpp/maker_Other.GGUF", model_bytes(2))

    assert names(here) == [("gpt4all", "Tiny.Q4_0"), ("llama.cpp", "maker_Other")]


def test_hard_links_and_symbolic_links_of_one_file_are_one_model(here):
    first = write_file(here.person / ".lmstudio/models/maker/T/Tiny.gguf", model_bytes())
    hard, soft = here.person / ".cache/llama.cpp/hard.gguf", here.person / ".cache/llama.cpp/soft.gguf"
    hard.parent.mkdir(parents=True)
    hard.hardlink_to(first)
    soft.symlink_to(first)

    assert find_models(here) == [FoundModel("lm-studio", "Tiny", first, also=(hard, soft))]


def test_the_same_hash_in_two_programs_is_one_model(here):
    blob = write_ollama(here.person / ".ollama/models", "tiny:1b", model_bytes())
    link = write_hugging_face(here.person / ".cache/huggingface/hub", "m/T", "T.gguf", model_bytes())

    assert [(model.path, model.also) for model in find_models(here)] == [(blob, (link,))]


def test_two_models_of_one_name_get_two_names(here):
    write_file(here.person / ".lmstudio/models/a/x/Tiny.gguf", model_bytes(1))
    write_file(here.person / ".lmstudio/models/b/y/tiny.gguf", model_bytes(2))
    third = write_file(here.person / ".lmstudio/models/c/y/tiny.gguf", model_bytes(3))
    fourth = write_file(here.person / ".lmstudio/models/d/y/tiny.gguf", model_bytes(4))

    assert [model.name for model in find_models(here, taken=("TINY",))] == [
        "lm-studio:Tiny",
        "lm-studio:y/tiny",
        str(third),
        str(fourth),
    ]


def test_links_in_a_circle_end(here):
    models = here.person / ".lmstudio/models"
    write_file(models / "maker/T/Tiny.gguf", model_bytes())
    (models / "maker/T/again").symlink_to(models)

    assert names(here) == [("lm-studio", "Tiny")]


def test_a_folder_that_may_not_be_read_hides_no_other(here, monkeypatch):
    models = here.person / ".lmstudio/models"
    write_file(models / "a/T/Tiny.gguf", model_bytes())
    (models / "locked").mkdir()
    scan_really = os.scandir

    def scan(folder):
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scan_really(folder)

    monkeypatch.setattr(os, "scandir", scan)  # as root, nothing is locked

    assert names(here) == [("lm-studio", "Tiny")]


def test_what_lies_very_deep_is_not_looked_for(tmp_path):
    write_file(tmp_path / "1/2/3/4/5/6/found.gguf", b"x")
    write_file(tmp_path / "1/2/3/4/5/6/7/lost.gguf", b"x")
    (tmp_path / "folder.gguf").mkdir()

    assert [path.name for path in gguf_files(tmp_path)] == ["found.gguf"]
