"""An assistant's own descriptions of tools: `actions/*.openapi.json` and `mcp.json`, read when they are asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from satchel.runtime.errors import SatchelError
from satchel.runtime.packfile.verified import VerifiedPack
from satchel.runtime.project.folder import ACTIONS_FOLDER, MCP_FILE, Project

if TYPE_CHECKING:
    from satchel.runtime.tools.mcp import RemoteServer, SpawnedServer
    from satchel.runtime.tools.openapi import Operation

_ACTION_SUFFIX = ".openapi.json"


@dataclass(frozen=True, slots=True)
class ActionFile:
    """One OpenAPI document."""

    name: str
    """Short, as in `harbour/key`: of `actions/harbour.openapi.json`, `harbour`."""
    operations: tuple[Operation, ...] = ()
    left_out: tuple[str, ...] = ()
    """Operations that cannot be called from here, with the reason."""
    problem: str = ""
    """Why it cannot be used; names the file."""


@dataclass(frozen=True, slots=True)
class ToolFiles:
    """Where they lie: in a project's folder, or in a pack; without both there are none."""

    project: Project | None = None
    pack: VerifiedPack | None = None

    def actions(self) -> tuple[ActionFile, ...]:
        """Return the documents by name; one that cannot be used says why."""
        return tuple(_action(name, content, self._place(name)) for name, content in self._contents(ACTIONS_FOLDER))

    def servers(self) -> tuple[SpawnedServer | RemoteServer, ...]:
        """Return the MCP servers by name.

        A pack's word on which folders of this computer a server may read counts for nothing.

        Raises:
            McpFileError: the file is not what it must be.
        """
        # Here, because most assistants have no such tools.
        from satchel.runtime.tools.mcp import SpawnedServer
        from satchel.runtime.tools.mcp_file import parse_mcp_file

        servers: tuple[SpawnedServer | RemoteServer, ...] = ()
        for name, content in self._contents(MCP_FILE):
            servers = parse_mcp_file(content, self._place(name))
        if self.project is not None and not self.project.assistant.unpacked_from:
            return servers
        return tuple(
            SpawnedServer(one.name, one.command, (), one.environment) if isinstance(one, SpawnedServer) else one
            for one in servers
        )

    def _contents(self, part: str) -> Iterator[tuple[str, bytes]]:
        """Yield the files of a part of the assistant, a file or a folder, by name."""
        if self.project is not None:
            paths = [self.project.optional_file(MCP_FILE)] if part == MCP_FILE else self.project.action_files()
            for path in paths:
                if path is not None:
                    yield path.relative_to(self.project.folder).as_posix(), path.read_bytes()
        elif self.pack is not None:
            with contextlib.closing(self.pack.open()) as pack:
                for name in pack.names:
                    if name == part or name.startswith(f"{part}/"):
                        yield name, pack.read(name)

    def _place(self, name: str) -> Path:
        if self.project is not None:
            return self.project.folder / name
        assert self.pack is not None  # or there would be no file
        return self.pack.path / name


def _action(name: str, content: bytes, place: Path) -> ActionFile:
    from satchel.runtime.tools.openapi import read_openapi

    short = PurePosixPath(name).name.removesuffix(_ACTION_SUFFIX)
    try:
        document = read_openapi(content.decode("utf-8-sig", "replace"), str(place))
        return ActionFile(short, document.operations, document.left_out)
    except SatchelError as error:
        return ActionFile(short, problem=error.message)
