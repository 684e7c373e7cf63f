"""The tool that asks the person a question in the middle of a turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult, object_schema
from satchel.runtime.tools.errors import ToolError

Asker = Callable[[str, Sequence[str], CallContext], "str | None"]
"""Shows a question with the choices offered (none: free text), waits, and returns the answer; None: nobody answers."""


class AskUser:
    """The tool `ask_user`; without a front end that can ask, every call says so to the model."""

    name = "ask_user"

    def __init__(self, ask: Asker | None) -> None:
        self._ask = ask

    @property
    def functions(self) -> tuple[Function, ...]:
        """One: `ask_user`."""
        parameters = object_schema(
            {"question": {"type": "string", "minLength": 1, "maxLength": 1000}},
            {
                "choices": {
                    "type": "array",
                    "maxItems": 8,
                    "items": {"type": "string", "minLength": 1, "maxLength": 200},
                }
            },
        )
        return (
            Function(
                name=self.name,
                description="Ask the person one question and wait for the answer, when you cannot go on without it.",
                parameters=parameters,
                run=self._run,
                seconds=3600.0,
            ),
        )

    def close(self) -> None:
        """Hold nothing."""

    def _run(self, arguments: Arguments, context: CallContext) -> ToolResult:
        answer = self._ask(arguments["question"], arguments.get("choices", ()), context) if self._ask else None
        if answer is None:
            raise ToolError(reason="Nobody answered. Go on with what you know, and say what you assumed")
        return ToolResult(answer)
