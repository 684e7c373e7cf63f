"""What stays in the model's memory from turn to turn, so that only what is new is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.generations import GREEDY, Generation, assistant, collect, user
from helpers.odd_models import ODD_MODELS, TALK
from helpers.scripted_gguf import write_scripted_gguf
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.engine.base import LoadSpec
from satchel.runtime.engine.devices import Machine, Memory, probe_machine
from satchel.runtime.engine.llama import LlamaEngine

GEMMA = TinyModel(architecture="gemma3", head_values=32, window=64, layers=7, context=2048)
MIB = 1 << 20


def _fresh(path: Path, talk, *, probe: Callable[[], Machine] = probe_machine, **spec) -> Generation:
    engine = LlamaEngine(probe=probe)
    try:
        engine.load(LoadSpec(path=str(path), **spec))
        return collect(engine.generate(talk, GREEDY, max_tokens=8))
    finally:
        engine.close()


def test_a_second_turn_reads_only_what_is_new(engine, tmp_path):
    words = [" the", " tide", " rises"]
    engine.load(LoadSpec(path=str(write_scripted_gguf(tmp_path / "m.gguf", words))))
    question = [user("the water? " * 30)]
    first = collect(engine.generate(question, GREEDY, max_tokens=20))
    assert first.text == " the tide rises"

    second = collect(engine.generate([*question, assistant(first.text), user("and then?")], GREEDY, max_tokens=20))

    usage = second.ended.usage
    assert usage.reused == first.ended.usage.prompt + len(words)
    assert [prefill.done for prefill in second.prefills] == [usage.reused, usage.prompt]
    assert usage.prompt - usage.reused < 40


def test_going_on_gives_what_reading_it_all_anew_gives(engine, tmp_path):
    path = write_gguf(tmp_path / "m.gguf", TinyModel())
    engine.load(LoadSpec(path=str(path)))
    collect(engine.generate(TALK[:2], GREEDY, max_tokens=1))
    going_on = collect(engine.generate(TALK, GREEDY, max_tokens=8))
    anew = _fresh(path, TALK)

    assert going_on.ended.usage.reused > 100
    assert anew.ended.usage.reused == 0
    for piece, reference in zip(going_on.pieces, anew.pieces, strict=True):
        assert piece.token_id == reference.token_id
        # Batched otherwise, sums round otherwise.
        assert piece.logprob == pytest.approx(reference.logprob, abs=0.02)


def test_regenerating_reads_the_last_batch_again_and_computes_the_same(engine, tmp_path):
    engine.load(LoadSpec(path=str(write_gguf(tmp_path / "m.gguf", TinyModel(context=1024)))))
    talk = [user("~" * 600)]
    first = collect(engine.generate(talk, GREEDY, max_tokens=8))

    again = collect(engine.generate(talk, GREEDY, max_tokens=8))

    assert again.ended.usage.reused == 512
    assert again.exactly == first.exactly


def test_an_edited_question_keeps_what_stands_before_it(engine, tmp_path):
    path = write_gguf(tmp_path / "m.gguf", TinyModel(context=1024))
    engine.load(LoadSpec(path=str(path)))
    collect(engine.generate([user("~" * 600 + "first")], GREEDY, max_tokens=8))

    edited = collect(engine.generate([user("~" * 600 + "second")], GREEDY, max_tokens=8))

    assert edited.ended.usage.reused == 512
    assert edited.exactly == _fresh(path, [user("~" * 600 + "second")]).exactly


def _tight_machine() -> Machine:
    """Room for windows alone, not for caches that keep all that left them."""
    return Machine(devices=(), memory=Memory(268 * MIB, 1 << 30), cores=1)


@pytest.mark.parametrize(("probe", "reused"), [(probe_machine, 256), (_tight_machine, 0)])
def test_an_earlier_point_can_be_gone_back_to_though_windows_have_passed_it(tmp_path, probe, reused):
    path = write_gguf(tmp_path / "m.gguf", GEMMA)
    shared = "~" * 500
    engine = LlamaEngine(probe=probe)
    try:
        engine.load(LoadSpec(path=str(path), context=2048, threads=1))
        collect(engine.generate([user(shared + "#" * 900)], GREEDY, max_tokens=8))
        back = collect(engine.generate([user(shared + "@" * 300)], GREEDY, max_tokens=8))
        again = collect(engine.generate([user(shared + "@" * 300)], GREEDY, max_tokens=8))
    finally:
        engine.close()

    fresh = _fresh(path, [user(shared + "@" * 300)], probe=probe, context=2048)
    assert back.ended.usage.reused == reused
    assert back.exactly == fresh.exactly
    assert again.ended.usage.reused == 768
    assert again.exactly == fresh.exactly


def test_after_a_state_from_disk_an_earlier_point_is_read_anew_where_windows_have_passed_it(tmp_path):
    path, cache = write_gguf(tmp_path / "m.gguf", GEMMA), str(tmp_path / "cache")
    pinned = [user("~" * 700), user("tide?")]
    for _ in range(2):
        engine = LlamaEngine()
        engine.load(LoadSpec(path=str(path), cache=cache))
        said = collect(engine.generate(pinned, GREEDY, max_tokens=8, pinned=1))
        back = collect(engine.generate([user("~" * 600 + "#" * 50)], GREEDY, max_tokens=8))
        engine.close()

    assert said.ended.usage.restored > 700
    assert back.ended.usage.reused == 0
    assert back.exactly == _fresh(path, [user("~" * 600 + "#" * 50)]).exactly


def test_a_model_with_a_running_state_goes_on_or_starts_anew(engine, tmp_path):
    path = write_gguf(tmp_path / "m.gguf", ODD_MODELS["Mamba, without attention"])
    engine.load(LoadSpec(path=str(path)))
    collect(engine.generate(TALK[:2], GREEDY, max_tokens=1))

    longer = collect(engine.generate([*TALK[:1], user(TALK[1].content + "?")], GREEDY, max_tokens=8))

    assert longer.ended.usage.reused == 0
    assert longer.exactly == _fresh(path, [*TALK[:1], user(TALK[1].content + "?")]).exactly
