"""A worker's own limits, seen from inside a process that has set them."""

from __future__ import annotations

import json

import msgspec
import pytest
from helpers.python_processes import run_python

from satchel.runtime.worker.limits import WorkerLimits

SHOW = """
import json, resource, sys
import msgspec
from satchel.runtime.worker.limits import WorkerLimits, apply_limits
apply_limits(msgspec.json.decode(sys.argv[1], type=WorkerLimits))
print(json.dumps({
    name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in ("AS", "CPU", "FSIZE", "CORE")
}))
"""


def limits_inside(limits: WorkerLimits, *, before: str = "") -> dict[str, int]:
    finished = run_python(before + SHOW, msgspec.json.encode(limits).decode())
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_each_limit_is_the_kernels_own_afterwards():
    limits = WorkerLimits(memory_bytes=3 << 30, cpu_seconds=77, file_bytes=1 << 20)

    assert limits_inside(limits) == {"AS": 3 << 30, "CPU": 77, "FSIZE": 1 << 20, "CORE": 0}


def test_what_is_not_limited_stays_as_it_was_and_no_core_is_ever_dumped():
    before = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))\n"
    inside = limits_inside(WorkerLimits(file_bytes=5), before=before)

    assert (inside["CPU"], inside["FSIZE"], inside["CORE"]) == (99, 5, 0)


def test_a_lower_limit_that_the_process_came_with_stays():
    before = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (50, 60))\n"

    assert limits_inside(WorkerLimits(cpu_seconds=77), before=before)["CPU"] == 60


def test_unknown_limits_are_refused():
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"memory": 5}', type=WorkerLimits)
