"""Which addresses of the internet protocol may be connected to: public ones, unless the place was granted by name."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass

from satchel.runtime.tools.errors import EgressError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
"""Returns the addresses of a host; raises OSError where there are none."""

_MOST_ADDRESSES = 8
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 that a gateway turns into the IPv4 address in its last 32 bits (RFC 6052)."""
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")
_METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254"))
)
"""Of clouds. Most are link-local anyhow; Azure's is a public address."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a host resolved to, once: it is connected to these and never resolved again."""

    addresses: tuple[str, ...]
    is_inside: bool
    """One of them is not public: what is there is not for everyone."""


def system_resolve(host: str, port: int) -> list[str]:
    """Ask this machine's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def pin(place: str, host: str, port: int, *, private_is_granted: bool, resolve: Resolve) -> Pinned:
    """Resolve a host and refuse it when any of its addresses is not public.

    One private address among public ones refuses all: whoever owns the name chose them together.

    Raises:
        EgressError: it does not resolve, or not to where calls may go.
    """
    try:
        texts = resolve(host, port)
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in texts]
    except (OSError, UnicodeError, ValueError) as error:
        raise EgressError(place=place, reason="there is no such host") from error
    if not addresses:
        raise EgressError(place=place, reason="there is no such host")
    inside = [(address, kind) for address in addresses if (kind := inner_kind(address))]
    if inside and not private_is_granted:
        address, kind = inside[0]
        raise EgressError(place=place, reason=f"it is {kind} ({address}); that has to be granted by its name")
    return Pinned(tuple(texts[:_MOST_ADDRESSES]), bool(inside))


def inner_kind(address: IpAddress) -> str:
    """Return in words what keeps an address from being public; empty: it is."""
    embedded = _embedded(address)
    # A gateway's address is as public as the one that it stands for; Python calls it reserved.
    for one in embedded if address in _TRANSLATED else (address, *embedded):
        if one in _METADATA:
            return "the cloud's own metadata service"
        if one.is_loopback or one.is_unspecified:
            return "this computer itself"
        if one.is_link_local:
            return "a link-local address"
        if one.is_multicast or one.is_reserved:
            return "no address of a host"
        if one.is_private or not one.is_global or (one.version == 6 and one in _SITE_LOCAL):  # noqa: PLR2004 - IPv6
            return "a private network's address"
    return ""


def _embedded(address: IpAddress) -> list[IpAddress]:
    """Return the IPv4 addresses that an IPv6 one stands for."""
    if address.version == 4:  # noqa: PLR2004 - IPv4
        return []
    assert isinstance(address, ipaddress.IPv6Address)  # what is not 4
    found: list[IpAddress | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    number = int(address)
    if address in _TRANSLATED or number >> 32 == 0:  # the latter: IPv4-compatible, long out of use
        found.append(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    return [one for one in found if one is not None]
