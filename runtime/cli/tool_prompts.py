"""Tools on a terminal: what is called, what comes back, and the questions that only a person can answer."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.session.events import ApprovalNeeded, QuestionAsked, ToolFinished, ToolRequested

Decide = Callable[[str, str], object]

_WIDTH = 96
_CHOICES = {
    "once": "allow this call",
    "chat": "allow for this chat",
    "always": "always allow for this assistant",
    "never": "never allow",
}
_DENY = "deny"


def show_tool_event(
    event: ApprovalNeeded | QuestionAsked | ToolRequested | ToolFinished, terminal: Terminal, decide: Decide | None
) -> None:
    """Print what a tool does, or ask the person and pass the answer on."""
    match event:
        case ToolRequested():
            terminal.note(terminal.dim(f"{event.call['name'] or 'a call'}: {_arguments(event.call['arguments'])}"))
        case ToolFinished():
            said = textwrap.shorten(" ".join(event.result.split()), _WIDTH, placeholder=" …")
            terminal.note(terminal.dim(f"  = {said}"))
            for path in event.artefacts:
                terminal.note(f"  made {path}")
        case ApprovalNeeded() if decide is not None:
            decide(event.request_id, _choice(event.request, terminal))
        case QuestionAsked() if decide is not None:
            offered = f" ({' / '.join(event.choices)})" if event.choices else ""
            decide(event.question_id, terminal.ask(f"The assistant asks: {event.question}{offered}"))
        case _:
            pass


def _choice(request: Mapping[str, Any], terminal: Terminal) -> str:
    """Show a request whole and return the person's choice; anything that is not one of the choices allows nothing."""
    terminal.note(terminal.bold(f"\n{request['tool']} would do this:"))
    for argument in request["arguments"]:
        terminal.note(textwrap.indent(f"{argument['name']}: {argument['text']}", "    "))
    for place in request["destinations"]:
        terminal.note(f"  goes to {place}")
    leaving = [argument["name"] for argument in request["arguments"] if argument["leaves"]]
    if leaving:
        terminal.note(f"  leaves this computer: {', '.join(leaving)}")
    for power in request["powers"]:
        terminal.note(f"  lets it {power}")
    terminal.note(f"  asked because {request['why']}")
    offered = [choice for choice in _CHOICES if choice in request["choices"]]
    for choice in offered:
        terminal.note(f"  {choice:<7} {_CHOICES[choice]}")
    answer = terminal.ask(f"{', '.join(offered)}; anything else allows nothing:").strip().casefold()
    return answer if answer in offered else _DENY


def _arguments(arguments: Mapping[str, Any]) -> str:
    said = ", ".join(f"{name} = {value!r}" for name, value in arguments.items())
    return textwrap.shorten(said, _WIDTH, placeholder=" …")
