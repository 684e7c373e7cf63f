"""What the grammar of tool calls costs a token: `python tests/bench/tools/grammar.py`.

The Starter writes the same number of tokens without a grammar, with one that sleeps, and inside of a call, in turn
within one run. The first two must write the same words. Prints a table and, with `--json FILE`, writes the figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

from satchel.runtime.engine.base import ChatMessage, Grammar, LoadSpec, SamplingSettings, TokenPiece
from satchel.runtime.engine.llama import LlamaEngine
from satchel.runtime.engine.starter import find_starter
from satchel.runtime.paths import find_home
from satchel.runtime.tools.calculator import Calculator
from satchel.runtime.tools.clock import Clock
from satchel.runtime.tools.files import Files, PickedFolder
from satchel.runtime.tools.grammar import call_grammar

ASK = [ChatMessage("user", "Tell me in many words why there are tides.")]
GREEDY = SamplingSettings(temperature=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = Files({"notes": PickedFolder(Path("/nowhere"), writable=True)})
    grammar = call_grammar((*Calculator().functions, *Clock().functions, *files.functions))
    assert grammar is not None
    ways = {"no grammar": None, "asleep": grammar, "in a call": Grammar(grammar.gbnf)}
    engine = LlamaEngine()
    engine.load(LoadSpec(path=str(find_starter(find_home())), context=1024))
    rates: dict[str, list[float]] = {name: [] for name in ways}
    said: dict[str, str] = {}
    for _ in range(options.rounds):
        for name, way in ways.items():
            rate, said[name] = _run(engine, way, options.tokens)
            rates[name].append(rate)
    engine.close()
    assert said["no grammar"] == said["asleep"]
    medians = {name: statistics.median(one) for name, one in rates.items()}
    print(f"{platform.platform()}, SmolLM2-135M Q4_1, {options.tokens} tokens, {options.rounds} rounds")
    for name, rate in medians.items():
        print(f"{name:12} {rate:7.1f} tokens/s   {rate / medians['no grammar']:.2f}x")
    if options.json:
        options.json.write_text(json.dumps(medians, indent=2))


def _run(engine: LlamaEngine, grammar: Grammar | None, tokens: int) -> tuple[float, str]:
    """Return tokens a second after the first, and the text."""
    text, count, start = "", 0, 0.0
    for item in engine.generate(ASK, GREEDY, max_tokens=tokens, grammar=grammar):
        if isinstance(item, TokenPiece):
            start = start or time.perf_counter()
            text, count = text + item.text, count + 1
    return (count - 1) / (time.perf_counter() - start), text


if __name__ == "__main__":
    main()
