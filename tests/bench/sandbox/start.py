"""What starting a program in the sandbox costs over starting it bare: `python tests/bench/sandbox/start.py`.

Ways alternate within one run, so that what else the machine does falls on all of them. Prints a table and, with
`--json FILE`, writes the figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from satchel.runtime.sandbox.bubblewrap import python_command
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.inside import landlock_abi
from satchel.runtime.sandbox.policy import Policy
from satchel.runtime.sandbox.process import SandboxedProcess

COMMAND = [*python_command(), "-c", "pass"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    ways = {"bare Python": None, "Landlock alone": Confinement(None, landlock_abi())}
    if bwrap := shutil.which("bwrap"):
        ways["bubblewrap"] = Confinement(bwrap, landlock_abi())
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, confinement in ways.items():
            seconds[name].append(_timed(confinement))
    medians = {name: statistics.median(times) * 1000 for name, times in seconds.items()}
    least = {name: min(times) * 1000 for name, times in seconds.items()}
    print(f"{platform.platform()}, Python {platform.python_version()}, {options.rounds} rounds")
    print(f"{'':16} {'median ms':>10} {'least ms':>10} {'over bare (median)':>20} {'over bare (least)':>20}")
    for name in ways:
        over = medians[name] - medians["bare Python"], least[name] - least["bare Python"]
        print(f"{name:16} {medians[name]:10.1f} {least[name]:10.1f} {over[0]:20.1f} {over[1]:20.1f}")
    if options.json:
        options.json.write_text(json.dumps({"median_ms": medians, "least_ms": least}, indent=2))


def _timed(confinement: Confinement | None) -> float:
    start = time.perf_counter()
    if confinement is None:
        subprocess.run(COMMAND, check=True)
    else:
        with SandboxedProcess(COMMAND, Policy(), confinement) as process:
            process.stdin.close()
            process.wait()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
