"""What a pack asks for, in plain words; a request names a capability and what it is for ("net.fetch example.org")."""

from __future__ import annotations

# Capability: (words without an argument, words with one).
_WORDS = {
    "net.fetch": ("read web pages from anywhere", "read web pages from {0}"),
    "net.search": ("search the web", "search the web with {0}"),
    "net.call": ("call web services anywhere", "call the web service at {0}"),
    "fs.read": ("read files on this computer", "read files in {0}"),
    "fs.write": ("change files on this computer", "change files in {0}"),
    "code.run": ("run code that it writes, inside the sandbox", "run code that it writes, inside the sandbox ({0})"),
    "mcp.spawn": ("start programs on this computer", "start this program on this computer: {0}"),
    "mcp.connect": ("connect to MCP servers", "connect to the MCP server at {0}"),
}


def request_in_words(request: str) -> str:
    """Return what a person who grants `request` lets happen; one that is not known here is quoted as it is."""
    capability, _, argument = request.partition(" ")
    if capability not in _WORDS:
        return f'use "{request}"'
    plain, about = _WORDS[capability]
    return about.format(argument) if argument else plain
