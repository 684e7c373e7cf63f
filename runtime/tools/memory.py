"""The tool `memory`: the model writes notes about its user and finds them again (`notes`)."""

from __future__ import annotations

import re

from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult, object_schema
from satchel.runtime.tools.notes import MOST_CHARACTERS, Note, Notes

_MOST_FOUND = 20
_WORD = re.compile(r"\w+")


class Memory:
    """The tool `memory`."""

    name = "memory"

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    @property
    def functions(self) -> tuple[Function, ...]:
        """`memory_write` and `memory_recall`."""
        return (
            Function(
                name="memory_write",
                description="Keep a short note about the person for later chats, when they tell you something lasting.",
                parameters=object_schema({"note": {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}}),
                run=self._write,
            ),
            Function(
                name="memory_recall",
                description="Find notes that you kept in earlier chats; without words, the latest ones.",
                parameters=object_schema({}, {"words": {"type": "string", "maxLength": 200}}),
                run=self._recall,
            ),
        )

    def close(self) -> None:
        """Hold nothing: the notes are a file."""

    def _write(self, arguments: Arguments, context: CallContext) -> ToolResult:
        self._notes.add(arguments["note"], context.label)
        return ToolResult("Noted.", kept=(context.label,))

    def _recall(self, arguments: Arguments, _context: CallContext) -> ToolResult:
        wanted = _words(arguments.get("words", ""))
        found = _ranked(self._notes.all(), wanted)[:_MOST_FOUND]
        if not found:
            return ToolResult("There is no note about this." if wanted else "There are no notes.")
        lines = [f"- {note.text} ({note.written[:10]})" for note in found]
        return ToolResult("\n".join(lines), kept=tuple(note.labelled for note in found))


def _ranked(notes: tuple[Note, ...], wanted: frozenset[str]) -> list[Note]:
    """Return those that share a word with what is wanted, most words first; the latest first among equals."""
    latest = list(reversed(notes))
    if not wanted:
        return latest
    shared = {note.id: len(wanted & _words(note.text)) for note in latest}
    return sorted((note for note in latest if shared[note.id]), key=lambda note: -shared[note.id])


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
