"""Vector search beside its peers: milliseconds for one query on one thread, recall@10, share of the memory bandwidth.

    python tests/bench/kernels/vectors.py [--rows 10000 36864 100000 1000000] [--dimensions 384 1024] [--json FILE]

Needs real_vectors.py's cache and `pip install faiss-cpu usearch sqlite-vec apsw`. Contenders are timed in turns, as
many together as fit into `--memory`, ours among them (see interleaved.py); 25 minutes for all sizes. Times are the mean
over 20 queries of each one's fastest run. "Share" is of the fastest plain read of as many bytes in the same run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from contenders import BYTES_A_VALUE, CONTENDERS
from interleaved import Contender, run_in_turns
from machine import Bandwidth, describe, fastest, wait_for_quiet
from real_vectors import CACHE, ROOT
from vector_sets import open_vectors

from satchel.kernels import ops

PACKAGES = ("numpy", "faiss-cpu", "usearch", "sqlite-vec", "apsw")
ANCHORS = ("satchel bits", "satchel int8")
OURS_A_VALUE = 2.2


def bytes_read(name: str, rows: int, dimension: int) -> int | None:
    """Return what a scan of ours must read."""
    if "bits" in name:  # and what the candidates' planes take, which is not counted
        return rows * (-(-dimension // 64) * 8 + 4)
    return rows * (dimension + 4) if "satchel" in name else None


def in_groups(names: list[str], values: int, memory: float) -> list[list[str]]:
    """Part contenders into groups whose indexes fit into so many bytes; ours are in each, for its ratios."""
    anchors = [name for name in names if name in ANCHORS]
    groups, used = [list(anchors)], 0.0
    for name in names:
        if name in ANCHORS:
            continue
        needed = values * BYTES_A_VALUE.get(name, OURS_A_VALUE)
        if used + needed > memory - len(anchors) * values * OURS_A_VALUE and len(groups[-1]) > len(anchors):
            groups, used = [*groups, list(anchors)], 0.0
        groups[-1].append(name)
        used += needed
    return groups


def measure_size(
    rows: int, dimension: int, names: list[str], bandwidth: Bandwidth, memory: float
) -> list[dict[str, Any]]:
    """Return a line a contender: of ours, which run with every group, the fastest."""
    open_vectors(rows, dimension)
    candidates = ops.candidates_for(rows)
    needed = {name: bytes_read(name, rows, dimension) for name in names}
    speeds = {size: 0.0 for size in needed.values() if size}

    def read_memory() -> None:
        speeds.update({size: max(speed, bandwidth.read(size, 0.3)) for size, speed in speeds.items()})

    lines: dict[str, dict[str, Any]] = {}
    script = str(Path(__file__).with_name("one_contender.py"))
    for group in in_groups(names, rows * dimension, memory):
        sizes = [str(number) for number in (rows, dimension, candidates)]
        contenders = [Contender(name, [sys.executable, script, name, *sizes]) for name in group]
        for line in run_in_turns(contenders, read_memory):
            known = lines.get(line["name"], line)
            lines[line["name"]] = min(line, known, key=lambda one: one.get("milliseconds", float("inf")))
    for name, line in lines.items():
        line |= {"rows": rows, "dimension": dimension}
        size = needed[name]
        if size and "milliseconds" in line:
            line |= {"bytes": size, "bandwidth": speeds[size]}
            line["share"] = size / (line["milliseconds"] / 1e3) / 1e9 / speeds[size]
        if "bits" in name or "FastScan" in name:
            line["candidates"] = candidates
    return [lines[name] for name in names]


def print_table(lines: list[dict[str, Any]]) -> None:
    """Print one size's lines with the ratio of each to ours."""
    timed = {line["name"]: line["milliseconds"] for line in lines if "milliseconds" in line}
    print(f"\n{lines[0]['rows']:,} rows x {lines[0]['dimension']}, one query, one thread")
    print(f"{'':28}{'ms':>10}{'recall@10':>11}{'/ bits':>9}{'/ int8':>9}{'share':>8}")
    for line in lines:
        if "error" in line:
            print(f"{line['name']:28}  {line['error']}")
            continue
        ratios = [
            f"{line['milliseconds'] / timed[ours]:8.2f}x" if ours in timed else ""
            for ours in ("satchel bits", "satchel int8")
        ]
        share = f"{line['share']:8.0%}" if "share" in line else ""
        print(
            f"{line['name']:28}{line['milliseconds']:10.4f}{line['recall']:11.4f}{ratios[0]:>9}{ratios[1]:>9}{share:>8}"
        )


def measure_quantise(bandwidth: Bandwidth, rows: int, dimension: int) -> dict[str, Any]:
    """Return quantise's speed into memory that is there already, beside a loop that only moves the bytes."""
    import numpy as np

    from satchel.kernels import dispatch, ops

    values = np.array(open_vectors(rows, dimension).rows)
    planes = ops.quantise(values)
    backend = dispatch.choose()
    into = [a.ctypes.data for a in (values, planes.high, planes.low, planes.scale)]
    moved = values.nbytes * 1.5
    before = bandwidth.halve(rows, dimension)
    in_place = fastest(lambda: backend.quantise_into(into[0], rows, dimension, into[1:]), 2.0)
    speed = max(before, bandwidth.halve(rows, dimension))
    fresh = fastest(lambda: ops.quantise(values), 2.0)
    return {
        "rows": rows,
        "dimension": dimension,
        "milliseconds": in_place * 1e3,
        "with_new_arrays": fresh * 1e3,
        "bytes": moved,
        "bandwidth": speed,
        "share": moved / in_place / 1e9 / speed,
    }


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 36_864, 100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[384, 1024])
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--json", type=Path, default=ROOT / ".cache" / "bench" / "kernels_vectors.json")
    parser.add_argument("--memory", type=float, default=12.0, help="GB for the indexes that are built at a time")
    parser.add_argument("--load", type=float, default=1.0, help="wait until the machine's load is below this")
    parser.add_argument("--wait", type=float, default=0.0, help="minutes to wait for that at most, before each size")
    arguments = parser.parse_args()
    if not (CACHE / "passages.npy").exists():
        parser.error("run real_vectors.py first")
    report: dict[str, Any] = {"machine": describe(PACKAGES), "lines": [], "quantise": []}
    bandwidth = Bandwidth()
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    for dimension in arguments.dimensions:
        for rows in arguments.rows:
            load = wait_for_quiet(arguments.load, arguments.wait)
            lines = measure_size(rows, dimension, arguments.only, bandwidth, 1e9 * arguments.memory)
            lines = [line | {"load_before": load} for line in lines]
            print_table(lines)
            report["lines"] += lines
            arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    for rows, dimension in ((10_000, 384), (100_000, 384), (100_000, 1024)):
        line = measure_quantise(bandwidth, rows, dimension)
        print(
            f"quantise {rows:,} x {dimension}: {line['milliseconds']:.3f} ms, {line['share']:.0%} of moving the bytes"
        )
        report["quantise"].append(line)
    arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
