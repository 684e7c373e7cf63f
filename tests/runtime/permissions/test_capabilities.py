from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.packfile.requests import request_in_words
from satchel.runtime.permissions.capabilities import Capability, Kind, Requests, parse_capability, parse_requests
from satchel.runtime.permissions.errors import CapabilityError


@pytest.mark.parametrize(
    ("request_text", "spelling"),
    [
        ("net.fetch", "net.fetch"),
        ("net.fetch Example.ORG", "net.fetch https://example.org"),
        ("net.fetch https://example.org:443/", "net.fetch https://example.org"),
        ("net.fetch http://example.org", "net.fetch http://example.org"),
        ("net.fetch example.org:8443", "net.fetch https://example.org:8443"),
        ("net.fetch *.Example.org", "net.fetch https://*.example.org"),
        ("net.fetch http://*.example.org:81", "net.fetch http://*.example.org:81"),
        ("net.fetch bücher.example", "net.fetch https://xn--bcher-kva.example"),
        ("net.search ddgs", "net.search ddgs"),
        ("net.search searx.example", "net.search https://searx.example"),
        ("net.call api.example", "net.call https://api.example"),
        ("fs.read notes/2024", "fs.read notes/2024"),
        ("fs.read my notes/2024", "fs.read my notes/2024"),
        ("code.run", "code.run"),
        ("code.run pandas", "code.run pandas"),
        ("mcp.spawn npx  'a b' --all", "mcp.spawn npx 'a b' --all"),
        ("mcp.connect host.example/mcp?x=1", "mcp.connect https://host.example/mcp?x=1"),
        ("mcp.connect https://host.example/", "mcp.connect https://host.example"),
    ],
)
def test_a_request_has_one_spelling(request_text, spelling):
    found = parse_capability(request_text)

    assert str(found) == spelling
    assert parse_capability(spelling) == found
    assert found.in_words == request_in_words(spelling)


@pytest.mark.parametrize(
    ("request_text", "reason"),
    [
        ("", "the kinds are"),
        ("quantum.leap far", "the kinds are"),
        ("Net.fetch a.org", "the kinds are"),
        ("net.fetch ", "a host"),
        ("net.fetch *.org", "a host"),
        ("net.fetch *", "a host"),
        ("net.fetch a.*.org", "a host"),
        ("net.fetch *.a.org/path", "a host"),
        ("net.fetch ftp://a.org", "a host"),
        ("net.fetch a.org/path", "a host"),
        ("net.fetch me@a.org", "a host"),
        ("net.fetch a b", "a host"),
        ("net.call https://", "a host"),
        ("net.search DuckDuck!", "search engine"),
        ("fs.read /etc", "folder"),
        ("fs.read a/../b", "folder"),
        ("fs.read a/./b", "folder"),
        ("fs.read a/", "folder"),
        ("fs.read a/ ../b", "folder"),
        ("fs.read a /b", "folder"),
        ("fs.read a ", "folder"),
        ("fs.write a\\b", "folder"),
        ("code.run Numpy", "short name"),
        ("mcp.spawn npx 'open", "command line"),
        ("mcp.spawn '' a", "command line"),
        ("mcp.connect ftp://a", "server's address"),
        ("net.fetch a.org\u202e", "unsafe"),
        ("net.fetch a\n.org", "unsafe"),
        ("net.fetch " + "a" * 2000, "too long"),
    ],
)
def test_what_is_not_of_the_closed_set_is_refused_with_its_reason(request_text, reason):
    with pytest.raises(CapabilityError, match=reason) as caught:
        parse_capability(request_text)

    assert caught.value.exit_code == 52
    assert "\u202e" not in caught.value.message
    assert len(caught.value.message) < 300


def test_a_request_of_2000_characters_is_the_longest():
    command = "mcp.spawn " + "a" * 1990

    assert parse_capability(command).argument == "a" * 1990
    with pytest.raises(CapabilityError):
        parse_capability(command + "a")


