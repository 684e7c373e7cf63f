"""The code tool: Python in the sandbox, with a chat's variables and files; plots and files come back as artefacts."""

from __future__ import annotations

from satchel.runtime.permissions.capabilities import Capability, Kind
from satchel.runtime.permissions.labels import HIGHEST, Label
from satchel.runtime.sandbox.probes import SandboxState
from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult, object_schema
from satchel.runtime.tools.errors import ToolOffError
from satchel.runtime.tools.interpreter import Interpreter, installed_libraries

_MOST_CODE = 50_000
_SECONDS = 60.0


class Python:
    """The tool `python`, for one chat."""

    name = "python"

    def __init__(self, sandbox: SandboxState) -> None:
        self._sandbox = sandbox
        self._interpreter = Interpreter(sandbox.confinement) if sandbox.confinement is not None else None
        self._label = HIGHEST

    @property
    def problem(self) -> str:
        """Why it is off on this machine; empty: it is not."""
        return "" if self._interpreter is not None else f"the sandbox is {self._sandbox.in_words}"

    @property
    def functions(self) -> tuple[Function, ...]:
        """One: `python`."""
        libraries = ", ".join(installed_libraries())
        return (
            Function(
                name=self.name,
                description=(
                    "Run Python code and return what it prints and the value of its last expression. Variables stay "
                    "between calls. There is no network. Files that it writes and plots that it draws are shown to the "
                    f"person. {f'Installed: {libraries}.' if libraries else 'Only the standard library is installed.'}"
                ),
                parameters=object_schema({"code": {"type": "string", "minLength": 1, "maxLength": _MOST_CODE}}),
                run=self._run,
                needs=lambda _arguments: (Capability(Kind.CODE_RUN),),
                seconds=_SECONDS,
            ),
        )

    def give(self, name: str, content: bytes, label: Label) -> None:
        """Put a file (an attachment, say) where the code can read it; what comes out is labelled as it from now on."""
        if self._interpreter is not None:
            self._label = self._label.joined(label)
            self._interpreter.give(name, content)

    def close(self) -> None:
        """End the interpreter."""
        if self._interpreter is not None:
            self._interpreter.close()

    def _run(self, arguments: Arguments, context: CallContext) -> ToolResult:
        if self._interpreter is None:
            raise ToolOffError(tool=self.name, reason=self.problem)
        # Variables and files outlive the call, and with them whatever went into it.
        self._label = self._label.joined(context.label)
        text, artefacts = self._interpreter.run(arguments["code"], context)
        return ToolResult(text, artefacts, kept=(self._label,))
