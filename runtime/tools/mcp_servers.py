"""The tool `mcp`: all servers of an assistant's `mcp.json`, each with a connection of its own.

A server's functions are known once it is connected, and it is connected once the person has allowed that: until then
it is `pending`, with the power that connecting would need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from satchel.runtime.permissions.capabilities import Capability
from satchel.runtime.tools.base import Cancellation, Function
from satchel.runtime.tools.mcp import Mcp, RemoteServer, SpawnedServer

MakeServer = Callable[[SpawnedServer | RemoteServer], Mcp]
"""Makes what can connect, with the person's secrets filled in; raises `SatchelError` where one is missing."""


@dataclass(frozen=True, slots=True)
class PendingServer:
    """A server that is not connected yet."""

    name: str
    place: str
    """Who is told that somebody connects."""
    needs: Capability
    """Granting it lets the server be started or reached."""


class McpServers:
    """The tool `mcp`."""

    name = "mcp"

    def __init__(self, servers: Sequence[SpawnedServer | RemoteServer], make: MakeServer) -> None:
        self._servers = {server.name: server for server in servers}
        self._make = make
        self._connected: dict[str, Mcp] = {}

    @property
    def functions(self) -> tuple[Function, ...]:
        """Those of the servers that are connected."""
        return tuple(function for server in self._connected.values() for function in server.functions)

    @property
    def pending(self) -> tuple[PendingServer, ...]:
        """The servers that are not connected."""
        return tuple(
            PendingServer(name, server.place, server.capability)
            for name, server in self._servers.items()
            if name not in self._connected
        )

    def connect(self, name: str, cancellation: Cancellation) -> tuple[str, ...]:
        """Connect a server, and return which of its tools were left out, with the reason.

        Raises:
            CancelledError: somebody cancelled.
            SatchelError: it cannot be started or reached, or wants a secret that was not given.
        """
        server = self._make(self._servers[name])
        server.connect(cancellation)
        self._connected[name] = server
        return server.left_out

    def close(self) -> None:
        """End every server and connection."""
        for server in self._connected.values():
            server.close()
        self._connected.clear()