@pytest.mark.parametrize(
    ("held", "needed", "enough"),
    [
        ("net.fetch", "net.fetch a.org", True),
        ("net.fetch a.org", "net.fetch a.org", True),
        ("net.fetch a.org", "net.fetch", False),
        ("net.fetch a.org", "net.fetch b.org", False),
        ("net.fetch a.org", "net.fetch x.a.org", False),
        ("net.fetch a.org", "net.fetch http://a.org", False),
        ("net.fetch a.org", "net.fetch a.org:444", False),
        ("net.fetch a.org", "net.call a.org", False),
        ("net.fetch *.a.org", "net.fetch x.a.org", True),
        ("net.call *.a.org", "net.call x.y.a.org", True),
        ("net.fetch *.a.org", "net.fetch a.org", False),
        ("net.fetch *.a.org", "net.fetch xa.org", False),
        ("net.fetch *.a.org", "net.fetch http://x.a.org", False),
        ("net.fetch *.a.org", "net.fetch x.a.org:81", False),
        ("net.fetch *.a.org", "net.fetch x.a.org.evil.org", False),
        ("net.fetch a.org", "net.fetch *.a.org", False),
        ("fs.read notes", "fs.read notes/a/b.txt", True),
        ("fs.read notes", "fs.read notesbook", False),
        ("fs.read notes/a", "fs.read notes", False),
        ("fs.read notes", "fs.write notes", False),
        ("fs.write notes", "fs.write notes/x", True),
        ("mcp.connect a.org", "mcp.connect a.org/mcp", True),
        ("mcp.connect a.org/mcp", "mcp.connect a.org/mcp", True),
        ("mcp.connect a.org/mcp", "mcp.connect a.org/mcp2", False),
        ("mcp.connect a.org/mcp", "mcp.connect a.org", False),
        ("mcp.connect a.org", "mcp.connect", False),
        ("mcp.spawn npx server", "mcp.spawn npx server", True),
        ("mcp.spawn npx server", "mcp.spawn npx server --all", False),
        ("code.run", "code.run pandas", True),
        ("code.run pandas", "code.run", False),
        ("net.search ddgs", "net.search searx.example", False),
    ],
)
def test_a_power_covers_what_lies_within_it_and_nothing_else(held, needed, enough):
    assert parse_capability(held).covers(parse_capability(needed)) is enough


@pytest.mark.parametrize(
    ("request_text", "place"),
    [
        ("net.fetch a.org", "https://a.org"),
        ("net.call http://a.org:81", "http://a.org:81"),
        ("net.search ddgs", "search:ddgs"),
        ("net.search searx.example", "https://searx.example"),
        ("mcp.connect a.org/mcp", "https://a.org"),
        ("net.fetch", None),
        ("net.fetch *.a.org", None),
        ("fs.read a.org", None),
        ("mcp.spawn a.org", None),
        ("code.run", None),
    ],
)
def test_only_an_exact_place_on_the_network_is_a_named_one(request_text, place):
    assert parse_capability(request_text).named_place == place


def test_a_capability_made_by_hand_without_an_address_names_no_place():
    assert Capability(Kind.NET_FETCH, "no address").named_place is None
    assert not Capability(Kind.MCP_CONNECT, "x").covers(Capability(Kind.MCP_CONNECT, "no address"))


def test_requests_allow_a_tool_what_it_asked_for_and_no_other_tools_powers():
    requests = parse_requests(
        [("web", ["net.fetch a.org", "quantum x"]), ("files", ["fs.read notes"]), ("clock", []), ("web", ["code.run"])]
    )

    assert requests.unknown == ("quantum x",)
    assert requests.allow("web", [parse_capability("net.fetch a.org"), parse_capability("code.run")])
    assert not requests.allow("web", [parse_capability("net.fetch a.org"), parse_capability("fs.read notes")])
    assert not requests.allow("files", [parse_capability("net.fetch a.org")])
    assert requests.allow("clock", [])
    assert not requests.allow("calculator", [])
    assert not Requests({}).allow("web", [])


@given(st.text(max_size=60), st.sampled_from([str(kind) for kind in Kind]))
def test_any_text_is_read_or_refused_and_what_is_read_keeps_its_spelling(text, kind):
    try:
        found = parse_capability(f"{kind} {text}")
    except CapabilityError:
        return
    assert parse_capability(str(found)) == found
    assert found.covers(found)
    assert Capability(found.kind).covers(found)
