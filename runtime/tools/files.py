"""The tool `files`: reading, writing and listing in folders that the person picked.

The model names a folder by the name that the person sees, and a file by its name below it; both go through
`sandbox.beneath`, so that no name and no link leads out. It never sees or writes a path of this computer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from satchel.runtime.permissions.capabilities import Capability, Kind, parse_capability
from satchel.runtime.permissions.errors import CapabilityError
from satchel.runtime.sandbox import beneath
from satchel.runtime.tools.base import Arguments, CallContext, Function, ToolResult, object_schema
from satchel.runtime.tools.document_text import read_text
from satchel.runtime.tools.errors import ToolError
from satchel.runtime.worker.launching import Launch, launch_plainly

_MOST_LISTED = 500
_MOST_READ_BYTES = 8 << 20
_MOST_WRITTEN = 200_000
_LINES_A_PAGE = 400


@dataclass(frozen=True, slots=True)
class PickedFolder:
    """A folder that the person picked for an assistant."""

    path: Path
    writable: bool = False


class Files:
    """The tool `files`, over folders by their names."""

    name = "files"

    def __init__(self, folders: Mapping[str, PickedFolder], *, launch: Launch = launch_plainly) -> None:
        """`launch` starts the reader of documents: in the sandbox, where there is one."""
        self._folders, self._launch = dict(folders), launch

    @property
    def functions(self) -> tuple[Function, ...]:
        """`files_list`, `files_read`, and `files_write` where a folder may be written."""
        named = ", ".join(self._folders) or "none yet"
        folder = {"type": "string", "minLength": 1, "maxLength": 200, "description": f"One of: {named}"}
        name = {
            "type": "string",
            "minLength": 1,
            "maxLength": 500,
            "description": "Its name below the folder, as listed",
        }
        functions = [
            Function(
                name="files_list",
                description=f"List the files in one of the person's folders ({named}).",
                parameters=object_schema({"folder": folder}),
                run=self._list,
                needs=lambda arguments: (_capability(Kind.FS_READ, arguments["folder"]),),
            ),
            Function(
                name="files_read",
                description="Read a file in one of the person's folders: text, PDF, Word, slides, a table, …",
                parameters=object_schema(
                    {"folder": folder, "file": name}, {"from_line": {"type": "integer", "minimum": 1}}
                ),
                run=self._read,
                needs=lambda arguments: (_capability(Kind.FS_READ, arguments["folder"], arguments["file"]),),
            ),
        ]
        if any(one.writable for one in self._folders.values()):
            functions.append(
                Function(
                    name="files_write",
                    description="Write a text file in one of the person's folders; one of that name is replaced.",
                    parameters=object_schema(
                        {"folder": folder, "file": name, "text": {"type": "string", "maxLength": _MOST_WRITTEN}}
                    ),
                    run=self._write,
                    needs=lambda arguments: (_capability(Kind.FS_WRITE, arguments["folder"], arguments["file"]),),
                )
            )
        return tuple(functions)

    def close(self) -> None:
        """Hold nothing: folders are opened for each call."""

    def _list(self, arguments: Arguments, context: CallContext) -> ToolResult:
        lines = []
        root = self._open(arguments["folder"])
        try:
            for file in beneath.walk_files(root, max_files=_MOST_LISTED + 1):
                context.check()
                lines.append(f"{file.name} ({file.size:,} bytes)")
        finally:
            os.close(root)
        lines.sort()
        if len(lines) > _MOST_LISTED:
            lines = [*lines[:_MOST_LISTED], "and more"]
        return ToolResult("\n".join(lines) or "The folder is empty.")

    def _read(self, arguments: Arguments, context: CallContext) -> ToolResult:
        root = self._open(arguments["folder"])
        try:
            content = beneath.read_file(root, arguments["file"], max_bytes=_MOST_READ_BYTES)
        except OSError as error:
            raise _unusable(arguments, error) from error
        finally:
            os.close(root)
        lines = _text(content, arguments["file"], context, self._launch).splitlines()
        start = arguments.get("from_line", 1) - 1
        page = lines[start : start + _LINES_A_PAGE]
        rest = len(lines) - start - len(page)
        more = f"\n[{rest} more lines; go on with from_line {start + len(page) + 1}]" if rest > 0 else ""
        return ToolResult("\n".join(page) + more if page else "Nothing is there.")

    def _write(self, arguments: Arguments, _context: CallContext) -> ToolResult:
        picked = self._picked(arguments["folder"])
        if not picked.writable:
            raise ToolError(reason=f"The folder {arguments['folder']} may only be read")
        root = self._open(arguments["folder"])
        content = arguments["text"].encode(errors="replace")
        try:
            beneath.write_file(root, arguments["file"], content)
        except OSError as error:
            raise _unusable(arguments, error) from error
        finally:
            os.close(root)
        return ToolResult(f"Written: {arguments['file']} ({len(content):,} bytes)")

    def _picked(self, name: str) -> PickedFolder:
        if (picked := self._folders.get(name)) is None:
            raise ToolError(
                reason=f"There is no folder {name!r}. Those that there are: {', '.join(self._folders) or 'none'}"
            )
        return picked

    def _open(self, name: str) -> int:
        try:
            return os.open(self._picked(name).path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        except OSError as error:
            raise ToolError(reason=f"The folder {name} cannot be opened ({(error.strerror or '').lower()})") from error


def _text(content: bytes, name: str, context: CallContext, launch: Launch) -> str:
    """Return a file's text: as it is, else as the document reader finds it in a PDF and the like.

    Raises:
        ToolError: there is no text in it.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return read_text(content, PurePosixPath(name).suffix, name, context, launch=launch)


def _capability(kind: Kind, *parts: str) -> Capability:
    """Return the power over one folder or file in it, in its one spelling.

    Raises:
        ToolError: a name that is none, such as `../x`.
    """
    try:
        return parse_capability(f"{kind} {'/'.join(parts)}")
    except CapabilityError as error:
        raise ToolError(
            reason=f"{'/'.join(parts)!r} is no name of a file in a folder: {error.fields['reason']}"
        ) from error


def _unusable(arguments: Arguments, error: OSError) -> ToolError:
    return ToolError(reason=f"{arguments['file']} cannot be used ({(error.strerror or str(error)).lower()})")
