"""The engine: tokens a second, how soon it stops, how soon it starts, and what reused state saves.

    python tests/bench/engine.py [--model FILE.gguf] [--tokens 96] [--repeats 5] [--threads 2] [--json FILE]

"satchel" is `EngineClient` as the product uses it: a worker process, log probability and five alternatives of every
token, items through the pipe. The peer is llama-cpp-python's high-level class in a process of its own, streaming
without log probabilities, and once with them (`logits_all`, which it needs for that). Same file, prompt, threads, batch
and window, greedy; they take turns, so that a busy machine disturbs all alike. Rates are from the first token to the
last, the best of all turns; times are medians. Without --model it is the Starter.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from satchel.runtime.engine.base import ChatMessage, Generated, LoadSpec, Prefill, SamplingSettings, TokenPiece
from satchel.runtime.engine.client import EngineClient
from satchel.runtime.engine.starter import find_starter
from satchel.runtime.paths import find_home

GREEDY = SamplingSettings(temperature=0.0, repeat_penalty=1.0)
CONTEXT, BATCH = 4096, 256
PASSAGE = "At spring tide the water in the harbour rises by three metres, and the gate closes at 3.2 metres. "
INSTRUCTIONS = ChatMessage("system", "You are a guide to a harbour. Answer from these notes. " + PASSAGE * 25)
QUESTION = ChatMessage("user", "Write down everything that you know about tides, in as many words as you can.")
LONG_QUESTION = ChatMessage("user", PASSAGE * 110)

PEER = """
import json, sys, time
started = time.perf_counter()
from llama_cpp import Llama
given = json.loads(sys.argv[1])
llama = Llama(given["path"], n_ctx=given["context"], n_batch=given["batch"], n_ubatch=given["batch"],
              n_threads=given["threads"], n_threads_batch=given["threads"], logits_all=given["logprobs"], verbose=False)
