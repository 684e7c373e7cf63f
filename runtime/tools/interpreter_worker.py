"""The code tool's program inside the sandbox: runs one piece of code after another in one set of variables.

Run as a file, so it imports nothing of ours. A request is a line of JSON on standard input, `{"code": …}`; the answer a
line on what was standard output: `{"text": …, "error": …}`. The code can reach both and forge them:
whatever comes out of here is as untrusted as the code, and the parent reads it that way.
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import os
import sys
import traceback
import types
from typing import Any

_MOST_CHARACTERS = 15_000


class _Printed(io.TextIOBase):
    """Keeps the first so many characters that are written, and counts the rest."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.kept = self.dropped = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        room = _MOST_CHARACTERS - self.kept
        taken = text[:room]
        if taken:
            self.parts.append(taken)
            self.kept += len(taken)
        self.dropped += len(text) - len(taken)
        return len(text)

    def text(self) -> str:
        more = f"\n[{self.dropped:,} more characters were printed]" if self.dropped else ""
        return "".join(self.parts) + more


def main() -> None:
    """Answer requests until standard input ends."""
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    # What C code prints goes nowhere: into the pipe it would be taken for an answer.
    null = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(null, handle)
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    for number, line in enumerate(requests, start=1):
        try:
            answer = _answer(json.loads(line)["code"], module.__dict__, number)
        except KeyboardInterrupt:  # between the code's end and here
            answer = {"text": "", "error": "KeyboardInterrupt"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(code: str, variables: dict[str, Any], number: int) -> dict[str, Any]:
    printed = _Printed()
    sys.stdout = sys.stderr = printed
    error = ""
    try:
        _run(code, variables, f"<code {number}>")
    except SystemExit:
        error = "the code ended itself (exit); its variables are kept"
    except BaseException as failure:  # noqa: BLE001 - the code's own failure, KeyboardInterrupt among them
        error = _trace(failure)
    _save_figures(number)
    return {"text": printed.text(), "error": error[-_MOST_CHARACTERS // 4 :]}


def _run(code: str, variables: dict[str, Any], name: str) -> None:
    """Run the code; a last expression's value is printed, as an interactive Python does."""
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    tree = ast.parse(code, name)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(compile(tree, name, "exec"), variables)  # noqa: S102 - what the sandbox is for
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), name, "eval"), variables)  # noqa: S307 - the same
        if value is not None:
            variables["_"] = value
            print(value if isinstance(value, str) else repr(value))  # noqa: T201 - into what is kept


def _trace(failure: BaseException) -> str:
    """Return the trace without our own frames."""
    trace = failure.__traceback__
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith("<code "):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(failure), failure, trace)).strip()


def _save_figures(number: int) -> None:
    """Save the figures that are open as files, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    try:
        for figure in pyplot.get_fignums():
            pyplot.figure(figure).savefig(f"figure-{number}-{figure}.png", dpi=120, bbox_inches="tight")
    except Exception as failure:  # noqa: BLE001 - a figure that cannot be drawn costs no more than itself
        print(f"a figure could not be drawn: {failure}", file=sys.stderr)  # noqa: T201 - into what is kept
    finally:
        pyplot.close("all")


if __name__ == "__main__":
    main()
