"""The tool that searches the web: by a SearXNG of the person's choice, or by the library ddgs (extra `search`).

Its links are exactly what the search returned: the broker lets a page be fetched that stands among them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from satchel.runtime.errors import MissingExtraError
from satchel.runtime.permissions.capabilities import Capability, Kind
from satchel.runtime.permissions.places import parse_address
from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult, object_schema
from satchel.runtime.tools.egress import Egress, Request
from satchel.runtime.tools.errors import ToolError

_MOST_RESULTS = 10
_MOST_SNIPPET = 400


@dataclass(frozen=True, slots=True)
class Found:
    """One result."""

    title: str
    address: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Engine:
    """Where searches go."""

    place: str
    """`https://searx.example.org`, or `search:ddgs`."""
    capability: Capability
    search: Callable[[str, int, CallContext], Sequence[Found]]


def searxng(place: str, egress: Egress) -> Engine:
    """Search with a SearXNG; `place` as `permissions.places.parse_place` spells it. Its JSON format must be on."""

    def search(query: str, count: int, context: CallContext) -> list[Found]:
        address = parse_address(f"{place}/search?format=json&q={quote_plus(query)}")
        assert address is not None  # a place and an encoded query
        response = egress.fetch(Request(address), context)
        if response.status != 200 or response.redirect is not None:  # noqa: PLR2004 - HTTP's OK
            raise ToolError(reason=f"{place} answered with status {response.status}; is its JSON format switched on?")
        try:
            results = json.loads(response.body)["results"]
            return [_found(one.get("title"), one.get("url"), one.get("content")) for one in results[:count]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ToolError(reason=f"{place} answered with what is no list of results") from error

    return Engine(place, Capability(Kind.NET_SEARCH, place), search)


def ddgs() -> Engine:
    """Search with the engines that the library ddgs asks; it makes its own connections, to hosts of its own choice."""

    def search(query: str, count: int, context: CallContext) -> list[Found]:
        try:
            from ddgs import DDGS
            from ddgs.exceptions import DDGSException
        except ImportError as error:
            raise MissingExtraError(feature="Searching the web", extra="search") from error
        try:
            with DDGS(timeout=max(1, round(context.seconds_left))) as library:
                results = library.text(query, max_results=count)
        except DDGSException as error:
            raise ToolError(reason=f"the search failed ({error})") from error
        return [_found(one.get("title"), one.get("href"), one.get("body")) for one in results]

    return Engine("search:ddgs", Capability(Kind.NET_SEARCH, "ddgs"), search)


class WebSearch:
    """The tool `web_search`."""

    name = "web_search"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def functions(self) -> tuple[Function, ...]:
        """One: `web_search`."""
        return (
            Function(
                name=self.name,
                description="Search the web; returns titles, addresses and snippets. Read a page with web_fetch.",
                parameters=object_schema(
                    {"query": {"type": "string", "minLength": 1, "maxLength": 400}},
                    {"results": {"type": "integer", "minimum": 1, "maximum": _MOST_RESULTS}},
                ),
                run=self._run,
                needs=lambda _arguments: (self._engine.capability,),
                destinations=lambda _arguments: (self._engine.place,),
            ),
        )

    def close(self) -> None:
        """Hold nothing."""

    def _run(self, arguments: Arguments, context: CallContext) -> ToolResult:
        found = [
            one
            for one in self._engine.search(arguments["query"], arguments.get("results", 5), context)
            if parse_address(one.address) is not None
        ]
        if not found:
            return ToolResult("Nothing was found.")
        text = "\n\n".join(f"{one.title}\n{one.address}\n{one.snippet[:_MOST_SNIPPET]}" for one in found)
        return ToolResult(text, links=tuple(_spelled(one.address) for one in found))


def _found(title: Any, address: Any, snippet: Any) -> Found:
    return Found(*(str(value or "").strip() for value in (title, address, snippet)))


def _spelled(address: str) -> str:
    parsed = parse_address(address)
    return parsed.text if parsed else address
