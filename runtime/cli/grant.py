"""Show what an assistant asks for, and what you granted; grant, forbid, or take it back.

POWER is a tool's name (all that it asks for), "TOOL CAPABILITY" in quotes, or "all".
"""

from __future__ import annotations

import argparse
import datetime as dt

from satchel.runtime.cli.terminal import Terminal
from satchel.runtime.commands.grant import (
    AssistantGrants,
    approve_standing,
    change_grants,
    read_log,
    revoke_standing,
    take_as_own,
)
from satchel.runtime.errors import UsageError
from satchel.runtime.paths import find_home

_STATES = {"granted": "granted", "never": "never", "ask": "asks first"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the verb's arguments."""
    parser.add_argument("assistant", metavar="PACK_OR_FOLDER")
    parser.add_argument("--allow", action="append", default=[], metavar="POWER", help="always allow")
    parser.add_argument("--never", action="append", default=[], metavar="POWER", help="never allow")
    parser.add_argument("--revoke", action="append", default=[], metavar="POWER", help="take an answer back")
    parser.add_argument("--standing", metavar="NAME", help="answer calls like --call beforehand, until --until")
    parser.add_argument("--call", metavar="JSON", help='{"name": "…", "arguments": {…}}')
    parser.add_argument("--free", metavar="ARGUMENT=N", help="the argument that may differ, up to N characters")
    parser.add_argument("--until", metavar="DATE", help="the last day, as 2027-01-31")
    parser.add_argument("--revoke-standing", metavar="NAME", help="take a standing approval back")
    parser.add_argument("--as-own", action="store_true", help="take an unpacked folder for your own: its ticks grant")
    parser.add_argument("--log", action="store_true", help="show what its tools did, and what was decided")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Change what is asked for, then show what counts."""
    home = find_home()
    _refuse_mixed(arguments)
    if arguments.log:
        return _show_log(arguments, terminal)
    if arguments.standing is not None:
        told = _approve(arguments)
    elif arguments.as_own:
        told = take_as_own(arguments.assistant, home)
    elif arguments.revoke_standing is not None:
        told = revoke_standing(arguments.assistant, home, arguments.revoke_standing)
    else:
        told = change_grants(
            arguments.assistant, home, allow=arguments.allow, never=arguments.never, revoke=arguments.revoke
        )
    if arguments.json:
        terminal.json(told)
    else:
        _show(told, terminal)
    return 0


def _refuse_mixed(arguments: argparse.Namespace) -> None:
    """One thing at a time: what is asked for beside it would be left undone without a word."""
    given = {
        "--allow, --never or --revoke": arguments.allow or arguments.never or arguments.revoke,
        "--standing": arguments.standing is not None,
        "--revoke-standing": arguments.revoke_standing is not None,
        "--as-own": arguments.as_own,
        "--log": arguments.log,
    }
    if len(named := [option for option, is_given in given.items() if is_given]) > 1:
        raise UsageError(reason=f"{' and '.join(named)} cannot be done at once")
    if arguments.standing is None and (arguments.call or arguments.free or arguments.until):
        raise UsageError(reason="--call, --free and --until belong to --standing")


def _approve(arguments: argparse.Namespace) -> AssistantGrants:
    if not arguments.call or not arguments.until:
        raise UsageError(reason="--standing needs --call and --until")
    free, _, characters = (arguments.free or "").partition("=")
    if arguments.free and not characters.isdecimal():
        raise UsageError(reason=f'--free takes ARGUMENT=N, as "question=200", not "{arguments.free}"')
    try:
        until = dt.date.fromisoformat(arguments.until)
    except ValueError:
        raise UsageError(reason=f'--until takes a date as 2027-01-31, not "{arguments.until}"') from None
    return approve_standing(
        arguments.assistant,
        find_home(),
        name=arguments.standing,
        call=arguments.call,
        free=free,
        characters=int(characters or 0),
        until=until,
    )


def _show(told: AssistantGrants, terminal: Terminal) -> None:
    if not told.powers:
        terminal.print(f"{told.name} asks for nothing.")
        return
    terminal.print(f"{terminal.bold(told.name)} asks for:")
    for power in told.powers:
        terminal.print(f"  {_STATES[power.state]:<11} {power.tool}: {power.in_words}")
    for request in told.unknown:
        terminal.print(f"  {'never':<11} {request} (this version does not know it)")
    for approval in told.standing:
        last = dt.datetime.fromtimestamp(approval.until, tz=dt.UTC).astimezone().date()
        open_one = f", {approval.free.argument} may differ" if approval.free else ""
        terminal.print(f"  standing    {approval.name}: {approval.function or approval.tool}{open_one}, until {last}")
    if told.unpacked:
        terminal.note("It came in a pack, so that its tools ask first; with --as-own what it ticks is granted.")
    if told.widened:
        terminal.note("It asks for more than when you answered: nothing is granted until you answer again.")


def _show_log(arguments: argparse.Namespace, terminal: Terminal) -> int:
    records = read_log(arguments.assistant, find_home())
    if arguments.json:
        terminal.json({"records": records})
        return 0
    if not records:
        terminal.note("Its tools have done nothing yet.")
    for record in reversed(records):
        moment = dt.datetime.fromtimestamp(record.entry.at, tz=dt.UTC).astimezone()
        places = f" -> {', '.join(record.entry.destinations)}" if record.entry.destinations else ""
        terminal.print(
            f"{moment:%Y-%m-%d %H:%M}  {record.entry.kind:<9} {record.entry.tool}{places}: {record.entry.why}"
        )
    return 0
