from __future__ import annotations

import pytest

from satchel.runtime.permissions.calls import Effect
from satchel.runtime.permissions.label_table import TABLE, UNKNOWN, Origin, effect_of, label_result
from satchel.runtime.permissions.labels import HIGHEST, LOWEST, WEB, Integrity, Label, only, result_of, typed_label

TYPED = typed_label(["https://a.org"])
NOTE = Label(Integrity.USER, only("https://b.org"))


@pytest.mark.parametrize(
    ("function", "label"),
    [
        ("calculator", WEB.joined(TYPED)),
        ("python", WEB.joined(TYPED).joined(NOTE)),
        ("clock", HIGHEST),
        ("ask_user", TYPED),
        ("search_knowledge", NOTE),
        ("memory_recall", NOTE),
        ("files_read", LOWEST),
        ("files_list", LOWEST),
        ("web_fetch", WEB),
        ("web_search", WEB),
        ("http_action", result_of("https://a.org")),
        ("mcp", result_of("https://a.org")),
        ("image_endpoint", result_of("https://a.org")),
        ("never heard of", result_of("https://a.org")),
    ],
)
def test_a_result_is_labelled_by_the_table(function, label):
    kept = [NOTE] if function in {"python", "search_knowledge", "memory_recall"} else []

    assert label_result(function, [WEB, TYPED], typed=TYPED, kept=kept, places=["https://a.org"]) == label


def test_a_result_from_nowhere_known_has_the_lowest_label():
    assert label_result("mcp", [TYPED], typed=TYPED) == LOWEST
    both = label_result("mcp", [], typed=TYPED, places=["https://a.org", "https://b.org"])
    assert both == Label(Integrity.UNTRUSTED, only())


def test_what_writes_changes_state_and_what_reaches_the_network_sends():
    changing = {name for name, row in TABLE.items() if row.changes_state}
    sending = {name for name, row in TABLE.items() if row.sends}

    assert changing == {"files_write", "memory_write", "http_action", "mcp"}
    assert sending == {"image_endpoint", "web_search", "web_fetch", "http_action", "http_action_read", "mcp"}
    assert UNKNOWN.changes_state
    assert UNKNOWN.sends
    assert {row.result for row in TABLE.values()} == set(Origin)


def test_an_effect_names_places_only_for_what_sends():
    assert effect_of("calculator", places=["https://a.org"], address="https://a.org/") == Effect()
    assert effect_of("files_write", places=["https://a.org"]) == Effect(changes_state=True)
    assert effect_of("web_search", places=["search:ddgs"]) == Effect(sends_to=("search:ddgs",))
    assert effect_of("web_fetch", address="https://a.org/x") == Effect(address="https://a.org/x")
    assert effect_of("new", places=["https://a.org"]) == Effect(changes_state=True, sends_to=("https://a.org",))


def test_nobody_can_change_the_table():
    with pytest.raises(TypeError):
        TABLE["mcp"] = TABLE["clock"]
