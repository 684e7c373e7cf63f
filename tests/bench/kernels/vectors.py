"""Vector search beside its peers: milliseconds for one query on one thread, recall@10, share of the memory bandwidth.

    python tests/bench/kernels/vectors.py [--rows 10000 100000 1000000] [--dimensions 384 1024] [--json FILE]

Needs real_vectors.py's cache and `pip install faiss-cpu usearch sqlite-vec apsw`. Each contender runs in a process of
its own, one after another; about 20 minutes and 12 GB of memory for all sizes. Times are the mean over 20 queries of
each one's fastest round. "Share" is of the fastest plain read of as many bytes, in the same run, before and after.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from contenders import CONTENDERS
from machine import ONE_THREAD, Bandwidth, describe, fastest
from real_vectors import CACHE, ROOT
from vector_sets import open_vectors

PACKAGES = ("numpy", "faiss-cpu", "usearch", "sqlite-vec", "apsw")
ROUNDS = 60
CANDIDATES = {10_000: 200, 100_000: 300, 1_000_000: 600}
"""Rows rescored after an estimate, ours and faiss's alike: what recall@10 >= .99 takes in a crowd of that size."""


def bytes_read(name: str, rows: int, dimension: int) -> int | None:
    """Return what a scan of ours must read."""
    if "bits" in name:
        return rows * (-(-dimension // 64) * 8 + 4)
    return rows * (dimension + 4) if "satchel" in name else None


def run_one(name: str, rows: int, dimension: int, candidates: int) -> dict[str, Any]:
    """Return a contender's figures; its error where it cannot run."""
    script = Path(__file__).with_name("one_contender.py")
    command = [sys.executable, str(script), name, *map(str, (rows, dimension, candidates, ROUNDS))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **ONE_THREAD})
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"exit code {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def measure_size(rows: int, dimension: int, names: list[str], bandwidth: Bandwidth) -> list[dict[str, Any]]:
    """Return a line a contender."""
    open_vectors(rows, dimension)
    candidates = CANDIDATES.get(rows, 200)
    needed = {name: bytes_read(name, rows, dimension) for name in names}
    sizes = {size for size in needed.values() if size}
    speeds = {size: bandwidth.read(size) for size in sizes}
    lines = []
    for name in names:
        print(f"{rows} x {dimension}: {name} ...", file=sys.stderr, flush=True)
        lines.append({"rows": rows, "dimension": dimension, "name": name, **run_one(name, rows, dimension, candidates)})
    speeds = {size: max(before, bandwidth.read(size)) for size, before in speeds.items()}
    for line in lines:
        size = needed[line["name"]]
        if size and "milliseconds" in line:
            line |= {"bytes": size, "bandwidth": speeds[size]}
            line["share"] = size / (line["milliseconds"] / 1e3) / 1e9 / speeds[size]
        if "bits" in line["name"] or "FastScan" in line["name"]:
            line["candidates"] = candidates
    return lines


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
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[384, 1024])
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--json", type=Path, default=ROOT / ".cache" / "bench" / "kernels_vectors.json")
    arguments = parser.parse_args()
    if not (CACHE / "passages.npy").exists():
        parser.error("run real_vectors.py first")
    report: dict[str, Any] = {"machine": describe(PACKAGES), "lines": [], "quantise": []}
    bandwidth = Bandwidth()
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    for dimension in arguments.dimensions:
        for rows in arguments.rows:
            lines = measure_size(rows, dimension, arguments.only, bandwidth)
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
