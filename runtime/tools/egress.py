"""The one way out to the network: exact places, pinned addresses, every redirect checked again, every byte counted.

The broker decides about a call's address before it comes here; this layer holds the call to it. A redirect to the same
place is followed; one to another place would carry what was sent to somebody that nobody asked about, so it is
returned as an answer, and going there is a new call. Plain http and https on the same host count as one for that.
"""

from __future__ import annotations

import contextlib
import copy
import http.client
import socket
import ssl
import string
import threading
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urljoin

from satchel.runtime.permissions.places import Address, parse_address
from satchel.runtime.tools.base import CallContext
from satchel.runtime.tools.egress_addresses import Pinned, Resolve, pin, system_resolve
from satchel.runtime.tools.errors import EgressError

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_PORTS = {"http": 80, "https": 443}
_CHUNK = 1 << 16
_AGENT = "Satchel"
OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect", "upgrade"}
)
"""Set here, from what was decided and will be read; a tool cannot set them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one request, and of all of a chat's together."""

    most_bytes: int = 8 << 20
    """Of a body, both as it comes and unpacked."""
    most_bytes_in_all: int = 512 << 20
    most_sent_bytes: int = 1 << 20
    most_redirects: int = 5
    socket_seconds: float = 15.0
    """For connecting, and for each wait for bytes."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    address: Address
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    address: Address
    """Where it came from in the end."""
    status: int
    headers: Mapping[str, str]
    """Names in small letters; of several of one name, the first."""
    body: bytes
    """Unpacked."""
    was_cut: bool
    """There was more than may be read."""
    is_inside: bool
    """It came from this computer or a private network."""
    redirect: Address | None = None
    """Another place that it points to, which was not gone to."""


@dataclass(slots=True)
class Traffic:
    """What went to and came from one place."""

    requests: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


class Egress:
    """One chat's way out. Safe to use from several threads."""

    def __init__(
        self,
        granted_by_name: Collection[str] | Callable[[], Collection[str]] = (),
        *,
        limits: Limits | None = None,
        resolve: Resolve = system_resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`granted_by_name`: places (`Grants.named_places`) that may be private addresses, or what returns them."""
        self._granted = granted_by_name if callable(granted_by_name) else lambda: granted_by_name
        self._limits = limits or Limits()
        self._resolve = resolve
        self._tls = tls
        self._lock = threading.Lock()
        self._traffic: dict[str, Traffic] = {}

    def naming(self, place: str) -> Egress:
        """Return the same way out for one caller for whom one more place was granted by name; bytes count together."""
        other = copy.copy(self)
        other._granted = lambda: {*self._granted(), place}  # noqa: SLF001 - of one's own class
        return other

    @property
    def traffic(self) -> dict[str, Traffic]:
        """Bytes by place, for the audit log and the person."""
        with self._lock:
            return {
                place: Traffic(one.requests, one.sent_bytes, one.received_bytes) for place, one in self._traffic.items()
            }

    def fetch(self, request: Request, context: CallContext) -> Response:
        """Send a request, follow what redirects may be followed, and return the answer, whatever its status.

        Raises:
            EgressError: names the place and why nothing came of it.
            CancelledError, OutOfTimeError: as the call's context says.
        """
        if len(request.body) + len(request.address.text) > self._limits.most_sent_bytes:
            raise EgressError(place=request.address.place, reason="there is too much to send")
        seen = {request.address.text}
        for _ in range(self._limits.most_redirects + 1):
            context.check()
            response = self._once(request, context)
            target = _target(response)
            if target is None:
                return response
            if not _same_place(request.address, target):
                return replace(response, redirect=target)
            if target.text in seen:
                raise EgressError(place=target.place, reason="it redirects in a circle")
            seen.add(target.text)
            request = _redirected(request, response.status, target)
        raise EgressError(
            place=request.address.place, reason=f"it redirects more than {self._limits.most_redirects} times"
        )

    def _once(self, request: Request, context: CallContext) -> Response:
        address = request.address
        connection = self._connection(address)
        context.cancellation.when_cancelled(lambda: _shut(connection))
        try:
            connection.connect()
            self._send(connection, request)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in reversed(answer.getheaders())}
            body, was_cut = self._body(answer, headers.get("content-encoding", ""), address.place, context)
        except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
            context.check()
            raise EgressError(place=address.place, reason=_in_words(error)) from error
        finally:
            connection.close()
        return Response(address, answer.status, headers, body, was_cut, connection.pinned.is_inside)

    def _connection(self, address: Address) -> _PinnedConnection:
        scheme = address.place.partition("://")[0]
        port = _port(address)
        pinned = pin(
            address.place,
            address.host,
            port,
            private_is_granted=address.place in self._granted(),
            resolve=self._resolve,
        )
        tls = (self._tls or ssl.create_default_context()) if scheme == "https" else None
        return _PinnedConnection(address.host, port, pinned, self._limits.socket_seconds, tls)

    def _send(self, connection: http.client.HTTPConnection, request: Request) -> None:
        address = request.address
        connection.putrequest(
            request.method, quote(address.path, safe=string.punctuation), skip_host=True, skip_accept_encoding=True
        )
        connection.putheader("Host", address.place.partition("://")[2])
        for name, value in {"User-Agent": _AGENT, "Accept-Encoding": "gzip, deflate", "Connection": "close"}.items():
            connection.putheader(name, value)
        for name, value in request.headers.items():
            if name.lower() in OWN_HEADERS:
                raise ValueError(f"the header {name} is not for a tool to set")
            connection.putheader(name, value)
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(request.body)))
        sent = (
            len(address.text)
            + sum(len(name) + len(value) for name, value in request.headers.items())
            + len(request.body)
        )
        self._count(address.place, requests=1, sent=sent)
        connection.endheaders(request.body or None)

    def _body(
        self, answer: http.client.HTTPResponse, encoding: str, place: str, context: CallContext
    ) -> tuple[bytes, bool]:
        """Read and unpack a body, both within the limit: a megabyte may unpack to a terabyte."""
        most = self._limits.most_bytes
        unpack = _unpacker(encoding)
        body = bytearray()
        came = 0
        while chunk := answer.read1(_CHUNK):
            context.check()
            came += len(chunk)
            self._count(place, received=len(chunk))
            body += unpack(chunk, most + 1 - len(body))
            if len(body) > most or came > most:
                return bytes(body[:most]), True
        if answer.length:
            raise http.client.IncompleteRead(bytes(body), answer.length)
        return bytes(body), False

    def _count(self, place: str, *, requests: int = 0, sent: int = 0, received: int = 0) -> None:
        with self._lock:
            one = self._traffic.setdefault(place, Traffic())
            one.requests += requests
            one.sent_bytes += sent
            one.received_bytes += received
            total = sum(each.sent_bytes + each.received_bytes for each in self._traffic.values())
        if total > self._limits.most_bytes_in_all:
            raise EgressError(
                place=place, reason=f"this chat has moved {self._limits.most_bytes_in_all:,} bytes, its limit"
            )


class _PinnedConnection(http.client.HTTPConnection):
    """Connects to addresses that were looked at, and proves to TLS and to the server which name was meant."""

    def __init__(self, host: str, port: int, pinned: Pinned, seconds: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=seconds)
        self.pinned, self._wanted_tls = pinned, tls

    def connect(self) -> None:
        """Connect to the first address that answers."""
        failure: OSError | None = None
        for address in self.pinned.addresses:
            try:
                plain = socket.create_connection((address, self.port), self.timeout)
            except OSError as error:
                failure = error
                continue
            self.sock = plain
            if self._wanted_tls is not None:
                self.sock = self._wanted_tls.wrap_socket(plain, server_hostname=self.host)
            return
        raise failure or OSError("there is no address to connect to")


def _unpacker(encoding: str) -> Any:
    """Return a function (chunk, room) -> bytes that unpacks no more than there is room for."""
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        return lambda chunk, _room: chunk
    if kind in ("gzip", "x-gzip"):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    elif kind == "deflate":
        unpacker = zlib.decompressobj()
    else:
        raise ValueError(f"it is packed as {kind[:40]!r}, which was not asked for")
    return lambda chunk, room: unpacker.decompress(chunk, max(1, room))


def _redirected(request: Request, status: int, target: Address) -> Request:
    """Return the request that a redirect asks for: a 303, and by custom a 301 or 302, turns a POST into a GET."""
    if status in _KEEP_METHOD or request.method in ("GET", "HEAD"):
        return Request(target, request.method, request.headers, request.body)
    headers = {name: value for name, value in request.headers.items() if name.lower() != "content-type"}
    return Request(target, "GET", headers)


def _target(response: Response) -> Address | None:
    """Return where a redirect points to; None where it is none.

    Raises:
        EgressError: it points to what is no web address.
    """
    location = response.headers.get("location")
    if response.status not in _REDIRECTS or location is None:
        return None
    try:
        target = parse_address(urljoin(response.address.text, location.strip()).partition("#")[0])
    except ValueError:
        target = None
    if target is None:
        raise EgressError(place=response.address.place, reason="it redirects to what is no web address")
    return target


def _same_place(address: Address, target: Address) -> bool:
    if address.place == target.place:
        return True
    # Where both have their scheme's own port: the redirect to https that nearly every site has. Never back.
    return address.place == f"http://{target.host}" and target.place == f"https://{target.host}"


def _port(address: Address) -> int:
    scheme, _, rest = address.place.partition("://")
    _, colon, port = rest.rpartition("]")[2].rpartition(":")
    return int(port) if colon else _PORTS[scheme]


def _shut(connection: http.client.HTTPConnection) -> None:
    """Wake whoever waits for bytes of it."""
    with contextlib.suppress(OSError, AttributeError):  # not connected yet, or closed meanwhile
        connection.sock.shutdown(socket.SHUT_RDWR)


def _in_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses connections"
    if isinstance(error, ValueError) and not isinstance(error, UnicodeError):
        return str(error)
    if isinstance(error, http.client.HTTPException | zlib.error):
        return "it answered with what is no HTTP"
    return f"the connection failed ({getattr(error, 'strerror', None) or type(error).__name__})"
