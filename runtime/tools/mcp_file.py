"""`mcp.json` of a project: its MCP servers, in the form that other programs use too (`{"mcpServers": {…}}`).

Unknown keys are errors. Secrets do not belong into it, because it goes into the pack: `${NAME}` in a header or an
environment stands for the person's secret `SERVER/NAME`, which is put in when the server is connected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from satchel.runtime.tools.errors import ToolError
from satchel.runtime.tools.mcp import RemoteServer, SpawnedServer
from satchel.runtime.tools.mcp_transports import server_address

_NAME = r"\A[a-z][a-z0-9_-]{0,31}\Z"
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_-]{1,100})\}")

_Line = Annotated[str, msgspec.Meta(max_length=2000, pattern=r"\A[^\x00-\x1f\x7f]*\Z")]
_Name = Annotated[str, msgspec.Meta(pattern=_NAME)]


class Secrets(Protocol):
    """Where the person's secrets are looked up."""

    def get(self, name: str) -> str | None:
        """Return the secret `SERVER/NAME`; None: it was not given."""


class McpFileError(ToolError):
    """{path}: {reason}."""

    exit_code = 59
    remedy = 'It is an object "mcpServers" of servers by name, each with a "command" and "args", or with a "url".'


class _Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str = ""
    command: _Line = ""
    args: list[_Line] = []
    env: dict[_Line, _Line] = {}
    readable: list[_Line] = []
    """Ours: folders that a spawned server may read."""
    url: _Line = ""
    headers: dict[_Line, _Line] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    servers: dict[_Name, _Server] = msgspec.field(name="mcpServers", default={})


def load_mcp_file(path: Path) -> tuple[SpawnedServer | RemoteServer, ...]:
    """Return the servers of a file, by name; without a file, none.

    Raises:
        McpFileError: names the key and what is wrong with it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise McpFileError(path=path, reason=(error.strerror or str(error)).lower()) from error
    return parse_mcp_file(content, path)


def parse_mcp_file(content: bytes, path: Path) -> tuple[SpawnedServer | RemoteServer, ...]:
    """Return the servers that a file's content names; `path` is what messages call it, and where `readable` starts.

    Raises:
        McpFileError: names the key and what is wrong with it.
    """
    try:
        file = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise McpFileError(path=path, reason=str(error)) from error
    return tuple(_server(path, name, one) for name, one in sorted(file.servers.items()))


def secrets_of(server: SpawnedServer | RemoteServer) -> tuple[str, ...]:
    """Return the names of the secrets that a server wants."""
    values = server.environment if isinstance(server, SpawnedServer) else server.headers
    return tuple(sorted({name for value in values.values() for name in _PLACEHOLDER.findall(value)}))


def with_secrets(server: SpawnedServer | RemoteServer, store: Secrets) -> SpawnedServer | RemoteServer:
    """Return a server whose placeholders hold the person's secrets.

    Raises:
        McpFileError: one was not given.
    """
    if isinstance(server, SpawnedServer):
        return SpawnedServer(
            server.name, server.command, server.readable, _filled(server.name, server.environment, store)
        )
    return RemoteServer(server.name, server.address, _filled(server.name, server.headers, store))


def _server(path: Path, name: str, one: _Server) -> SpawnedServer | RemoteServer:
    if bool(one.command) == bool(one.url):
        raise McpFileError(path=path, reason=f"{name} needs a `command` or a `url`, and not both")
    if one.url:
        if one.args or one.env or one.readable or one.type not in ("", "http", "streamable-http"):
            raise McpFileError(path=path, reason=f"{name} has a `url`, and keys that belong to another kind of server")
        try:
            address = server_address(one.url)
        except ToolError as error:
            raise McpFileError(path=path, reason=f"{name}: {error.message}") from error
        return RemoteServer(name, address.text, dict(one.headers))
    if one.headers or one.type not in ("", "stdio"):
        raise McpFileError(path=path, reason=f"{name} has a `command`, and keys that belong to another kind of server")
    readable = tuple(path.parent / folder for folder in one.readable)
    return SpawnedServer(name, (one.command, *one.args), readable, dict(one.env))


def _filled(server: str, values: Mapping[str, str], store: Secrets) -> dict[str, str]:
    def secret(found: re.Match[str]) -> str:
        if (value := store.get(f"{server}/{found[1]}")) is None:
            raise McpFileError(path="mcp.json", reason=f"{server} wants the secret {found[1]}, which was not given")
        return value

    return {name: _PLACEHOLDER.sub(secret, value) for name, value in values.items()}
