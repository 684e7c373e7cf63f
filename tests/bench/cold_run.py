"""`satchel run`, cold process to first word, quoting; beside a fresh Python that only embeds one query with torch.

    python tests/bench/cold_run.py --model FOLDER [--pack FILE] [--question TEXT] [--runs 9] [--json FILE]

`--model` is all-MiniLM-L6-v2 in float32, as sentence-transformers reads it. Every figure is the median of processes of
their own, the kinds taken in turns: files are in the page cache, the pack was verified by an earlier run, Python is not
warm. The stages come from `--events`: "before asking" is the interpreter, imports, the pack's opening, and the start of
the knowledge worker beside them; "worker ready" is what its start takes longer than that.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PACK = Path(__file__).parents[2] / "packs" / "astronomy-tutor.pack"
QUESTION = "Who discovered that planets move on ellipses?"
SATCHEL = "import sys; from satchel.runtime.cli.main import main; sys.exit(main())"
REFERENCE = """
import sys
from sentence_transformers import SentenceTransformer
SentenceTransformer(sys.argv[1]).encode(sys.argv[2])
"""


def seconds_of(*command: str, environment: dict[str, str] | None = None) -> float:
    """Return the wall time of a process."""
    started = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def first_word(pack: Path, question: str, environment: dict[str, str]) -> dict[str, float]:
    """Return the milliseconds of each stage of one cold run, to its first word and to its end."""
    command = [sys.executable, "-c", SATCHEL, "run", str(pack), question, "--model", "reader", "--events"]
    came: dict[str, float] = {}
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None  # it was asked for with PIPE
        event = {}
        for line in run.stdout:
            event = json.loads(line)
            came.setdefault(event["event"], 1000 * (time.perf_counter() - started))
    ended = 1000 * (time.perf_counter() - started)
    assert run.returncode == 0, "the run failed; try it by hand"
    timings = event["timings_ms"]
    waited = came["token"] - came["progress"] - timings["search.find"] - timings["search.quote"]
    return {
        "before asking": came["progress"],
        "worker ready": waited,
        "search": timings["search.find"],
        "quote": timings["search.quote"],
        "first word": came["token"],
        "end of the process": ended,
    }


def measure(pack: Path, question: str, model: Path | None, runs: int) -> dict[str, float]:
    """Return the medians in milliseconds."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "SATCHEL_HOME": home}
        # The first run of a new home verifies the pack and writes the embedder and the Reader as GGUFs.
        found["first word ever"] = [first_word(pack, question, environment)["first word"]]
        first_word(pack, question, environment)
        kinds: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: 1000 * seconds_of(sys.executable, "-c", "pass"),
            "satchel --help": lambda: 1000 * seconds_of(sys.executable, "-c", SATCHEL, "--help"),
        }
        for number in range(runs):
            for name, value in first_word(pack, question, environment).items():
                found.setdefault(name, []).append(value)
            for _ in range(3):
                for name, kind in kinds.items():
                    found.setdefault(name, []).append(kind())
            if model is not None and number % 3 == 0:
                command = (sys.executable, "-c", REFERENCE, str(model), question)
                found.setdefault("sentence-transformers", []).append(1000 * seconds_of(*command))
    return {name: statistics.median(values) for name, values in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    medians = measure(given.pack, given.question, given.model, given.runs)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    print(machine)
    for name, value in medians.items():
        print(f"{name:<24}{value:>10.1f} ms")
    ratios = {"help / pass": medians["satchel --help"] / medians["python -c pass"]}
    if "sentence-transformers" in medians:
        ratios["first word / sentence-transformers"] = medians["first word"] / medians["sentence-transformers"]
    for name, value in ratios.items():
        print(f"{name:<36}{value:>7.3f}")
    if given.json:
        given.json.write_text(
            json.dumps({"machine": machine, "milliseconds": medians, "ratios": ratios}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
