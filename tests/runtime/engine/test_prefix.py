"""The state of pinned instructions on disk: what it saves, that it changes nothing, and that it is never trusted."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.generations import GREEDY, Generation, collect, system, user
from helpers.odd_models import ODD_MODELS, TALK
from helpers.tiny_gguf import TinyModel, write_gguf, write_lora

from satchel.runtime.engine.base import LoadSpec
from satchel.runtime.engine.devices import Machine, Memory, probe_machine
from satchel.runtime.engine.llama import LlamaEngine
from satchel.runtime.engine.prefix import PrefixCache, prefix_key

HOUR = 3600.0


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "m.gguf", TinyModel())


def _say(
    path: Path, cache: Path | None, *, talk=tuple(TALK), pinned: int = 1, probe=probe_machine, **spec
) -> Generation:
    """Ask in a process state of its own: an engine that has seen nothing before."""
    engine = LlamaEngine(probe=probe)
    try:
        engine.load(LoadSpec(path=str(path), cache=None if cache is None else str(cache), **spec))
        return collect(engine.generate(list(talk), GREEDY, max_tokens=12, pinned=pinned))
    finally:
        engine.close()


def _kept(cache: Path) -> list[Path]:
    return sorted(cache.glob("prefix/*.prefix"))


@pytest.mark.parametrize("name", ODD_MODELS)
def test_what_is_said_is_the_same_to_the_last_bit_with_and_without_it(tmp_path, cache, name):
    path = write_gguf(tmp_path / "m.gguf", ODD_MODELS[name])

    without, cold, warm = (_say(path, folder) for folder in (None, cache, cache))

    assert without.exactly == cold.exactly == warm.exactly
    assert (cold.ended.usage.restored, cold.ended.usage.reused) == (0, 0)
    assert warm.ended.usage.restored > 64
    assert warm.prefills[0].done == warm.ended.usage.restored
    assert len(_kept(cache)) == 1


def test_the_starters_greedy_answer_is_the_same_with_and_without_it(starter_path, cache):
    talk = [system("You are a guide to a harbour and answer in one sentence. " * 6), user("What is a tide?")]

    without, cold, warm = (_say(starter_path, folder, talk=talk, context=512) for folder in (None, cache, cache))

    assert without.text == cold.text == warm.text != ""
    assert without.exactly == warm.exactly
    assert warm.ended.usage.restored > 60


@pytest.mark.parametrize("megabytes", [268, 400])
def test_long_instructions_are_kept_with_full_caches_and_with_windows_alone(tmp_path, cache, megabytes):
    model = TinyModel(architecture="gemma3", head_values=32, window=64, layers=7, context=2048)
    path = write_gguf(tmp_path / "m.gguf", model)
    machine = Machine(devices=(), memory=Memory(megabytes << 20, 1 << 30), cores=2)
    talk = [system("~" * 900), user("tide?")]

    without, cold, warm = (
        _say(path, folder, talk=talk, probe=lambda: machine, context=2048) for folder in (None, cache, cache)
    )

    assert warm.ended.usage.restored > 900
    assert without.exactly == cold.exactly == warm.exactly


def test_another_question_to_the_same_instructions_is_served_too(path, cache):
    _say(path, cache)

    other = _say(path, cache, talk=[TALK[0], user("Whose boat is it?")])

    assert other.ended.usage.restored > 64
    assert other.exactly == _say(path, None, talk=[TALK[0], user("Whose boat is it?")]).exactly
    assert len(_kept(cache)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "{% if not messages|selectattr('role', 'eq', 'user')|list %}{{ raise_exception('no question') }}{% endif %}",
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}",
    ],
)
def test_templates_that_take_no_instructions_without_a_question_have_it_too(tmp_path, cache, source):
    template = source + "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    path = write_gguf(tmp_path / "m.gguf", TinyModel(template=template))
    talk = [TALK[0], user("Whose boat is it?")]

    cold, warm = _say(path, cache, talk=talk), _say(path, cache, talk=talk)

    assert warm.ended.usage.restored > 64
    assert warm.exactly == cold.exactly == _say(path, None, talk=talk).exactly


def test_in_one_process_it_is_restored_when_memory_holds_something_else(path, cache, engine):
    engine.load(LoadSpec(path=str(path), cache=str(cache)))
    first = collect(engine.generate(TALK, GREEDY, max_tokens=12, pinned=1))
    collect(engine.generate([user("~" * 100)], GREEDY, max_tokens=12))

    again = collect(engine.generate(TALK, GREEDY, max_tokens=12, pinned=1))
    at_once = collect(engine.generate(TALK, GREEDY, max_tokens=12, pinned=1))

    assert again.ended.usage.restored > 64
    assert (at_once.ended.usage.restored, at_once.ended.usage.reused > 64) == (0, True)
    assert first.exactly == again.exactly == at_once.exactly


def test_other_instructions_have_a_state_of_their_own(path, cache):
    _say(path, cache)

    other = _say(path, cache, talk=[system(TALK[0].content + "Be brief."), *TALK[1:]])

    assert other.ended.usage.restored == 0
    assert len(_kept(cache)) == 2


@pytest.mark.parametrize(
    "spec", [{"context": 256}, {"kv_type": "q8_0"}, {"adapter": True}, {"adapter": True, "adapter_scale": 0.5}]
)
def test_whatever_its_numbers_depend_on_makes_another_state(tmp_path, cache, spec):
    model = TinyModel(architecture="qwen3", head_values=32)
    path = write_gguf(tmp_path / "m.gguf", model)
    talk = [TALK[0], user("tide?")]
    _say(path, cache, talk=talk)
    adapter = {"adapter": str(write_lora(tmp_path / "lora.gguf", model))} if "adapter" in spec else {}

    cold, warm = (_say(path, cache, talk=talk, **{**spec, **adapter}) for _ in range(2))

    assert (cold.ended.usage.restored, warm.ended.usage.restored > 64) == (0, True)
    assert cold.exactly == warm.exactly
    assert len(_kept(cache)) == 2


def test_a_model_file_that_changed_is_read_anew(path, cache):
    first = _say(path, cache)
    write_gguf(path, TinyModel(seed=2))

    changed = _say(path, cache)

    assert changed.ended.usage.restored == 0
    assert changed.exactly != first.exactly


def _flip(at: int):
    def damage(content: bytearray) -> bytearray:
        content[at] ^= 1
        return content

    return damage


DAMAGE = {
    "another magic": _flip(0),
    "another checksum": _flip(20),
    "one bit of the state": _flip(-1000),
    "cut short": lambda content: content[:-1],
    "cut to its head": lambda content: content[:48],
    "cut within its head": lambda content: content[:10],
    "empty": lambda _content: bytearray(),
    "longer": lambda content: content + b"\0",
    "something else": lambda _content: bytearray(os.urandom(5000)),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_built_again(path, cache, name):
    sound = _say(path, cache)
    (file,) = _kept(cache)
    whole = file.read_bytes()
    file.write_bytes(DAMAGE[name](bytearray(whole)))

    rebuilt = _say(path, cache)

    assert rebuilt.ended.usage.restored == 0
    assert rebuilt.exactly == sound.exactly
    assert _kept(cache) == [file]
    assert file.read_bytes() == whole
    assert _say(path, cache).ended.usage.restored > 64


def test_a_sound_state_under_anothers_name_is_not_taken(path, cache):
    sound = _say(path, cache)
    (file,) = _kept(cache)
    changed = TALK[0].content.replace("tide", "moon", 1)
    other = _say(path, cache, talk=[system(changed), *TALK[1:]])
    (foreign,) = set(_kept(cache)) - {file}
    assert foreign.stat().st_size == file.stat().st_size
    file.write_bytes(foreign.read_bytes())

    rebuilt = _say(path, cache)

    assert rebuilt.ended.usage.restored == 0
    assert rebuilt.exactly == sound.exactly != other.exactly


@pytest.mark.parametrize("state", ["a part of it", "no state at all", "the state of another model"])
def test_a_state_that_llama_cpp_does_not_take_is_built_again(tmp_path, path, cache, state):
    sound = _say(path, cache)
    (file,) = _kept(cache)
    whole = file.read_bytes()
    own = whole[48:]
    _say(write_gguf(tmp_path / "other.gguf", TinyModel(layers=3)), tmp_path / "others")
    foreign = {
        "a part of it": own[: len(own) // 2],
        "no state at all": os.urandom(3000),
        "the state of another model": _kept(tmp_path / "others")[0].read_bytes()[48:],
    }[state]
    PrefixCache(file.parent, most_bytes=1 << 30).store(file.stem, foreign)

    rebuilt = _say(path, cache)

    assert rebuilt.ended.usage.restored == 0
    assert rebuilt.exactly == sound.exactly
    assert file.read_bytes() == whole


def test_short_instructions_are_not_worth_a_file(path, cache):
    _say(path, cache, talk=[system("Be brief."), user("tide?")])

    assert _kept(cache) == []


def test_nothing_is_kept_without_a_cache_or_room_for_it_or_pinned_messages(path, cache):
    _say(path, cache, prefix_bytes=0)
    _say(path, cache, prefix_bytes=1000)
    _say(path, cache, pinned=0)
    _say(path, cache, pinned=len(TALK))

    assert _kept(cache) == []


def test_a_cancel_while_the_instructions_are_read_keeps_nothing(path, cache, engine):
    engine.load(LoadSpec(path=str(path), cache=str(cache)))
    items = engine.generate(TALK, GREEDY, max_tokens=12, pinned=1)
    next(items)
    engine.cancel()
    assert list(items)[-1].reason == "cancelled"

    engine.unload()
    assert _kept(cache) == []


def test_a_cache_folder_that_cannot_be_written_only_costs_time(tmp_path, path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")

    assert _say(path, blocked).exactly == _say(path, None).exactly


@pytest.fixture
def states(tmp_path: Path) -> Iterator[PrefixCache]:
    """Room for two states of 1,000 bytes."""
    return PrefixCache(tmp_path / "states", most_bytes=2500)


def _age(states: PrefixCache, key: str, hours: float) -> None:
    then = time.time() - hours * HOUR
    os.utime(states.folder / f"{key}.prefix", (then, then))


def test_the_state_used_longest_ago_goes_first(states):
    states.store("a", bytes(1000))
    states.store("b", bytes(1000))
    _age(states, "a", 3)
    _age(states, "b", 2)
    assert states.load("a") == bytes(1000)

    states.store("c", bytes(1000))

    assert [key for key in "abc" if key in states] == ["a", "c"]
    assert sum(file.stat().st_size for file in states.folder.iterdir()) <= 2500


def test_a_state_larger_than_all_room_is_not_kept_and_drives_none_out(states):
    states.store("a", bytes(1000))

    states.store("b", bytes(3000))

    assert [key for key in "ab" if key in states] == ["a"]


def test_what_a_killed_process_left_behind_goes_and_what_others_write_stays(states):
    states.store("a", bytes(10))
    stale, fresh, foreign = (states.folder / name for name in ("x.partial", "y.partial", "notes.txt"))
    for file in (stale, fresh, foreign):
        file.write_text("x")
    for file in (stale, foreign):
        os.utime(file, (time.time() - 2 * HOUR,) * 2)

    states.store("b", bytes(10))

    assert not stale.exists()
    assert fresh.exists()
    assert foreign.exists()


def test_keys_tell_parts_from_each_other():
    keys = {
        prefix_key(*given)
        for given in [(["a", "b"], [1, 2]), (["ab", ""], [1, 2]), (["a", "b"], [12]), (["a", "b"], [1])]
    }

    assert len(keys) == 4
    assert prefix_key(["a"], [1]) == prefix_key(["a"], [1])
