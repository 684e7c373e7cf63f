"""What a person grants, forbids and takes back, and what is written down about it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from helpers.packs import manifest, plain_entries
from helpers.project_folders import write_project

from satchel.runtime.commands.duplicate import duplicate
from satchel.runtime.commands.grant import (
    approve_standing,
    change_grants,
    read_log,
    revoke_standing,
    show_grants,
    take_as_own,
)
from satchel.runtime.commands.unpack import unpack
from satchel.runtime.errors import UsageError
from satchel.runtime.packfile.schema_v1 import ToolUse
from satchel.runtime.packfile.writer import write_pack
from satchel.runtime.paths import Home
from satchel.runtime.permissions.errors import CapabilityError, StandingApprovalError
from satchel.runtime.tools.errors import ToolError

CALL = '{"name": "web_fetch", "arguments": {"address": "https://example.org/tides"}}'
TOMORROW = dt.date.today() + dt.timedelta(days=1)  # noqa: DTZ011 - a person's own calendar


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data", tmp_path / "cache", tmp_path / "settings")


def pack_with(tmp_path: Path, *tools: ToolUse) -> str:
    return str(write_pack(tmp_path / "a.pack", manifest(tools=tools), plain_entries().items()).path)


@pytest.fixture
def pack(tmp_path: Path) -> str:
    """A pack that asks to read two sites and to calculate."""
    return pack_with(
        tmp_path,
        ToolUse(name="calculator", settings={}, requests=()),
        ToolUse(name="web_fetch", settings={}, requests=("net.fetch *.example.org", "net.fetch example.org")),
    )


def states(told) -> dict[str, str]:
    return {f"{power.tool} {power.capability}".strip(): power.state for power in told.powers}


def test_a_pack_is_granted_nothing_at_first(pack, home):
    told = show_grants(pack, home)

    assert set(states(told).values()) == {"ask"}
    assert [power.in_words for power in told.powers if power.tool == "calculator"] == ["use calculator"]
    assert not told.widened


def test_ones_own_projects_ticked_tools_are_granted(tmp_path, home):
    folder = write_project(tmp_path / "tutor", settings="[tools.calculator]\n")

    assert states(show_grants(str(folder), home)) == {"calculator": "granted"}


def test_what_a_strangers_pack_ticked_is_granted_nothing_when_it_is_unpacked(pack, tmp_path, home):
    folder = unpack(Path(pack), tmp_path / "folder").folder

    told = show_grants(str(folder), home)

    assert set(states(told).values()) == {"ask"}
    assert told.unpacked
    assert set(states(show_grants(str(duplicate(pack, "Copy", home).folder), home)).values()) == {"ask"}


def test_an_unpacked_folder_that_its_person_takes_for_their_own_is_granted_what_it_ticks(pack, tmp_path, home):
    folder = str(unpack(Path(pack), tmp_path / "folder").folder)

    told = take_as_own(folder, home)

    assert set(states(told).values()) == {"granted"}
    assert not told.unpacked
    with pytest.raises(UsageError, match="no folder that was unpacked"):
        take_as_own(folder, home)


def test_what_a_project_was_granted_is_not_granted_to_an_unpacked_pack_of_the_same_id(pack, tmp_path, home):
    folder = str(unpack(Path(pack), tmp_path / "folder").folder)
    take_as_own(folder, home)
    change_grants(folder, home, allow=["all"])

    other = show_grants(str(unpack(Path(pack), tmp_path / "other").folder), home)

    assert set(states(other).values()) == {"ask"}


def test_an_answer_about_one_site_of_all_is_shown_and_taken_back_with_its_tool(tmp_path, home):
    pack = pack_with(tmp_path, ToolUse(name="web_fetch", settings={}, requests=("net.fetch",)))
    told = change_grants(pack, home, allow=["web_fetch net.fetch example.org"])
    assert states(told) == {"web_fetch net.fetch": "ask", "web_fetch net.fetch https://example.org": "granted"}

    assert states(change_grants(pack, home, revoke=["web_fetch"])) == {"web_fetch net.fetch": "ask"}


def test_what_was_never_answered_cannot_be_taken_back(pack, home):
    with pytest.raises(UsageError, match="granted or forbidden nothing"):
        change_grants(pack, home, revoke=["calculator"])


def test_a_tool_a_power_or_all_can_be_granted_and_taken_back(pack, home):
    assert states(change_grants(pack, home, allow=["calculator"]))["calculator"] == "granted"
    narrowed = change_grants(pack, home, allow=["web_fetch net.fetch example.org"])
    assert sorted(states(narrowed).values()) == ["ask", "granted", "granted"]
    assert set(states(change_grants(pack, home, allow=["all"])).values()) == {"granted"}
    assert states(change_grants(pack, home, revoke=["calculator"]))["calculator"] == "ask"
    assert set(states(change_grants(pack, home, revoke=["all"])).values()) == {"ask"}


def test_never_beats_what_was_granted(pack, home):
    change_grants(pack, home, allow=["all"])

    assert states(change_grants(pack, home, never=["calculator"]))["calculator"] == "never"


@pytest.mark.parametrize("named", ["rocket", "web_fetch net.fetch elsewhere.net", "web_fetch fs.read notes"])
def test_what_it_does_not_ask_for_cannot_be_granted(pack, home, named):
    with pytest.raises(UsageError, match="does not ask for"):
        change_grants(pack, home, allow=[named])


def test_what_is_no_capability_is_told(pack, home):
    with pytest.raises(CapabilityError):
        change_grants(pack, home, allow=["web_fetch teleport"])


def test_a_request_that_this_version_does_not_know_is_shown_and_never_granted(tmp_path, home):
    pack = pack_with(tmp_path, ToolUse(name="web_fetch", settings={}, requests=("teleport mars",)))

    assert show_grants(pack, home).unknown == ("teleport mars",)


def test_a_standing_approval_is_kept_shown_and_taken_back(pack, home):
    told = approve_standing(pack, home, name="daily", call=CALL, until=TOMORROW)

    assert [(one.name, one.tool, one.address) for one in told.standing] == [
        ("daily", "web_fetch", "https://example.org/tides")
    ]
    assert revoke_standing(pack, home, "daily").standing == ()
    with pytest.raises(UsageError, match="no standing approval"):
        revoke_standing(pack, home, "daily")


def test_a_standing_approval_ends_in_the_future_and_is_for_a_call_that_can_be_made(pack, home):
    with pytest.raises(StandingApprovalError, match="no date to come"):
        approve_standing(pack, home, name="daily", call=CALL, until=dt.date(2020, 1, 1))
    with pytest.raises((StandingApprovalError, UsageError), match="no date to come"):
        approve_standing(pack, home, name="daily", call=CALL, until=dt.date(1, 1, 1))
    with pytest.raises(ToolError, match="no function"):
        approve_standing(pack, home, name="daily", call='{"name": "rocket", "arguments": {}}', until=TOMORROW)
    with pytest.raises(UsageError, match="--call"):
        approve_standing(pack, home, name="daily", call="fetch it", until=TOMORROW)


def test_each_change_is_in_the_log(pack, home):
    change_grants(pack, home, allow=["calculator"])
    change_grants(pack, home, revoke=["calculator"])
    approve_standing(pack, home, name="daily", call=CALL, until=TOMORROW)

    kinds = [(record.entry.kind, record.entry.why.split(":")[0]) for record in reversed(read_log(pack, home))]
    assert kinds == [("granted", "always"), ("revoked", "revoked"), ("granted", "standing approval daily")]
