"""A load that fails is tried with less, and what worked is remembered: described GPUs, real allocations."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from helpers.described_gpu_service import DEATHS, GIB, describe_gpu
from helpers.generations import GREEDY, collect, user
from helpers.python_processes import TESTS
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.engine.base import LOADING, LOADING_ONTO_GPU, LoadSpec, ModelInfo
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.engine.gguf_header import read_model
from satchel.runtime.engine.identity import model_identity
from satchel.runtime.engine.lessons import Lesson, Lessons, free_bytes, lesson_key, smaller
from satchel.runtime.engine.llama import LlamaEngine
from satchel.runtime.errors import WorkerDiedError
from satchel.runtime.worker.limits import WorkerLimits

SERVICE = "helpers.described_gpu_service"
HUGE = 1 << 21
"""A window that takes 2.5 GB."""
LIMITS = WorkerLimits(memory_bytes=2_200_000_000)
TIDE = [user("tide?")]


@pytest.fixture(autouse=True)
def _children_find_the_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "m.gguf", TinyModel(layers=7, context=HUGE))


def _load(spec: LoadSpec, limits: WorkerLimits | None = None) -> tuple[ModelInfo, list[str]]:
    """Load in a worker that is new, and return what was loaded and the stages of all attempts."""
    stages = []
    with EngineClient(service=SERVICE, limits=limits) as engine:
        info = engine.load(spec, progress=lambda stage, done, _total: done == 0 and stages.append(stage))
        assert collect(engine.generate(TIDE, GREEDY, max_tokens=2)).pieces
    return info, stages


def test_where_memory_does_not_suffice_layers_leave_the_gpu_first_and_then_the_window_shrinks(path, tmp_path):
    spec = LoadSpec(path=str(path), context=HUGE, cache=str(tmp_path / "cache"))

    info, stages = _load(spec, LIMITS)

    assert info.gpu_layers == 0
    assert info.context_tokens in {HUGE // 2, HUGE // 4, HUGE // 8}
    assert stages[0] == LOADING_ONTO_GPU
    assert stages[-1] == LOADING
    assert stages == sorted(stages, reverse=True)
    (note,) = info.notes
    assert note.kind == "backed-off"
    assert note.text == (
        f"Memory did not suffice for more: 0 layers on the GPU, a context of {info.context_tokens:,} tokens."
    )


def test_what_worked_is_remembered_so_that_the_next_start_does_not_fail_first(path, tmp_path):
    spec = LoadSpec(path=str(path), context=HUGE, cache=str(tmp_path / "cache"))
    first, attempts = _load(spec, LIMITS)

    again, again_attempts = _load(spec)

    assert (again.gpu_layers, again.context_tokens) == (first.gpu_layers, first.context_tokens)
    assert len(set(attempts)) == 2
    assert set(again_attempts) == {LOADING}
    assert again.notes == ()
    assert any("failed here before" in line for line in again.plan)


def test_a_driver_that_ends_the_process_is_met_with_fewer_layers(path, tmp_path, monkeypatch):
    monkeypatch.setenv(DEATHS, "2")
    spec = LoadSpec(path=str(path), context=512, cache=str(tmp_path / "cache"))

    info, _ = _load(spec)

    assert info.gpu_layers == 4  # 8, three quarters of it, three quarters of that
    assert [note.text for note in info.notes] == [
        "Memory did not suffice for more: 4 layers on the GPU, a context of 512 tokens."
    ]
    monkeypatch.setenv(DEATHS, "0")
    assert _load(spec)[0].gpu_layers == 4


def test_without_a_cache_deaths_are_met_too_and_nothing_is_remembered(path, monkeypatch):
    monkeypatch.setenv(DEATHS, "1")
    spec = LoadSpec(path=str(path), context=512)
    assert _load(spec)[0].gpu_layers == 6

    monkeypatch.setenv(DEATHS, "0")
    assert _load(spec)[0].gpu_layers == 8


def test_a_driver_that_always_ends_the_process_is_told_in_its_last_words(path, monkeypatch):
    monkeypatch.setenv(DEATHS, "100")

    with EngineClient(service=SERVICE) as engine, pytest.raises(WorkerDiedError, match="CUDA error: out of memory"):
        engine.load(LoadSpec(path=str(path), context=512))


def _loaded(path: Path, cache: Path, free: int) -> ModelInfo:
    engine = LlamaEngine(probe=lambda: describe_gpu(free=free))
    try:
        return engine.load(LoadSpec(path=str(path), context=512, cache=str(cache)))
    finally:
        engine.close()


def test_a_lesson_ends_when_much_more_memory_is_free(path, tmp_path):
    machine = describe_gpu(free=8 * GIB)
    key = lesson_key(model_identity(read_model(path)), machine)
    Lessons(tmp_path / "engine").learn(key, Lesson(3, 512, free_bytes(machine)))

    layers = [_loaded(path, tmp_path, free * GIB).gpu_layers for free in (8, 9, 4, 16)]

    assert layers == [3, 3, 3, 8]


def test_a_lesson_is_about_one_model_on_one_machine(path, tmp_path):
    machine = describe_gpu()
    lessons = Lessons(tmp_path / "engine")
    lessons.learn(lesson_key("another model", machine), Lesson(3, 512, free_bytes(machine)))

    assert _loaded(path, tmp_path, 22 * GIB).gpu_layers == 8
    assert lessons.recall(lesson_key("another model", machine), free_bytes=1) == Lesson(3, 512, free_bytes(machine))


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}', b'{"a": {"gpu_layers": "x"}}', b"\xff"])
def test_a_file_of_lessons_that_is_damaged_is_started_anew(tmp_path, content):
    (tmp_path / "loads.json").write_bytes(content)
    lessons = Lessons(tmp_path)
    assert lessons.recall("a", free_bytes=0) is None

    lessons.learn("a", Lesson(1, 2, 3))

    assert lessons.recall("a", free_bytes=3) == Lesson(1, 2, 3)


def test_the_oldest_lessons_are_forgotten(tmp_path):
    known = {str(number): Lesson(number, 512, 1) for number in range(200)}
    (tmp_path / "loads.json").write_bytes(msgspec.json.encode(known))
    lessons = Lessons(tmp_path)

    lessons.learn("newest", Lesson(9, 512, 1))

    assert lessons.recall("0", free_bytes=1) is None
    assert lessons.recall("1", free_bytes=1) == Lesson(1, 512, 1)
    assert lessons.recall("newest", free_bytes=1) == Lesson(9, 512, 1)


def test_less_and_less_ends_at_a_window_that_is_still_of_use():
    steps = [Lesson(5, 4096, 0)]
    while (less := smaller(steps[-1])) is not None:
        steps.append(less)

    assert [(step.gpu_layers, step.context) for step in steps] == [
        *((5, 4096), (3, 4096), (2, 4096), (1, 4096), (0, 4096)),
        *((0, 2048), (0, 1024), (0, 512)),
    ]
