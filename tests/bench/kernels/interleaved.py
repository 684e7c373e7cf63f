"""Contenders timed in turns, so that what else the machine does falls on all of them alike.

Each is a process of its own (no two OpenMP runtimes meet) that builds its index and then waits to be asked for a round:
as many questions as fit into some time, going on where the round before ended. Of each question the fastest run counts,
in time of the processor: where others share the machine, waiting for one's turn is no work, and on a quiet one thread's
time is the clock's.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from machine import ONE_THREAD

ROUNDS = 12
ROUND_SECONDS = 1.0


def serve(search: Callable[[int], object], questions: int, finish: Callable[[], dict[str, Any]]) -> None:
    """The contender's side: answer rounds with the runs' times, and the end of input with `finish`'s figures."""
    print(json.dumps("ready"), flush=True)
    at = 0
    for line in sys.stdin:
        deadline = time.perf_counter() + float(line)
        best: dict[int, float] = {}
        while time.perf_counter() < deadline:
            started = time.process_time()
            search(at)
            best[at] = min(time.process_time() - started, best.get(at, math.inf))
            at = (at + 1) % questions
        print(json.dumps(list(best.items())), flush=True)
    print(json.dumps(finish()), flush=True)


@dataclass
class Contender:
    """The benchmark's side of one process."""

    name: str
    command: Sequence[str]
    fastest: dict[int, float] = field(default_factory=dict)
    error: str = ""

    def start(self) -> None:
        """Start it and wait until its index is built."""
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **ONE_THREAD},
        )
        self._read()

    def time_round(self) -> None:
        """Have it run for a while."""
        if self.error:
            return
        assert self._process.stdin is not None
        self._process.stdin.write(f"{ROUND_SECONDS}\n")
        self._process.stdin.flush()
        for question, seconds in self._read() or []:
            self.fastest[question] = min(seconds, self.fastest.get(question, math.inf))

    def finish(self) -> dict[str, Any]:
        """End it and return its figures, or what went wrong."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        figures = self._read() if not self.error else None
        self._process.wait()
        if figures is None or not self.fastest:
            return {"name": self.name, "error": self.error}
        times = sorted(1e3 * seconds for seconds in self.fastest.values())
        return {
            "name": self.name,
            "milliseconds": statistics.fmean(times),
            "slowest_tenth": times[len(times) * 9 // 10],
            "questions_timed": len(times),
            **figures,
        }

    def _read(self) -> Any:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        told = self._process.stderr.read().strip().splitlines()
        self.error = told[-1] if told else f"exit code {self._process.wait()}"
        return None


def run_in_turns(contenders: Sequence[Contender], between: Callable[[], None] = lambda: None) -> list[dict[str, Any]]:
    """Build all, time them in turns, end them; `between` runs before each turn of all."""
    for contender in contenders:
        print(f"building {contender.name} ...", file=sys.stderr, flush=True)
        contender.start()
    for _ in range(ROUNDS):
        between()
        for contender in contenders:
            contender.time_round()
    return [contender.finish() for contender in contenders]
