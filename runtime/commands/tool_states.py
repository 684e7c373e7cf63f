"""Which tools can work on this machine, and why others cannot; nothing is imported or contacted to find out."""

from __future__ import annotations

import importlib.util

import msgspec

from satchel.runtime.errors import SatchelError
from satchel.runtime.paths import Home
from satchel.runtime.sandbox.probes import SandboxState
from satchel.runtime.settings import load_settings

_EVERYWHERE = ("ask_user", "calculator", "clock", "files", "memory", "search_knowledge", "web_fetch")


class ToolState(msgspec.Struct, frozen=True):
    """One tool of this version."""

    name: str
    off: str = ""
    """Why it cannot be used here; empty: it can."""
    limited: str = ""
    """What it can do less; empty: nothing."""


class SandboxWay(msgspec.Struct, frozen=True):
    """One way of confining programs that was tried."""

    way: str
    problem: str = ""
    """Empty: every probe went as it must."""


def sandbox_ways(state: SandboxState) -> tuple[SandboxWay, ...]:
    """Return each way that was tried, and what its probes found."""
    return tuple(SandboxWay(one.confinement.in_words, one.problem) for one in state.probed)


def tool_states(state: SandboxState, home: Home) -> tuple[ToolState, ...]:
    """Return every tool by name."""
    no_sandbox = "" if state.confinement is not None else f"the sandbox is {state.in_words}"
    libraries = [name for name in ("numpy", "pandas", "matplotlib") if not _is_installed(name)]
    keeps_secrets = _is_installed("keyring") and _is_installed("cryptography")
    found = [ToolState(name) for name in _EVERYWHERE]
    found += [
        ToolState("http_action", limited="" if keeps_secrets else _extra("signin", "it cannot sign in")),
        ToolState("image", off=_no_image(home)),
        ToolState(
            "mcp",
            off="" if _is_installed("mcp") else _extra("mcp"),
            limited=f"servers over HTTP only: {no_sandbox}" if no_sandbox else "",
        ),
        ToolState(
            "python",
            off=no_sandbox,
            limited=_extra("interpreter", f"it has no {', '.join(libraries)}") if libraries else "",
        ),
        ToolState("web_search", limited="" if _is_installed("ddgs") else _extra("search", "with a SearXNG only")),
    ]
    return tuple(sorted(found, key=lambda one: one.name))


def _no_image(home: Home) -> str:
    try:
        settings = load_settings(home.settings)
    except SatchelError as error:
        return error.message
    return "" if settings.image.address else "no image endpoint is set: [image] address = … in settings.toml"


def _extra(extra: str, what: str = "") -> str:
    needs = f"needs the extra `{extra}`"
    return f"{what}; it {needs}" if what else f"it {needs}"


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
