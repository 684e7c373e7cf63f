"""The GPU's scans beside torch's: milliseconds, share of the device's own copy bandwidth, all sizes in one call.

    python tests/bench/kernels/gpu.py [--rows 10000 100000 1000000] [--dimensions 384 1024] [--json FILE]

Needs an NVIDIA GPU, torch built for it, and nothing else: no network and no cache, rows are seeded mixtures made on the
GPU. Prints a Markdown table and writes it beside the JSON. A scan is timed by CUDA events around many launches, the
fastest of several; "share" is bytes read over time, of the bandwidth of a copy in the same run (read and written bytes
counted). The peer is matmul and topk in torch on the same rows. Rankings are compared with it before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import describe
from real_vectors import ROOT

from satchel.kernels import ops
from satchel.kernels.triton import search as gpu

K = 10
BATCH = 64
REPEATS, ROUNDS = 20, 10
COPY_BYTES = 2 << 30
CACHE_BYTES = 256 << 20
"""More than any GPU's L2 holds: written between launches of what would fit in, so that rows come from memory."""
CLUSTERS = 4096

Scan = Callable[[], tuple[torch.Tensor, torch.Tensor]]


def make_rows(rows: int, dimension: int) -> torch.Tensor:
    """Unit vectors float32 [n, d] in clusters, as texts' are; seeded."""
    random = torch.Generator("cuda").manual_seed(rows + dimension)
    centres = torch.randn(CLUSTERS, dimension, generator=random, device="cuda")
    chosen = torch.randint(CLUSTERS, (rows,), generator=random, device="cuda")
    values = centres[chosen] + 0.7 * torch.randn(rows, dimension, generator=random, device="cuda")
    return torch.nn.functional.normalize(values, dim=1)


def fastest(run: Callable[[], object], scratch: torch.Tensor) -> float:
    """Return the least milliseconds of a run whose rows are not in the cache."""
    run()
    best = float("inf")
    for _ in range(ROUNDS):
        events = []
        for _ in range(REPEATS):
            scratch.zero_()
            started, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            started.record()
            run()
            ended.record()
            events.append((started, ended))
        torch.cuda.synchronize()
        best = min(best, *(started.elapsed_time(ended) for started, ended in events))
    return best


def in_graph(run: Callable[[], object]) -> Callable[[], None]:
    """Return the same launches as a CUDA graph: a scan of 10,000 rows takes less than Python takes to launch it."""
    run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def copy_bandwidth(scratch: torch.Tensor) -> float:
    """Return GB/s of copying within the device, read and written bytes counted."""
    source = torch.ones(COPY_BYTES, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * COPY_BYTES / fastest(lambda: target.copy_(source), scratch) / 1e6


def recall(found: torch.Tensor, exact: torch.Tensor) -> float:
    hits = [len(set(f) & set(e)) for f, e in zip(found.tolist(), exact.tolist(), strict=True)]
    return sum(hits) / exact.numel()


def measure(rows: int, dimension: int, bandwidth: float, scratch: torch.Tensor) -> list[dict[str, Any]]:
    """Return a line a scan, and the lines of torch."""
    values = make_rows(rows, dimension)
    queries = values[torch.arange(BATCH, device="cuda") * (rows // BATCH)]
    exact = torch.topk(queries @ values.T, K).indices
    host = ops.quantise(values.cpu().numpy())
    bits = ops.derive_bits(host.high, host.low, host.scale)
    device = gpu.to_device(ops.QuantisedRows(host.high, host.low, host.scale, bits))
    f16 = values.half()
    f16_queries = queries.half()
    words = -(-dimension // 64)
    lines = []
    for count in (1, BATCH):
        some, halves = queries[:count].contiguous(), f16_queries[:count].contiguous()
        scans: list[tuple[str, int, Scan]] = [
            ("satchel float16", rows * 2 * dimension, lambda q=some: gpu.scan_f16(f16, q, K)),
            ("satchel int8", rows * (dimension + 4), lambda q=some: gpu.scan_i8(device.high, device.scale, q, K)),
            ("satchel bits, rescored", rows * (words * 8 + 4), lambda q=some: gpu.search(device, q, K)),
            ("torch float16 matmul + topk", rows * 2 * dimension, lambda q=halves: torch.topk(q @ f16.T, K)),
            ("torch float32 matmul + topk", rows * 4 * dimension, lambda q=some: torch.topk(q @ values.T, K)),
        ]
        for name, size, scan in scans:
            line = {"rows": rows, "dimension": dimension, "queries": count, "name": name, "bytes": size}
            try:
                line["recall"] = recall(scan()[1], exact[:count])
                line["milliseconds"] = fastest(in_graph(scan), scratch)
                line["share"] = size / line["milliseconds"] / 1e6 / bandwidth
            except Exception as error:  # noqa: BLE001 - a scan that fails on a new GPU must not lose the others' figures
                line["error"] = f"{type(error).__name__}: {error}".splitlines()[0]
            lines.append(line)
    expected = ops.scan_i8(host.high, host.scale, queries[:1].cpu().numpy(), K)
    found = gpu.scan_i8(device.high, device.scale, queries[:1].contiguous(), K)
    same = np.array_equal(found[1].cpu().numpy(), expected[1]) and np.array_equal(found[0].cpu().numpy(), expected[0])
    for line in lines:
        if line["name"] == "satchel int8":
            line["same_as_cpu"] = bool(same)
    return lines


def table(lines: list[dict[str, Any]], bandwidth: float, name: str) -> str:
    """Return a Markdown table with the ratio of torch's float16 to each."""
    head = [f"{name}: a copy moves {bandwidth:.0f} GB/s.", ""]
    head += ["| rows | dimensions | queries | | ms | share of copy | recall@10 | torch float16 / this |"]
    head += ["| --- | --- | --- | --- | --- | --- | --- | --- |"]
    peers = {
        (line["rows"], line["dimension"], line["queries"]): line.get("milliseconds")
        for line in lines
        if line["name"].startswith("torch float16")
    }
    for line in lines:
        where = f"| {line['rows']:,} | {line['dimension']} | {line['queries']} | {line['name']} "
        if "error" in line:
            head.append(f"{where}| {line['error']} | | | |")
            continue
        peer = peers[line["rows"], line["dimension"], line["queries"]]
        ratio = f"{peer / line['milliseconds']:.2f}" if peer else ""
        head.append(f"{where}| {line['milliseconds']:.4f} | {line['share']:.0%} | {line['recall']:.3f} | {ratio} |")
    return "\n".join(head) + "\n"


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 4_000_000])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[384, 1024])
    parser.add_argument("--json", type=Path, default=ROOT / ".cache" / "bench" / "kernels_gpu.json")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("gpu.py: torch sees no GPU here; run it where there is one")
    scratch = torch.empty(CACHE_BYTES, dtype=torch.uint8, device="cuda")
    bandwidth, name = copy_bandwidth(scratch), torch.cuda.get_device_name()
    machine = describe(("torch", "triton", "numpy")) | {"gpu": name, "copy_gb_s": bandwidth}
    report: dict[str, Any] = {"machine": machine, "lines": []}
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    for dimension in arguments.dimensions:
        for rows in arguments.rows:
            print(f"{rows} x {dimension} ...", file=sys.stderr, flush=True)
            report["lines"] += measure(rows, dimension, bandwidth, scratch)
            torch.cuda.empty_cache()
            text = table(report["lines"], bandwidth, name)
            arguments.json.write_text(json.dumps(report, indent=1) + "\n")
            arguments.json.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
