"""What is wrong with the tools of a project: found when it is built, where the file and the key can still be named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from satchel.runtime.permissions.capabilities import parse_capability
from satchel.runtime.permissions.errors import CapabilityError
from satchel.runtime.project.errors import ProjectFormatError
from satchel.runtime.project.folder import MCP_FILE, SETTINGS_FILE, Project

if TYPE_CHECKING:
    from satchel.runtime.tools.mcp import RemoteServer, SpawnedServer

_SECRET = re.compile(r"authorization|cookie|token|secret|password|passwd|api[-_]?key|credential", re.IGNORECASE)


def check_tools(project: Project) -> None:
    """Refuse requests that are no capabilities, documents that are none, and secrets that would go into the pack.

    Raises:
        ProjectFormatError: names the file and the key.
        OpenApiError, McpFileError: of `actions/` and `mcp.json`; they name the file.
    """
    for name, tool in project.assistant.tools.items():
        for number, request in enumerate(tool.requests):
            try:
                parse_capability(request)
            except CapabilityError as error:
                where = f"tools.{name}.requests[{number}]"
                reason = f'"{request}" is no capability: {error.fields["reason"]}'
                raise ProjectFormatError(path=project.folder / SETTINGS_FILE, where=where, reason=reason) from error
    for path in project.action_files():
        from satchel.runtime.tools.openapi import parse_openapi

        parse_openapi(_text(path), str(path))
    if (servers := project.optional_file(MCP_FILE)) is not None and servers.stat().st_size:
        from satchel.runtime.tools.mcp_file import load_mcp_file

        for server in load_mcp_file(servers):
            _refuse_secrets(servers, server)


def _refuse_secrets(path: Path, server: SpawnedServer | RemoteServer) -> None:
    from satchel.runtime.tools.mcp import SpawnedServer

    spawned = isinstance(server, SpawnedServer)
    for name, value in (server.environment if isinstance(server, SpawnedServer) else server.headers).items():
        if _SECRET.search(name) and value and "${" not in value:
            where = f"mcpServers.{server.name}.{'env' if spawned else 'headers'}.{name}"
            instead = f"${{{_placeholder(name)}}}"
            reason = f"a secret would go into the pack; write {instead} for it, and give it with `satchel keys`"
            raise ProjectFormatError(path=path, where=where, reason=reason)


def _placeholder(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "secret"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectFormatError(path=path, where=f"byte {error.start}", reason="it is not UTF-8") from error
    except OSError as error:
        raise ProjectFormatError(path=path, where="reading", reason=(error.strerror or "failed").lower()) from error
