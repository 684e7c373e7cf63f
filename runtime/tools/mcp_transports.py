"""How an MCP server is talked to: a spawned one through the sandbox's pipes, a remote one through the egress layer.

The SDK would spawn and connect by itself; it is given these instead, so that no server runs outside of the sandbox and
no request leaves by another way.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from satchel.runtime.permissions.places import Address, parse_address
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.policy import Policy
from satchel.runtime.tools.base import CallContext
from satchel.runtime.tools.egress import OWN_HEADERS, Egress, Request
from satchel.runtime.tools.errors import EgressError

if TYPE_CHECKING:
    import httpx2

    from satchel.runtime.sandbox.process import SandboxedProcess

_MOST_LINE = 32 << 20
"""Servers send a result twice, as text and as structured content; a longer line ends the connection."""
_LAST_WORDS = 2000
_REQUEST_SECONDS = 120.0


class StandardError:
    """The last that a server wrote to its standard error, for a message when it dies."""

    def __init__(self, process: SandboxedProcess) -> None:
        self._tail = b""
        self._process = process
        self._thread = threading.Thread(target=self._drain, name="MCP server's errors", daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        """What it said last."""
        return self._tail.decode(errors="replace").strip()

    def _drain(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            while chunk := self._process.stderr.read1(1 << 14):  # type: ignore[attr-defined]  # a BufferedReader
                self._tail = (self._tail + chunk)[-_LAST_WORDS:]


@contextlib.asynccontextmanager
async def sandboxed_stdio(
    command: Sequence[str], policy: Policy, confinement: Confinement, errors: list[StandardError]
) -> AsyncIterator[tuple[Any, Any]]:
    """Start a server in the sandbox and talk to it by lines of JSON; its last words go to `errors`.

    Raises:
        SandboxStartError: it did not get to run.
    """
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    from satchel.runtime.sandbox.process import SandboxedProcess  # it needs Linux

    process = await anyio.to_thread.run_sync(SandboxedProcess, command, policy, confinement)
    errors.append(StandardError(process))
    to_session, session_reads = anyio.create_memory_object_stream[Any](0)
    session_writes, from_session = anyio.create_memory_object_stream[Any](0)

    async def read() -> None:
        async with to_session:
            while True:
                line = await anyio.to_thread.run_sync(process.stdout.readline, _MOST_LINE, abandon_on_cancel=True)
                if not line.endswith(b"\n"):  # the end, or a line without one
                    return
                try:
                    message: Any = SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
                except ValueError as error:
                    message = error
                await to_session.send(message)

    async def write() -> None:
        async with from_session:
            async for message in from_session:
                line = message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
                await anyio.to_thread.run_sync(_put, process, line, abandon_on_cancel=True)

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_closed, read)
            tasks.start_soon(_until_closed, write)
            try:
                yield session_reads, session_writes
            finally:
                process.kill()  # wakes the reading thread
                tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(process.close)
            for stream in (to_session, session_reads, session_writes, from_session):
                await stream.aclose()


async def _until_closed(work: Any) -> None:
    """Run one side until the other is gone: a session learns of a dead server by the end of its stream."""
    import anyio

    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError, ValueError):
        await work()


def _put(process: SandboxedProcess, line: bytes) -> None:
    process.stdin.write(line)
    process.stdin.flush()


def egress_client(egress: Egress, headers: Mapping[str, str]) -> httpx2.AsyncClient:
    """Return an HTTP client for the SDK whose every request goes through `egress`."""
    import anyio
    import httpx2

    class Through(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            # The stream on which a server could speak unasked: it would have to be held open for ever.
            if request.method == "GET":
                return httpx2.Response(405)
            address = parse_address(str(request.url))
            if address is None:
                raise httpx2.UnsupportedProtocol("this is no web address", request=request)
            body = await request.aread()
            kept = {name: value for name, value in request.headers.items() if name.lower() not in OWN_HEADERS}
            ask = Request(address, request.method, kept | dict(headers), body)
            try:
                response = await anyio.to_thread.run_sync(_fetch, egress, ask, abandon_on_cancel=True)
            except EgressError as error:
                raise httpx2.ConnectError(error.message, request=request) from error
            if response.redirect is not None:
                raise httpx2.ConnectError(f"it is moved to {response.redirect.place}", request=request)
            wanted = {name: value for name, value in response.headers.items() if name in _PASSED_ON}
            return httpx2.Response(response.status, headers=wanted, content=response.body)

    return httpx2.AsyncClient(transport=Through(), timeout=_REQUEST_SECONDS)


_PASSED_ON = frozenset({"content-type", "mcp-session-id", "mcp-protocol-version", "www-authenticate", "retry-after"})


def _fetch(egress: Egress, request: Request) -> Any:
    return egress.fetch(request, CallContext(time.monotonic() + _REQUEST_SECONDS, _REQUEST_SECONDS))


def server_address(text: str) -> Address:
    """Return a server's address.

    Raises:
        EgressError: it is none.
    """
    if (address := parse_address(text)) is None:
        raise EgressError(place=text[:200], reason="it is no web address")
    return address
