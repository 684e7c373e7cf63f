from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.permissions.places import Address, addresses_in, host_of, parse_address, parse_place


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("https://example.org", "https://example.org/"),
        ("HTTPS://Example.ORG:443/A?b=C#frag", "https://example.org/A?b=C"),
        ("http://example.org:80", "http://example.org/"),
        ("http://example.org:443", "http://example.org:443/"),
        ("https://example.org./", "https://example.org/"),
        ("https://example.org?q", "https://example.org/?q"),
        ("https://127.0.0.1:8080/x", "https://127.0.0.1:8080/x"),
        ("https://[::1]:8080/x", "https://[::1]:8080/x"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/ü"),
    ],
)
def test_an_address_has_one_spelling(text, spelling):
    address = parse_address(text)

    assert address is not None
    assert address.text == spelling
    assert parse_address(spelling) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "example.org", "//example.org", "ftp://example.org", "file:///etc/passwd", "javascript:x", "https://"),
        *("https://user@example.org", "https://user:pw@example.org", "https://exa mple.org", "https://a.org/\\b"),
        *(
            "https://a.org\\@b.org",
            "https://a.org/\n",
            "https://a.org/\u2028",
            "https://a.org:0",
            "https://a.org:99999",
        ),
        *(
            "https://a.org:x",
            "https://-a.org",
            "https://a..org",
            "https://a.org/<b>",
            "https://a.org/`",
            "https://[::1",
        ),
        *("https://[gg::1]/", "https://" + "a." * 130 + "org", "https://" + "a" * 64 + ".org", "https://a%2eorg"),
        *(
            "https://\u202ea.org",
            "https://a\x7f.org",
            "https://\ud800.org",
            "https://xn--a\u00ad.\u3002org",
            "https://a*b.org",
        ),
    ],
)
def test_what_parsers_could_read_differently_is_no_address(text):
    assert parse_address(text) is None


def test_an_address_knows_its_place_and_host():
    assert parse_address("https://[::1]:8080/x?y") == Address("https://[::1]:8080", "/x?y")
    assert Address("https://[::1]:8080", "/x").host == "::1"
    assert Address("https://a.org:8080", "/x").host == "a.org"
    assert host_of("search:ddgs") == ""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("example.org", "https://example.org"),
        ("http://example.org/", "http://example.org"),
        ("example.org:444", "https://example.org:444"),
        ("example.org/a", None),
        ("example.org?a", None),
        ("not a host", None),
    ],
)
def test_a_place_is_scheme_host_and_port_alone(text, place):
    assert parse_place(text) == place


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Read https://a.org/x, please.", {"https://a.org/x"}),
        ("See (http://a.org/x?y=1#z)!", {"http://a.org/x?y=1"}),
        ("go to www.a.org/b.", {"https://www.a.org/b", "http://www.a.org/b"}),
        ("Mail bob@a.org the file notes.txt", {"https://notes.txt/", "http://notes.txt/"}),
        ("version 1.2.3 of it", set()),
        ("https://user@a.org/", set()),
        ("no address", set()),
    ],
)
def test_addresses_in_a_message_are_those_that_a_person_typed(text, found):
    assert addresses_in(text) == found


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser_and_what_it_finds_it_reads_again(text):
    for address in addresses_in(f"{text} https://{text}"):
        again = parse_address(address)
        assert again is not None
        assert again.text == address
