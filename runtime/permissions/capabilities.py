"""The closed set of powers that a tool can need, and the patterns in which a pack asks for them.

A request is a line of a pack's manifest: a kind, then, after one space, an argument that narrows it. Without an
argument it stands for everything of its kind.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from satchel.runtime.packfile.names import UNSAFE_CHARACTERS
from satchel.runtime.packfile.requests import request_in_words
from satchel.runtime.permissions.errors import CapabilityError
from satchel.runtime.permissions.places import parse_address, parse_place

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_UNSAFE = re.compile(f"[{UNSAFE_CHARACTERS}]")
_MOST_CHARACTERS = 2000
_ANY_SUBDOMAIN = "*."


class Kind(StrEnum):
    """The eight powers; their words for people stand in `packfile/requests.py`."""

    NET_FETCH = "net.fetch"
    NET_SEARCH = "net.search"
    NET_CALL = "net.call"
    FS_READ = "fs.read"
    FS_WRITE = "fs.write"
    CODE_RUN = "code.run"
    MCP_SPAWN = "mcp.spawn"
    MCP_CONNECT = "mcp.connect"


_OVER_NETWORK = frozenset({Kind.NET_FETCH, Kind.NET_SEARCH, Kind.NET_CALL, Kind.MCP_CONNECT})
_OF_FILES = frozenset({Kind.FS_READ, Kind.FS_WRITE})


@dataclass(frozen=True, slots=True, order=True)
class Capability:
    """A power, as it is requested, granted or needed; build it with `parse_capability`, which knows one spelling."""

    kind: Kind
    argument: str = ""
    """Empty: everything of this kind."""

    def __str__(self) -> str:
        return f"{self.kind} {self.argument}" if self.argument else str(self.kind)

    @property
    def in_words(self) -> str:
        """What a person who grants it lets happen."""
        return request_in_words(str(self))

    @property
    def named_place(self) -> str | None:
        """The one place on the network that it names; None for patterns, for everything, and for other kinds."""
        if self.kind not in _OVER_NETWORK or not self.argument or _ANY_SUBDOMAIN in self.argument:
            return None
        if self.kind is Kind.NET_SEARCH and _NAME.fullmatch(self.argument):
            return f"search:{self.argument}"
        address = parse_address(self.argument)
        return address.place if address else None

    def covers(self, needed: Capability) -> bool:
        """Say whether holding this one is enough for `needed`."""
        if self.kind is not needed.kind:
            return False
        if self.argument in {"", needed.argument}:
            return True
        if self.kind in _OF_FILES:
            return needed.argument.startswith(f"{self.argument}/")
        if self.kind in {Kind.NET_FETCH, Kind.NET_CALL}:
            return _is_subdomain(needed.argument, self.argument)
        if self.kind is Kind.MCP_CONNECT:
            # A place alone is every server there.
            address = parse_address(needed.argument)
            return address is not None and address.place == self.argument
        return False


def parse_capability(request: str) -> Capability:
    """Read a request or a need, such as "net.fetch example.org".

    Raises:
        CapabilityError: not of the closed set, or its argument is not one that its kind can have.
    """
    if len(request) > _MOST_CHARACTERS or _UNSAFE.search(request):
        raise CapabilityError(request=ascii(request[:80])[1:-1], reason="it is too long or has unsafe characters")
    word, space, argument = request.partition(" ")
    try:
        kind = Kind(word)
    except ValueError:
        raise CapabilityError(request=request, reason=f"the kinds are {', '.join(Kind)}") from None
    if not space:
        return Capability(kind)
    spell, in_words = _ARGUMENTS[kind]
    canonical = spell(argument)
    if not canonical:
        raise CapabilityError(request=request, reason=in_words)
    return Capability(kind, canonical)


@dataclass(frozen=True, slots=True)
class Requests:
    """What a pack asks for: its ceiling. A tool that is not in it, or a power that its tool lacks, is denied."""

    tools: Mapping[str, frozenset[Capability]]
    """By the tool's name; a tool that needs no power has an empty set."""
    unknown: tuple[str, ...] = ()
    """Lines outside the closed set (a newer pack's, or wrong ones): shown, never granted."""

    def allow(self, tool: str, needed: Iterable[Capability]) -> bool:
        """Say whether the pack asked for `tool` with all of the powers `needed`."""
        asked = self.tools.get(tool)
        return asked is not None and all(any(each.covers(need) for each in asked) for need in needed)


def parse_requests(tools: Iterable[tuple[str, Iterable[str]]]) -> Requests:
    """Read the tools' names and request lines of a manifest; a line outside the closed set is kept as unknown."""
    asked = dict[str, frozenset[Capability]]()
    unknown = list[str]()
    for tool, lines in tools:
        known = set[Capability]()
        for line in lines:
            try:
                known.add(parse_capability(line))
            except CapabilityError:
                unknown.append(line)
        asked[tool] = asked.get(tool, frozenset()) | known
    return Requests(asked, tuple(unknown))


def _engine(argument: str) -> str | None:
    return argument if _NAME.fullmatch(argument) else parse_place(argument)


def _server(argument: str) -> str | None:
    address = parse_address(argument if "://" in argument else f"https://{argument}")
    if address is None:
        return None
    return address.place if address.path == "/" else address.text


def _folder(argument: str) -> str | None:
    unsafe = "\\" in argument or any(part in {"", ".", ".."} or part != part.strip() for part in argument.split("/"))
    return None if unsafe else argument


def _name(argument: str) -> str | None:
    return argument if _NAME.fullmatch(argument) else None


def _command(argument: str) -> str | None:
    try:
        words = shlex.split(argument)
    except ValueError:
        return None
    return shlex.join(words) if words and words[0] else None


def _place_or_pattern(argument: str) -> str | None:
    scheme, separator, rest = argument.rpartition("://")
    if not rest.startswith(_ANY_SUBDOMAIN):
        return parse_place(argument)
    place = parse_place(f"{scheme}{separator}{rest.removeprefix(_ANY_SUBDOMAIN)}")
    if place is None:
        return None
    scheme, _, rest = place.partition("://")
    # `*.org` would be half of the world.
    return f"{scheme}://{_ANY_SUBDOMAIN}{rest}" if "." in rest else None


def _is_subdomain(place: str, pattern: str) -> bool:
    scheme, star, parent = pattern.partition(f"://{_ANY_SUBDOMAIN}")
    return bool(star) and place.startswith(f"{scheme}://") and place.endswith(f".{parent}")


_HOST_IN_WORDS = "what follows is a host, with scheme or port where they are not https and 443, and without a path"
_FOLDER_IN_WORDS = "what follows is a folder's name, without a leading slash, backslashes or `..`"
_ARGUMENTS: dict[Kind, tuple[Callable[[str], str | None], str]] = {
    Kind.NET_FETCH: (_place_or_pattern, _HOST_IN_WORDS),
    Kind.NET_SEARCH: (_engine, "what follows is a search engine's name, or its address without a path"),
    Kind.NET_CALL: (_place_or_pattern, _HOST_IN_WORDS),
    Kind.FS_READ: (_folder, _FOLDER_IN_WORDS),
    Kind.FS_WRITE: (_folder, _FOLDER_IN_WORDS),
    Kind.CODE_RUN: (_name, "what follows is a short name in small letters"),
    Kind.MCP_SPAWN: (_command, "what follows is a command line, its quotes closed"),
    Kind.MCP_CONNECT: (_server, "what follows is the server's address"),
}
