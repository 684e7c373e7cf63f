"""The tools that there are, without a widget: what each does, what it may touch, and how `[tools.NAME]` says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from satchel.builder.language import translate
from satchel.runtime.packfile.requests import request_in_words
from satchel.runtime.permissions.capabilities import parse_capability
from satchel.runtime.project.schema import Tool


@dataclass(frozen=True, slots=True)
class ToolKind:
    """A tool that can be ticked."""

    name: str
    icon: str
    title: str
    does: str
    powers: tuple[str, ...] = ()
    """Kinds of capability that it needs, such as `net.fetch`."""
    asks: str = ""
    """What its one setting is called; empty: it has none."""
    example: str = ""
    hint: str = ""


def tool_kinds() -> tuple[ToolKind, ...]:
    """Return the tools of this version, those that touch nothing first."""
    return (
        ToolKind(
            "calculator",
            "calculator",
            translate("Tools", "Calculator"),
            translate("Tools", "Computes exactly: arithmetic, percentages, units."),
        ),
        ToolKind("clock", "clock", translate("Tools", "Clock"), translate("Tools", "Tells date, time and weekday.")),
        ToolKind(
            "search_knowledge",
            "book-open",
            translate("Tools", "Search again"),
            translate("Tools", "Searches its own files with words of its choice."),
        ),
        ToolKind(
            "ask_user",
            "messages-square",
            translate("Tools", "Ask back"),
            translate("Tools", "Asks you a question in the middle of an answer."),
        ),
        ToolKind(
            "memory",
            "pencil",
            translate("Tools", "Memory"),
            translate("Tools", "Keeps short notes about you for later chats; you can read and delete them."),
        ),
        ToolKind(
            "python",
            "code",
            translate("Tools", "Run code"),
            translate("Tools", "Writes and runs Python, draws plots, makes files."),
            ("code.run",),
        ),
        ToolKind(
            "files",
            "folder-open",
            translate("Tools", "Files"),
            translate("Tools", "Lists and reads files in folders that you pick, and changes them where you allow it."),
            ("fs.read",),
            translate("Tools", "Names of the folders"),
            "Notes, Letters",
            translate("Tools", "Whoever uses the assistant picks a folder for each name."),
        ),
        ToolKind(
            "web_fetch",
            "globe",
            translate("Tools", "Read web pages"),
            translate("Tools", "Reads a page whose address it is given or finds."),
            ("net.fetch",),
            translate("Tools", "Only from these sites"),
            "example.org, *.example.net",
            translate("Tools", "Empty: from anywhere, and it asks you each time."),
        ),
        ToolKind(
            "web_search",
            "search",
            translate("Tools", "Search the web"),
            translate("Tools", "Looks for pages with a search engine."),
            ("net.search",),
            translate("Tools", "Your own SearXNG"),
            "https://searx.example.org",
            translate("Tools", "Empty: DuckDuckGo, where the extra `search` is installed."),
        ),
        ToolKind(
            "image",
            "image",
            translate("Tools", "Paint pictures"),
            translate("Tools", "Has a picture painted by the endpoint that your settings name."),
            ("net.call",),
            translate("Tools", "Only by this painter"),
            "http://127.0.0.1:7860",
            translate("Tools", "Empty: by whichever the settings name."),
        ),
        ToolKind(
            "http_action",
            "plug",
            translate("Tools", "Web services"),
            translate("Tools", "Calls the services whose OpenAPI documents lie in the assistant's folder `actions`."),
            ("net.call",),
            translate("Tools", "Only at these places"),
            "api.example.org",
            translate("Tools", "Empty: wherever the documents say, and it asks you each time."),
        ),
        ToolKind(
            "mcp",
            "terminal",
            translate("Tools", "MCP servers"),
            translate("Tools", "Uses the servers that the assistant's `mcp.json` names."),
            ("mcp.connect", "mcp.spawn"),
            translate("Tools", "Only these"),
            "https://mcp.example.org, npx -y a-server",
            translate("Tools", "Addresses, or the commands that start them. Empty: all that the file names."),
        ),
    )


def touches(kind: ToolKind, tool: Tool | None) -> str:
    """Return what a tool may touch, in one line: as it is ticked, or as it would be."""
    requests = tool.requests if tool is not None else list(kind.powers)
    if not requests:
        return translate("Tools", "Touches nothing.")
    said = "; ".join(request_in_words(request) for request in requests)
    return translate("Tools", "May {what}.", what=said)


def setting_of(kind: ToolKind, tool: Tool) -> str:
    """Return what its field shows."""
    arguments = [request.partition(" ")[2] for request in tool.requests]
    if kind.name == "web_search":
        return str(tool.settings.get("searxng", ""))
    if kind.name != "mcp":  # there the scheme tells an address from a command
        arguments = [argument.removeprefix("https://") for argument in arguments]
    return ", ".join(dict.fromkeys(argument for argument in arguments if argument))


def made(kind: ToolKind, typed: str = "", before: Tool | None = None) -> Tool:
    """Return the `[tools.NAME]` of a ticked tool whose field holds `typed`; settings that have no field stay.

    Raises:
        CapabilityError: what was typed is no host, folder or address.
    """
    settings = dict(before.settings) if before is not None else {}
    words = [word.strip() for word in typed.replace("\n", ",").split(",") if word.strip()]
    if kind.name == "web_search":
        settings.pop("searxng", None)
        if words:
            settings["searxng"] = words[0]
        return Tool(settings=settings, requests=[_canonical(f"net.search {words[0] if words else 'ddgs'}")])
    if kind.name == "mcp" and words:
        kinds = (("mcp.connect" if "://" in word else "mcp.spawn", word) for word in words)
        return Tool(settings=settings, requests=[_canonical(f"{power} {word}") for power, word in kinds])
    powers = list(kind.powers)
    if kind.name == "files" and before is not None and any(line.startswith("fs.write") for line in before.requests):
        powers.append("fs.write")
    if words:
        return Tool(settings=settings, requests=[_canonical(f"{power} {word}") for power in powers for word in words])
    return Tool(settings=settings, requests=powers)


def with_writing(tool: Tool, *, allowed: bool) -> Tool:
    """Return the tool `files` with or without the power to change what it reads."""
    reading = [line for line in tool.requests if not line.startswith("fs.write")]
    writing = [line.replace("fs.read", "fs.write", 1) for line in reading] if allowed else []
    return msgspec.structs.replace(tool, requests=reading + writing)


def may_write(tool: Tool) -> bool:
    """Tell whether it may change files."""
    return any(line.startswith("fs.write") for line in tool.requests)


def unknown_tools(tools: Mapping[str, Tool]) -> list[str]:
    """Return the names that `assistant.toml` has and this version does not know."""
    return sorted(set(tools) - {kind.name for kind in tool_kinds()})


def _canonical(request: str) -> str:
    return str(parse_capability(request))
