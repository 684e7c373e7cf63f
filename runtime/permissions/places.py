"""Places on the network, in one spelling each, so that they can be compared: `https://example.org`.

A place is scheme, host and port (the port left out where it is the scheme's own). What has no origin is named by its
kind: a spawned MCP server is `mcp:NAME`, a search engine that is a library `search:ddgs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
_IPV6 = re.compile(r"[0-9a-f:.]{2,45}")
_MOST_HOST = 253
# Parsers disagree about these: an address that holds one is no address.
_NEVER_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"`{}|^\u2028\u2029\ud800-\udfff]")
_TYPED = re.compile(r"(?:https?://|(?<![\w@.-])(?=[\w-]+\.[\w.-]*[a-z]))[^\s<>\"'`{}|\\^]+", re.IGNORECASE)
_CLOSING = ".,;:!?)]}'\""


@dataclass(frozen=True, slots=True)
class Address:
    """An http or https address; `text` is its one spelling, without fragment."""

    place: str
    path: str
    """Path and query as written, at least "/"."""

    @property
    def text(self) -> str:
        """The whole address."""
        return self.place + self.path

    @property
    def host(self) -> str:
        """The host alone, as it is resolved; IPv6 without brackets."""
        return host_of(self.place)


def parse_address(text: str) -> Address | None:
    """Return the address that `text` is; None for what is none, has a name or password in it, or is doubtful."""
    if _NEVER_IN_ADDRESS.search(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or "@" in parts.netloc or port == 0:
        return None
    host = _canonical_host(parts.hostname or "")
    if host is None:
        return None
    place = f"{scheme}://{host}" if port in {None, _PORTS[scheme]} else f"{scheme}://{host}:{port}"
    path = parts.path or "/"
    return Address(place, f"{path}?{parts.query}" if parts.query else path)


def parse_place(text: str) -> str | None:
    """Return the place that `text` names: "example.org" is `https://example.org`; None where it has a path."""
    address = parse_address(text if "://" in text else f"https://{text}")
    if address is None or address.path != "/":
        return None
    return address.place


def host_of(place: str) -> str:
    """Return the host of a network place; empty for a place without one."""
    return urlsplit(place).hostname or ""


def addresses_in(text: str) -> frozenset[str]:
    """Return the addresses that a person typed in a message; a bare "example.org/a" stands for http and https."""
    found = set[str]()
    for match in _TYPED.finditer(text):
        typed = match[0].rstrip(_CLOSING)
        candidates = (typed,) if "://" in typed else (f"https://{typed}", f"http://{typed}")
        found.update(address.text for each in candidates if (address := parse_address(each)) is not None)
    return frozenset(found)


def _canonical_host(host: str) -> str | None:
    if ":" in host:
        return f"[{host}]" if _IPV6.fullmatch(host) else None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = host.lower().removesuffix(".")
    return host if len(host) <= _MOST_HOST and _HOST.fullmatch(host) else None
