# ruff: noqa: T201 - its output is what it is for
"""Make every attempt; print as JSON which succeeded. Outside, each in a process of its own, for some change theirs."""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import files  # noqa: F401 - fills the table
import kernel  # noqa: F401 - the same
import network  # noqa: F401 - the same
import processes  # noqa: F401 - the same
from table import ATTEMPTS, Scene

_SECONDS = 20


def main() -> None:
    place, scene = sys.argv[1], json.loads(sys.argv[2])
    warnings.simplefilter("ignore")  # forking beside threads
    results = {}
    for number, (name, one) in enumerate(ATTEMPTS.items()):
        own = Scene(**{**scene, "spare": f"{scene['folder']}/spare-{number}"})
        results[name] = _in_a_child(one.action, own) if place == "outside" else _tried(one.action, own)
    print(json.dumps(results))


def _tried(action, scene) -> str:
    """Return "succeeded", or why not."""
    try:
        action(scene)
    except (OSError, MemoryError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "succeeded"


def _in_a_child(action, scene) -> str:
    Path(scene.spare).write_text("spare")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(_SECONDS)
        result = _tried(action, scene)
        os.write(writing, result.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    # One that became another program says nothing and ends with 0.
    return said or ("succeeded" if status == 0 else f"it ended with status {status}")


main()
