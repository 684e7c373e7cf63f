"""What a person is asked in the middle of an answer, without a widget: the words of a request and of its buttons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from satchel.builder.language import translate
from satchel.runtime.session.assistant import LoadedAssistant

DENY = "deny"


@dataclass(frozen=True, slots=True)
class ShownCall:
    """The call with all its arguments, as it is written in the box."""

    text: str
    marks: tuple[tuple[int, int], ...]
    """Spans that at least one destination may not know."""


def shown_call(request: Mapping[str, Any]) -> ShownCall:
    """Return a request's call, an argument a line; the runtime has escaped what could hide."""
    text = str(request["tool"])
    marks = []
    for argument in request["arguments"]:
        text += f"\n{argument['name']}: "
        if argument["secret"]:
            marks.append((len(text), len(text) + len(argument["text"])))
        text += argument["text"]
    return ShownCall(text, tuple(marks))


def asker(assistant: LoadedAssistant) -> str:
    """Return who asks: the author, and whether somebody vouches for that."""
    if not assistant.is_received:
        return translate("Consent", "your own assistant")
    author = assistant.author or translate("Consent", "somebody unnamed")
    if assistant.unpacked_from:
        return translate("Consent", "by {author} · unpacked from a pack · unsigned", author=author)
    return translate("Consent", "by {author} · unsigned", author=author)


def leaving(request: Mapping[str, Any]) -> str:
    """Return what would leave this computer and where to."""
    places = ", ".join(request["destinations"])
    if not places:
        return translate("Consent", "Nothing leaves this computer.")
    names = ", ".join(argument["name"] for argument in request["arguments"] if argument["leaves"])
    if not names:
        return translate("Consent", "It would connect to {places}.", places=places)
    said = translate("Consent", "This would leave this computer, to {places}: {names}.", places=places, names=names)
    if any(argument["secret"] for argument in request["arguments"]):
        said += " " + translate("Consent", "What is marked is not meant for every place that it would go to.")
    return said


def reason(request: Mapping[str, Any]) -> str:
    """Return why the person is asked."""
    return translate("Consent", "Asked because {why}.", why=str(request["why"]).rstrip("."))


def allowing(request: Mapping[str, Any]) -> str:
    """Return what a lasting yes would let happen; empty where none is offered or nothing is."""
    if "chat" not in request["choices"] or not request["powers"]:
        return ""
    return translate("Consent", "A lasting yes lets it: {powers}.", powers="; ".join(request["powers"]))


def choices_of(request: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the buttons of a request, the safe one last: (choice, words)."""
    offered = request["choices"]
    words = {
        "never": translate("Consent", "Never"),
        "always": translate("Consent", "Always for this assistant"),
        "chat": translate("Consent", "For this chat"),
        "once": translate("Consent", "Allow once") if "chat" in offered else translate("Consent", "Allow this call"),
    }
    buttons = [(choice, said) for choice, said in words.items() if choice in offered]
    return (*buttons, (DENY, translate("Consent", "Don't allow")))
