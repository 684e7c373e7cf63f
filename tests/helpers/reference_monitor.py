"""A second, independent statement of DESIGN 5's decision, for comparing with the broker.

It shares no code with `runtime/permissions`: a call is a dictionary of plain text, labels are (number, set of places or
None for everyone), and the verdict is read off a table of facts instead of a chain of returns.
"""

from __future__ import annotations

import json

UNTRUSTED, PACK, USER = 0, 1, 2


def enough(held: str, needed: str) -> bool:
    """Say whether the power `held` ("net.fetch https://a.org") includes `needed`."""
    held_kind, _, pattern = held.partition(" ")
    kind, _, wanted = needed.partition(" ")
    options = [pattern == "", pattern == wanted]
    if kind.startswith("fs."):
        options.append(wanted.split("/")[: len(pattern.split("/"))] == pattern.split("/"))
    if "://*." in pattern:
        scheme, parent = pattern.split("://*")
        host = wanted.removeprefix(f"{scheme}://")
        options.append(host != wanted and host.endswith(parent))
    if kind == "mcp.connect" and pattern:
        options.append("/".join(wanted.split("/")[:3]) == pattern)
    return held_kind == kind and any(options)


def place(url: str) -> str:
    return "/".join(url.split("/")[:3])


def named(powers: list[tuple[str, str]]) -> set[str]:
    """Return the places that granted powers name."""
    places = set()
    for _, power in powers:
        kind, _, argument = power.partition(" ")
        if argument and "*" not in argument and kind in {"net.fetch", "net.call", "net.search", "mcp.connect"}:
            places.add(place(argument) if "://" in argument else f"search:{argument}")
    return places


def covered(call: dict, approval: dict, now: float) -> bool:
    """Say whether a standing approval speaks for this call."""
    given = dict(call["arguments"])
    free = approval.get("free")
    fits = True
    if free:
        text = given.pop(free, None)
        fits = isinstance(text, str) and len(text) <= approval["characters"]
    same = json.dumps(given, sort_keys=True) == json.dumps(approval["arguments"], sort_keys=True)
    return all(
        (
            fits,
            same,
            now < approval["until"],
            call["tool"] == approval["tool"],
            call["url"] == approval["url"],
            set(destinations(call)) == set(approval["destinations"]),
        )
    )


def destinations(call: dict) -> list[str]:
    return [*call["sends_to"], *([place(call["url"])] if call["url"] else [])]


def verdict(state: dict, call: dict, labels: dict) -> str:
    """Return "deny", "allow", or "ask" with the part of the rule: "ask a", "ask b", "ask c", "ask grant"."""
    tool, needs = call["tool"], call["needs"]
    asked_for = state["requests"].get(tool)
    integrity, _ = state["context"]
    tainted = integrity == UNTRUSTED

    not_requested = asked_for is None or any(not [p for p in asked_for if enough(p, need)] for need in needs)
    forbidden = [
        power
        for who, power in state["never"]
        if who == tool and (not power or any(enough(power, n) or enough(n, power) for n in needs))
    ]
    mine = [power for who, power in state["allowed"] if who == tool]
    granted = bool(mine) if not needs else all([p for p in mine if p and enough(p, need)] for need in needs)
    answered = call in state["once"] or any(covered(call, each, state["now"]) for each in state["standing"])

    leaks = False
    for name in call["arguments"]:
        _, readers = labels.get(name, (UNTRUSTED, set()))
        leaks |= readers is not None and bool(set(destinations(call)) - readers)
    ours = call["url"] in state["typed"] | state["links"] or place(call["url"]) in named(state["allowed"])

    holds = {
        "a": tainted and call["changes"],
        "b": leaks and (tainted or state["received"]),
        "c": tainted and call["url"] != "" and not ours,
    }
    if not_requested or forbidden:
        return "deny"
    if answered:
        return "allow"
    parts = [part for part, true in holds.items() if true]
    if parts:
        return f"ask {parts[0]}"
    return "allow" if granted else "ask grant"
