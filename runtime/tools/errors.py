"""What a tool call can fail for. The model reads these messages as the call's result, so they say what to do next."""

from __future__ import annotations

from satchel.runtime.errors import SatchelError


class ToolError(SatchelError):
    """{reason}."""

    exit_code = 55


class BadCallError(ToolError):
    """{reason}."""

    remedy = "The model was told; ask again if it does not try by itself."


class ToolOffError(ToolError):
    """The tool {tool} is off: {reason}."""

    exit_code = 56
    remedy = "`satchel doctor` says what is missing on this machine."


class EgressError(ToolError):
    """{place}: {reason}."""

    exit_code = 57
