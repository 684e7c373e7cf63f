"""Run 100,000 random chats through the broker and the reference monitor; any disagreement ends it with the trace.

`python tests/bench/permissions/traces.py [--traces N] [--seed S]`, once and not in the suite: about 20 minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import helpers.chat_traces as traces
from helpers.chat_traces import ChatTraces, told
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

CHUNK = 5000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parsed = parser.parse_args()
    verdicts = Counter[str]()

    def counted(decision: object) -> str:
        verdict = told(decision)
        verdicts[verdict] += 1
        return verdict

    traces.told = counted
    started = time.perf_counter()
    for done in range(0, parsed.traces, CHUNK):
        chosen = settings(
            max_examples=min(CHUNK, parsed.traces - done),
            stateful_step_count=14,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        machine = seed(parsed.seed + done)(type("Chunk", (ChatTraces,), {}))
        run_state_machine_as_test(machine, settings=chosen)
        seconds = time.perf_counter() - started
        print(
            f"{min(done + CHUNK, parsed.traces):,} traces, 0 disagreements, {seconds:.0f} s, {dict(verdicts)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
