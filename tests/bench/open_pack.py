"""Opening a pack: what it costs at 100 and at 100,000 passages, in time and in resident memory.

    python tests/bench/open_pack.py [--passages 100 100000] [--dimension 384] [--json FILE]

Each figure is taken in processes of their own, as `satchel run` would start one: the file is in the page cache, Python
is not warm. Resident memory is VmRSS, file-backed pages included, beyond a bare interpreter's; "mapped" has every array
of the pack mapped and one row of each read, NumPy included. Peer: Python's own zipfile opening the same file.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]

# Written so that each child imports only what it measures.
RESIDENT = """
def resident_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
"""

BARE = RESIDENT + "print(resident_kib())"

OPEN = (
    RESIDENT
    + """
import sys, time, json
from pathlib import Path
from satchel.runtime.packfile.opener import open_pack
times = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    open_pack(Path(sys.argv[1]), verify=False).close()
    times.append(time.perf_counter() - start)
print(json.dumps({"times": times, "kib": resident_kib()}))
"""
)

MAPPED = (
    RESIDENT
    + """
import sys, time, json
from pathlib import Path
from satchel.runtime.packfile.opener import open_pack
start = time.perf_counter()
with open_pack(Path(sys.argv[1]), verify=False) as pack:
    arrays = [pack.array(name) for name in pack.names if name.endswith((".npy", ".utf8"))]
touched = [int(array[len(array) // 2].sum()) for array in arrays]
print(json.dumps({"seconds": time.perf_counter() - start, "kib": resident_kib()}))
"""
)

PEER = """
import sys, time, json, zipfile
times = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    zipfile.ZipFile(sys.argv[1]).close()
    times.append(time.perf_counter() - start)
print(json.dumps({"times": times}))
"""

VERIFY = """
import sys, time, json
from pathlib import Path
from satchel.runtime.packfile.knowledge_check import check_knowledge
from satchel.runtime.packfile.opener import open_pack
start = time.perf_counter()
with open_pack(Path(sys.argv[1]), verify=True) as pack:
    read = time.perf_counter()
    check_knowledge(pack)
print(json.dumps({"bytes": read - start, "knowledge": time.perf_counter() - read}))
"""


def child(code: str, *arguments: str) -> Any:
    """What a fresh interpreter printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        text=True,
    )
    return json.loads(done.stdout)


def write_sized_pack(path: Path, passages: int, dimension: int) -> Path:
    """A pack of that many passages of 40 words in 20 files, and about 25 entries more for its sources."""
    sys.path.insert(0, str(TESTS))
    from helpers.packs import write_knowing_pack

    words = [f"word{number}" for number in range(5000)]
    texts = {}
    for file in range(20):
        rows = range(file, passages, 20)
        texts[f"{file}.md"] = "\n\n".join(
            " ".join(words[(row * 31 + place * place * 7) % len(words)] for place in range(40)) for row in rows
        )
    return write_knowing_pack(path, texts, dimension=dimension)


def measure(paths: dict[int, Path], *, processes: int, repeats: int) -> dict[int, dict[str, float]]:
    """Medians over processes, the sizes taking turns; milliseconds, and MiB beyond a bare interpreter's."""
    runs: dict[int, list[dict[str, Any]]] = {passages: [] for passages in paths}
    bare = []
    for _ in range(processes):
        bare.append(child(BARE))
        for passages, path in paths.items():
            opened = child(OPEN, str(path), str(repeats))
            peer = child(PEER, str(path), str(repeats))
            runs[passages].append({"opened": opened, "peer": peer, "mapped": child(MAPPED, str(path))})
    return {
        passages: _medians(runs[passages], statistics.median(bare), child(VERIFY, str(path)), path.stat().st_size)
        for passages, path in paths.items()
    }


def _medians(runs: list[dict[str, Any]], bare: float, verified: dict[str, float], size: int) -> dict[str, float]:
    return {
        "file_mib": size / 2**20,
        "first_open_ms": 1000 * statistics.median(run["opened"]["times"][0] for run in runs),
        "open_ms": 1000 * statistics.median(time for run in runs for time in run["opened"]["times"][1:]),
        "zipfile_ms": 1000 * statistics.median(time for run in runs for time in run["peer"]["times"][1:]),
        "open_map_numpy_ms": 1000 * statistics.median(run["mapped"]["seconds"] for run in runs),
        "opened_rss_mib": (statistics.median(run["opened"]["kib"] for run in runs) - bare) / 1024,
        "mapped_rss_mib": (statistics.median(run["mapped"]["kib"] for run in runs) - bare) / 1024,
        "verify_bytes_ms": 1000 * verified["bytes"],
        "check_knowledge_ms": 1000 * verified["knowledge"],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the packs, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[100, 100_000])
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--processes", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        paths = {
            passages: write_sized_pack(Path(folder) / f"{passages}.pack", passages, given.dimension)
            for passages in given.passages
        }
        results = measure(paths, processes=given.processes, repeats=given.repeats)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    print(machine)
    columns = "".join(f"{passages:>14,}" for passages in given.passages)
    print(f"{'passages':<22}{columns}{'ratio':>8}")
    first, last = results[given.passages[0]], results[given.passages[-1]]
    for name, value in first.items():
        row = "".join(f"{result[name]:>14,.2f}" for result in results.values())
        print(f"{name:<22}{row}{last[name] / value:>8.2f}")
    if given.json:
        given.json.write_text(json.dumps({"machine": machine, "passages": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
