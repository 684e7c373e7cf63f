from __future__ import annotations

import time

import pytest
from helpers.python_processes import run_python

from satchel.builder.ago import ago, day_of
from satchel.builder.library.actions import name_of_copy
from satchel.builder.library.shelf import Fact, Shelf, arrange, facts, origin, read_shelf, remembered_shelf
from satchel.builder.sizes import size_words
from satchel.builder.widgets.avatar import avatar_colour, initials
from satchel.runtime.commands.library import LibraryEntry

NOW = time.mktime((2026, 11, 24, 12, 0, 0, 0, 0, -1))


def entry(name="Tide tutor", **more):
    return LibraryEntry(**{"reference": name, "kind": "project", "id": name, "name": name, **more})


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "just now"),
        (125, "2 min ago"),
        (3 * 3600, "3 h ago"),
        (13 * 3600, "yesterday"),
        (3 * 86400, "3 days ago"),
        (8 * 86400, "last week"),
        (21 * 86400, "3 weeks ago"),
        (70 * 86400, "2 months ago"),
        (900 * 86400, "2 years ago"),
        (-50, "just now"),
    ],
)
def test_times_are_told_as_people_say_them(seconds, said):
    assert ago(NOW - seconds, NOW) == said


def test_chats_stand_under_their_days():
    assert [day_of(NOW - days * 86400, NOW) for days in (0, 1, 3)] == ["Today", "Yesterday", "Last 7 days"]
    assert day_of(NOW - 40 * 86400, NOW) == "October 2026"


def test_every_typed_word_must_be_there():
    entries = [entry("Tide tutor", description="When the harbour floods."), entry("House rules", tools=("calculator",))]
    assert [found.name for found in arrange(entries, "harbour tide", "name")] == ["Tide tutor"]
    assert [found.name for found in arrange(entries, "CALC", "name")] == ["House rules"]
    assert arrange(entries, "harbour rules", "name") == []


def test_orders():
    entries = [entry("b", used=1.0), entry("a", changed=3.0), entry("c", used=2.0, changed=1.0)]
    assert [found.name for found in arrange(entries, "", "used")] == ["a", "c", "b"]
    assert [found.name for found in arrange(entries, "", "name")] == ["a", "b", "c"]
    assert [found.name for found in arrange(entries, "", "changed")] == ["a", "c", "b"]


def test_a_card_says_where_it_is_from_and_when_it_was_used():
    assert origin(entry(changed=NOW - 120), NOW) == "mine · saved 2 min ago"
    assert origin(entry(kind="pack", used=NOW - 86400), NOW) == "received · used yesterday"
    assert origin(entry(kind="sample", author="Satchel"), NOW) == "sample · by Satchel"
    assert origin(entry(kind="pack"), NOW) == "received"


def test_facts_of_a_card():
    plain = facts(entry(files=31), quotes=True)
    assert plain == [Fact("31 files", "file-text"), Fact("answers by quoting")]
    asking = facts(entry(files=1, links=2, tools=("a", "b", "c"), asks=True), quotes=True)
    assert [fact.text for fact in asking] == ["1 file", "2 linked folders", "a", "b", "1 more tools", "asks first"]
    assert asking[-1].tone == "amber"
    assert facts(entry(problem="gone"), quotes=True) == [Fact("cannot be opened", "circle-alert", "amber")]


def test_copies_are_numbered():
    assert name_of_copy("Tide tutor", {"Tide tutor"}) == "Tide tutor 2"
    assert name_of_copy("Tide tutor", {"Tide tutor 2", "Tide tutor 3"}) == "Tide tutor 4"


def test_initials_and_their_colour_stay():
    assert [initials(name) for name in ("Astronomy tutor", "x", "", "42 tides", "…")] == ["As", "X", "?", "42", "?"]
    assert avatar_colour("an id") == avatar_colour("an id")


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (4_200_000, "4.2 MB"), (98_300_000, "98.3 MB"), (2_500_000_000, "2.5 GB")],
)
def test_sizes(count, said):
    assert size_words(count) == said


def test_what_was_shown_last_is_shown_at_once_the_next_time_and_then_looked_up(person):
    assert remembered_shelf(person) == Shelf()
    shelf = read_shelf(person)
    assert remembered_shelf(person) == shelf
    (person.cache / "library.msgpack").write_bytes(b"\xc1 damaged")
    assert remembered_shelf(person) == Shelf()
    assert read_shelf(person) == shelf


@pytest.mark.usefixtures("person")
def test_what_is_remembered_is_read_without_packs_projects_or_chats():
    code = """
import sys
from satchel.builder.library.shelf import remembered_shelf
from satchel.runtime.paths import find_home
remembered_shelf(find_home())
heavy = ("satchel.runtime.packfile", "satchel.runtime.project", "satchel.runtime.session", "sqlite3")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    assert run_python(code).stdout.strip() == "[]"
