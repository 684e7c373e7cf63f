"""Ask an assistant: one question, or many with --batch; the answer streams, then its sources.

Without a QUESTION, or with "-", it is read from standard input. Exit code 0 also when the files do not hold the answer.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from satchel.runtime.cli.model_arguments import add_model_arguments, add_tool_arguments, options_from
from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.time_limit import TimeLimit
from satchel.runtime.errors import UsageError
from satchel.runtime.knowledge.starting import start_knowledge_worker
from satchel.runtime.paths import find_home
from satchel.runtime.worker.process import Worker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument(
        "assistant", metavar="PACK_OR_FOLDER", help="a .pack file, an assistant's folder, or an installed pack"
    )
    # With a default, or argparse takes it for required.
    parser.add_argument("question", nargs="*", default=[], metavar="QUESTION")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one JSON object")
    shape.add_argument("--events", action="store_true", help="print each event as a line of JSON, as it comes")
    shape.add_argument(
        "--batch",
        type=Path,
        metavar="FILE.jsonl",
        help='lines of {"question": …}, with an "id" if you like (-: standard input); prints a line of JSON for each '
        "and keeps no history",
    )
    parser.add_argument(
        "--timeout", type=float, metavar="S", help="give up after S seconds (exit code 124); of --batch each question"
    )
    add_model_arguments(parser)
    add_tool_arguments(parser)


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Answer the question or the batch."""
    if arguments.batch is not None:
        if arguments.question:
            raise UsageError(reason="--batch takes its questions from the file; there is one on the command line too")
        return _run_batch(arguments, terminal)
    limit = TimeLimit(arguments.timeout)
    question = _question(arguments.question)
    worker = start_knowledge_worker()
    try:
        return _answer(question, arguments, limit, worker, terminal)
    finally:
        worker.close()


def _answer(question: str, arguments: argparse.Namespace, limit: TimeLimit, worker: Worker, terminal: Terminal) -> int:
    # Here, because they are imported while the worker imports its own.
    from satchel.runtime.cli.rendering import render_turn
    from satchel.runtime.commands.answer import answer_events, open_session
    from satchel.runtime.permissions.errors import NobodyToAskError
    from satchel.runtime.session.result import collect_result

    asks = terminal.interactive and not (arguments.json or arguments.events)
    options, progress = options_from(arguments, can_ask=asks), limit.over(terminal.progress)
    with open_session(arguments.assistant, options, find_home(), worker=worker, progress=progress) as session:
        terminal.end_progress()
        events = answer_events(session, question, limit)
        if arguments.events:
            for event in events:
                terminal.json(event)
        elif arguments.json:
            terminal.json(collect_result(events, pack_id=session.assistant.pack_id))
        else:
            render_turn(events, terminal, decide=session.decide)
        return NobodyToAskError.exit_code if session.unasked else 0


def _run_batch(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from satchel.runtime.commands.answer import answer_batch
    from satchel.runtime.permissions.errors import NobodyToAskError

    results = answer_batch(
        arguments.assistant,
        arguments.batch,
        options_from(arguments),
        find_home(),
        timeout=arguments.timeout,
        progress=terminal.progress,
    )
    failed, unasked = 0, False
    for result in results:
        failed += result.error is not None
        unasked |= result.result is not None and any(
            one.kind == NobodyToAskError.code() for one in result.result.warnings
        )
        terminal.json(result)
    terminal.end_progress()
    if failed:
        said = (
            "1 question failed; its line says why."
            if failed == 1
            else f"{failed} questions failed; their lines say why."
        )
        terminal.note(said)
    if failed:
        return 1
    return NobodyToAskError.exit_code if unasked else 0


def _question(words: list[str]) -> str:
    # Arguments that are no UTF-8 come as lone surrogates, which neither the history nor a worker can take.
    text = " ".join(words).encode(errors="surrogateescape").decode(errors="replace")
    if not words or text == "-":
        if sys.stdin.isatty():
            raise UsageError(reason="there is no question")
        # Bytes, because the terminal's own encoding need not be UTF-8.
        text = sys.stdin.buffer.read().decode(errors="replace")
    if not text.strip():
        raise UsageError(reason="the question is empty")
    return text.strip()
