"""The tool `mcp`: a server of the Model Context Protocol, spawned in the sandbox or reached over HTTP.

Nothing is spawned or connected before `connect`, which the session calls once the person has granted it. What a server
says of its tools (descriptions, schemas, "read only") is its own word: the label table knows only that they are its.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
import shutil
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from satchel.runtime.permissions.capabilities import Capability, parse_capability
from satchel.runtime.sandbox.policy import Policy
from satchel.runtime.sandbox.probes import SandboxState
from satchel.runtime.tools.arguments import ArgumentChecker, SchemaError
from satchel.runtime.tools.base import Arguments, Artefact, CallContext, Cancellation, Function, ToolResult
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.errors import ToolError, ToolOffError
from satchel.runtime.tools.mcp_connection import McpConnection, McpError
from satchel.runtime.tools.mcp_transports import StandardError, egress_client, sandboxed_stdio, server_address

_MOST_DESCRIPTION = 1000
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class SpawnedServer:
    """A server that is a program of this machine."""

    name: str
    command: tuple[str, ...]
    readable: tuple[Path, ...] = ()
    """Files and folders that the person lets it read, its own program among them where it lies in no system folder."""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Who gets to see the arguments of a call."""
        return f"mcp:{self.name}"

    @property
    def capability(self) -> Capability:
        """What granting it lets happen; the command is shown in full."""
        return parse_capability(f"mcp.spawn {shlex.join(self.command)}")


@dataclass(frozen=True, slots=True)
class RemoteServer:
    """A server that is reached over HTTP ("streamable HTTP")."""

    name: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Such as `Authorization`, from the person's secrets."""

    @property
    def place(self) -> str:
        """Who gets to see the arguments of a call."""
        return server_address(self.address).place

    @property
    def capability(self) -> Capability:
        """What granting it lets happen."""
        return parse_capability(f"mcp.connect {server_address(self.address).text}")


class Mcp:
    """One server's tools; without functions until `connect`."""

    def __init__(self, server: SpawnedServer | RemoteServer, sandbox: SandboxState, egress: Egress) -> None:
        self._server, self._sandbox, self._egress = server, sandbox, egress
        self._connection: McpConnection | None = None
        self._functions: tuple[Function, ...] = ()
        self.left_out: tuple[str, ...] = ()
        """Tools whose schema cannot be used, with the reason."""

    @property
    def name(self) -> str:
        """The server's, as in `mcp.json`."""
        return self._server.name

    @property
    def server(self) -> SpawnedServer | RemoteServer:
        """Which server it is."""
        return self._server

    @property
    def problem(self) -> str:
        """Why it is off on this machine; empty: it is not. A remote server works everywhere."""
        if isinstance(self._server, RemoteServer) or self._sandbox.confinement is not None:
            return ""
        return f"a spawned MCP server runs in the sandbox, which is {self._sandbox.in_words}"

    @property
    def functions(self) -> tuple[Function, ...]:
        """One for each of the server's tools, once connected."""
        return self._functions

    def connect(self, cancellation: Cancellation | None = None) -> None:
        """Start or reach the server and ask what it can do; a second call does nothing.

        Raises:
            ToolOffError: there is no sandbox for it.
            CancelledError: somebody cancelled.
            McpError: it cannot be started or reached, or speaks no MCP.
            MissingExtraError: the SDK is not installed.
        """
        if self._connection is not None:
            return
        if self.problem:
            raise ToolOffError(tool=self.name, reason=self.problem)
        connection = McpConnection(self.name, self._transport, cancellation)
        functions, left_out = [], []
        try:
            for tool in connection.tools():
                try:
                    functions.append(self._function(connection, tool))
                except SchemaError as error:
                    left_out.append(f"{tool.name}: {error.message}")
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._functions, self.left_out = _distinct(functions), tuple(left_out)

    def close(self) -> None:
        """End the server or the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._functions = ()

    def _transport(self, errors: list[StandardError]) -> AbstractAsyncContextManager[tuple[Any, Any]]:
        if isinstance(self._server, SpawnedServer):
            program = shutil.which(self._server.command[0])
            if program is None:
                raise McpError(server=self.name, reason=f"there is no program {self._server.command[0]}")
            policy = Policy(
                readable=self._server.readable,
                environment=self._server.environment,
                may_fork=True,
                # Node reserves address space by the gigabyte, and uses little of it.
                memory_bytes=32 << 30,
                resident_bytes=2 << 30,
            )
            return sandboxed_stdio([program, *self._server.command[1:]], policy, self._sandbox.require(), errors)
        from mcp.client.streamable_http import streamable_http_client

        address = server_address(self._server.address)
        return streamable_http_client(address.text, http_client=egress_client(self._egress, self._server.headers))

    def _function(self, connection: McpConnection, tool: Any) -> Function:
        name = _NO_NAME.sub("_", f"{self.name}_{tool.name}")[:64]
        schema = dict(tool.input_schema or {})
        schema.setdefault("type", "object")
        ArgumentChecker(name, schema)
        server, remote_name = self._server, str(tool.name)
        return Function(
            name=name,
            description=str(tool.description or tool.title or remote_name)[:_MOST_DESCRIPTION],
            parameters=schema,
            run=lambda arguments, context: _run(server.name, connection, remote_name, arguments, context),
            row="mcp",
            needs=lambda _arguments: (server.capability,),
            destinations=lambda _arguments: (server.place,),
            described_by=server.place,
            seconds=120.0,
        )


def _run(server: str, connection: McpConnection, name: str, arguments: Arguments, context: CallContext) -> ToolResult:
    context.progress(f"calling {server}", 0, None)
    result = connection.call(name, arguments, context)
    texts, artefacts = list[str](), list[Artefact]()
    for number, part in enumerate(result.content or ()):
        kind = getattr(part, "type", "")
        if kind == "text":
            texts.append(part.text)
        elif kind in ("image", "audio"):
            artefacts.append(_artefact(f"{name}-{number}", part.mime_type, part.data))
        elif kind == "resource":
            texts.append(getattr(part.resource, "text", "") or f"[a resource: {part.resource.uri}]")
        elif kind == "resource_link":
            texts.append(f"[a resource: {part.uri}]")
    text = "\n".join(texts)
    if result.is_error:
        raise ToolError(reason=f"{server} says: {text[:2000] or 'the call failed'}")
    return ToolResult(text or ("(files only)" if artefacts else "(nothing)"), tuple(artefacts))


def _artefact(name: str, media_type: str, data: str) -> Artefact:
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    ending = _NO_NAME.sub("", media_type.partition("/")[2])[:8]
    return Artefact(f"{name}.{ending}", media_type, content)


def _distinct(functions: list[Function]) -> tuple[Function, ...]:
    """Return the functions with one for each name: of two that differ only in what was cut off, the first."""
    return tuple({function.name: function for function in reversed(functions)}.values())[::-1]
