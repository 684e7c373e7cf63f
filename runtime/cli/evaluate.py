"""Run an assistant's saved cases and print a table; exit code 1 when one fails."""

from __future__ import annotations

import argparse

from satchel.runtime.cli.model_arguments import add_model_arguments, options_from
from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.evaluate import Evaluation, evaluate
from satchel.runtime.evals.judge import CaseOutcome
from satchel.runtime.paths import find_home

_ANSWER_CHARACTERS = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("assistant", metavar="PACK_OR_FOLDER")
    parser.add_argument("--tag", action="append", default=[], metavar="T", help="only cases with this tag (repeatable)")
    add_model_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Ask the cases; 0 when all pass."""
    done = evaluate(
        arguments.assistant,
        options_from(arguments),
        find_home(),
        tags=tuple(arguments.tag),
        progress=terminal.progress,
    )
    terminal.end_progress()
    if arguments.json:
        terminal.json({"assistant": done.assistant, "model": done.model, "passed": done.passed, "cases": done.outcomes})
    else:
        _print_table(done, terminal)
    return 0 if done.passed == len(done.outcomes) else 1


def _print_table(done: Evaluation, terminal: Terminal) -> None:
    width = max(len(outcome.id) for outcome in done.outcomes)
    terminal.print(f"{'case':<{width}}  result  rank     ms  answer")
    for outcome in done.outcomes:
        terminal.print(_row(outcome, width, terminal))
    terminal.print(f"\n{done.passed} of {len(done.outcomes)} pass ({done.model})")


def _row(outcome: CaseOutcome, width: int, terminal: Terminal) -> str:
    verdict = "pass" if outcome.passed else terminal.bold("FAIL")
    rank = "-" if outcome.retrieval_rank is None else str(outcome.retrieval_rank)
    answer = " ".join(outcome.answer.split())
    shown = answer if len(answer) <= _ANSWER_CHARACTERS else answer[: _ANSWER_CHARACTERS - 1] + "…"
    row = f"{outcome.id:<{width}}  {verdict:<6}  {rank:>4}  {outcome.milliseconds:>5.0f}  {shown}"
    return "\n".join([row, *(f"{'':<{width}}  {terminal.dim(why)}" for why in outcome.failures)])