print(json.dumps({"start": time.perf_counter() - started}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    llama.reset()
    asked, times = time.perf_counter(), []
    for _ in llama.create_completion(request["prompt"], max_tokens=request["tokens"], temperature=0.0, stream=True,
                                     repeat_penalty=1.0, logprobs=5 if given["logprobs"] else None):
        times.append(time.perf_counter())
    print(json.dumps({"decode": (request["tokens"] - 1) / (times[-1] - times[0]),
                      "prefill": len(request["prompt"]) / (times[0] - asked)}), flush=True)
"""


class Peer:
    """llama-cpp-python's high-level class in a process of its own."""

    def __init__(self, path: Path, threads: int, *, logprobs: bool) -> None:
        given = {"path": str(path), "context": CONTEXT, "batch": BATCH, "threads": threads, "logprobs": logprobs}
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", PEER, json.dumps(given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()
        self.start_seconds = time.perf_counter() - started

    def speak(self, prompt: list[int], tokens: int) -> dict[str, float]:
        """Return tokens a second of prefill and decode."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"prompt": prompt, "tokens": tokens}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer


def speak(engine: EngineClient, tokens: int) -> dict[str, float]:
    """Return tokens a second of prefill and decode, nothing of the prompt being in memory."""
    list(engine.generate([ChatMessage("user", "x")], GREEDY, max_tokens=1))
    asked, times = time.perf_counter(), []
    for item in engine.generate([INSTRUCTIONS, QUESTION], GREEDY, max_tokens=tokens):
        if isinstance(item, TokenPiece):
            assert len(item.alternatives) == GREEDY.alternatives
            times.append(time.perf_counter())
        if isinstance(item, Generated):
            ended = item
    read = ended.usage.prompt - ended.usage.reused
    return {"decode": (len(times) - 1) / (times[-1] - times[0]), "prefill": read / (times[0] - asked)}


def measure_rates(path: Path, threads: int, tokens: int, repeats: int) -> dict[str, Any]:
    """Tokens a second of each way, taking turns, and the seconds from nothing to a loaded model."""
    with EngineClient() as engine:
        started = time.perf_counter()
        info = engine.load(LoadSpec(path=str(path), context=CONTEXT, threads=threads))
        starts = {"satchel": time.perf_counter() - started}
        prompt = engine.render([INSTRUCTIONS, QUESTION])
        peers = {
            "high-level": Peer(path, threads, logprobs=False),
            "high-level, logprobs": Peer(path, threads, logprobs=True),
        }
        starts |= {name: peer.start_seconds for name, peer in peers.items()}
        ways: dict[str, Callable[[], dict[str, float]]] = {"satchel": lambda: speak(engine, tokens)}
        ways |= {name: lambda peer=peer: peer.speak(prompt, tokens) for name, peer in peers.items()}
        turns: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                turns[name].append(way())
        for peer in peers.values():
            peer.close()
    best = {name: {kind: max(turn[kind] for turn in turns[name]) for kind in ("prefill", "decode")} for name in ways}
    return {
        "model": info.description,
        "prompt_tokens": len(prompt),
        "tokens_per_second": best,
        "decode_ratio": {name: best["satchel"]["decode"] / best[name]["decode"] for name in ways},
        "seconds_to_loaded": starts,
        "turns": turns,
    }


def measure_starts(path: Path, threads: int, repeats: int) -> dict[str, float]:
    """Milliseconds from no process to a loaded model, and of that the load as the worker sees it."""
    whole, loads = [], []
    for _ in range(repeats):
        with EngineClient() as engine:
            started = time.perf_counter()
            info = engine.load(LoadSpec(path=str(path), context=CONTEXT, threads=threads))
            whole.append(1000 * (time.perf_counter() - started))
            loads.append(1000 * info.load_seconds)
    return {"start_and_load_ms": statistics.median(whole), "load_ms": statistics.median(loads)}


def measure_cancels(path: Path, threads: int, repeats: int) -> dict[str, dict[str, float]]:
    """Milliseconds from `cancel` to the end of the stream, while a long prompt is read and while tokens come."""
    latencies: dict[str, list[float]] = {"reading the prompt": [], "decoding": []}
    with EngineClient() as engine:
        engine.load(LoadSpec(path=str(path), context=CONTEXT, threads=threads))
        for _ in range(repeats):
            for stage, talk, kind in (
                ("reading the prompt", [LONG_QUESTION], Prefill),
                ("decoding", [QUESTION], TokenPiece),
            ):
                items = engine.generate(talk, GREEDY, max_tokens=500)
                while not isinstance(next(items), kind):
                    pass
                asked = time.perf_counter()
                engine.cancel()
                *_, ended = items
                latencies[stage].append(1000 * (time.perf_counter() - asked))
                assert isinstance(ended, Generated)
                assert ended.reason == "cancelled"
    return {
        stage: {"median_ms": statistics.median(taken), "worst_ms": max(taken)} for stage, taken in latencies.items()
    }


def measure_reuse(path: Path, threads: int) -> dict[str, dict[str, float]]:
    """Prefill of a first turn, a second turn, and a first turn of the next process with the instructions on disk."""
    results = {}
    with tempfile.TemporaryDirectory() as cache:
        for start in ("first", "next"):
            with EngineClient() as engine:
                engine.load(LoadSpec(path=str(path), context=CONTEXT, threads=threads, cache=cache))
                talk = [INSTRUCTIONS, QUESTION]
                results[f"{start} process, first turn"], answer = _turn(engine, talk)
                talk += [ChatMessage("assistant", answer), ChatMessage("user", "And when does the gate close?")]
                results[f"{start} process, second turn"], _ = _turn(engine, talk)
    return results


def _turn(engine: EngineClient, talk: list[ChatMessage]) -> tuple[dict[str, float], str]:
    *items, ended = engine.generate(talk, GREEDY, max_tokens=24, pinned=1)
    assert isinstance(ended, Generated)
    usage = ended.usage
    saved = usage.reused + usage.restored
    return (
        {
            "prompt": usage.prompt,
            "reused": usage.reused,
            "restored": usage.restored,
            "prefill_ms": ended.timings.prefill,
            "share_saved": saved / usage.prompt,
        },
        "".join(item.text for item in items if isinstance(item, TokenPiece)),
    )


def print_tables(results: dict[str, Any]) -> None:
    """Print what the README shows."""
    rates = results["rates"]
    print(
        f"{results['machine']}; {rates['model']}, {results['threads']} threads, {rates['prompt_tokens']} prompt tokens"
    )
    print(f"{'':24}{'prefill/s':>10}{'tokens/s':>10}{'satchel x':>11}{'start, s':>10}")
    for name, rate in rates["tokens_per_second"].items():
        ratio, start = rates["decode_ratio"][name], rates["seconds_to_loaded"][name]
        print(f"{name:24}{rate['prefill']:10.0f}{rate['decode']:10.1f}{ratio:11.2f}{start:10.2f}")
    starts = results["starts"]
    print(f"\nworker start and load {starts['start_and_load_ms']:.0f} ms, of which load {starts['load_ms']:.0f} ms")
    for stage, taken in results["cancels"].items():
        print(f"cancel while {stage}: median {taken['median_ms']:.0f} ms, worst {taken['worst_ms']:.0f} ms")
    print(f"\n{'':30}{'prompt':>8}{'reused':>8}{'restored':>10}{'prefill ms':>12}{'saved':>8}")
    for name, turn in results["reuse"].items():
        numbers = f"{turn['prompt']:8}{turn['reused']:8}{turn['restored']:10}{turn['prefill_ms']:12.0f}"
        print(f"{name:30}{numbers}{turn['share_saved']:8.0%}")


def main() -> None:
    """Measure, print the tables, perhaps write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    path = given.model or find_starter(find_home())
    results = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "threads": given.threads,
        "rates": measure_rates(path, given.threads, given.tokens, given.repeats),
        "starts": measure_starts(path, given.threads, given.repeats),
        "cancels": measure_cancels(path, given.threads, 2 * given.repeats),
        "reuse": measure_reuse(path, given.threads),
    }
    print_tables(results)
    if given.json:
        given.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
