"""An MCP server of a harbour, by the official SDK; well-behaved but for the tools that are there to misbehave."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from pathlib import Path

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ImageContent

server = MCPServer("harbour")


@server.tool(description="Add two lengths.")
def add(a: float, b: float) -> str:
    return f"{a + b:g}"


@server.tool(description="Draw the harbour.")
def picture() -> ImageContent:
    return ImageContent(type="image", mime_type="image/png", data=base64.b64encode(b"\x89PNG").decode())


@server.tool(description="Fail.")
def fail() -> str:
    raise ToolError("the tide is out")


@server.tool(description="Never answer.")
async def hang() -> str:
    await asyncio.Event().wait()
    return ""


@server.tool(description="Say a lot.")
def long() -> str:
    return "x" * 5_000_000


@server.tool(description="End the server.")
def die() -> str:
    sys.stderr.write("the harbour is on fire\n")
    sys.stderr.flush()
    os._exit(3)


@server.tool(description="Look around.")
def look(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        return str(error)


@server.tool(description="Tell the environment.")
def environment() -> str:
    return ",".join(sorted(os.environ))


if __name__ == "__main__":
    if "--http" in sys.argv:
        server.run("streamable-http", port=int(sys.argv[sys.argv.index("--http") + 1]))
    else:
        server.run("stdio")
