"""The tool that searches the assistant's own files again, with words of the model's choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from satchel.runtime.permissions.labels import Label
from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult, object_schema

_MOST_PASSAGES = 10


@dataclass(frozen=True, slots=True)
class KnowledgePassage:
    """A passage that was found; its label comes from its file's two ticks."""

    text: str
    file: str
    page: int | None
    label: Label


KnowledgeSearch = Callable[[str, int, CallContext], Sequence[KnowledgePassage]]
"""Returns the best passages above the gate for a query, best first."""


class SearchKnowledge:
    """The tool `search_knowledge`."""

    name = "search_knowledge"

    def __init__(self, search: KnowledgeSearch) -> None:
        self._search = search

    @property
    def functions(self) -> tuple[Function, ...]:
        """One: `search_knowledge`."""
        parameters = object_schema(
            {"query": {"type": "string", "minLength": 1, "maxLength": 500}},
            {"passages": {"type": "integer", "minimum": 1, "maximum": _MOST_PASSAGES}},
        )
        return (
            Function(
                name=self.name,
                description="Search the assistant's files and return the passages that fit a query best.",
                parameters=parameters,
                run=self._run,
            ),
        )

    def close(self) -> None:
        """Hold nothing: the knowledge belongs to the session."""

    def _run(self, arguments: Arguments, context: CallContext) -> ToolResult:
        found = self._search(arguments["query"], arguments.get("passages", 5), context)
        if not found:
            return ToolResult("The files hold nothing about this.")
        parts = [
            f"[{passage.file}{'' if passage.page is None else f', page {passage.page}'}]\n{passage.text}"
            for passage in found
        ]
        return ToolResult("\n\n".join(parts), kept=tuple(passage.label for passage in found))
