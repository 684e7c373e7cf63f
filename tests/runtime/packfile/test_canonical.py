from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.packfile.canonical import SchemaError, decode, encode


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    numbers: tuple[int, ...]
    settings: dict[str, str]


ROWS = st.builds(
    Row,
    name=st.text(),
    numbers=st.lists(st.integers(-(2**60), 2**60)).map(tuple),
    settings=st.dictionaries(st.text(), st.text()),
)


@given(ROWS)
def test_canonical_json_comes_back_as_it_was(row):
    assert decode(encode(row), Row, "row") == row


@given(ROWS)
def test_canonical_json_is_what_the_json_module_writes_with_sorted_keys(row):
    known = {"name": row.name, "numbers": list(row.numbers), "settings": row.settings}
    expected = json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert json.loads(encode(row)) == known
    # Sorting by code points and by UTF-8 bytes is the same order; only the spelling of control characters may differ.
    assert json.loads(expected) == json.loads(encode(row))
    assert list(json.loads(encode(row))["settings"]) == sorted(row.settings)


@pytest.mark.parametrize(
    "spelling",
    [
        b'{"name":"a","numbers":[1],"settings":{}} ',
        b' {"name":"a","numbers":[1],"settings":{}}',
        b'{"name":"a","numbers":[1, 2],"settings":{}}',
        b'{"numbers":[1],"name":"a","settings":{}}',
        b'{"name":"a","name":"a","numbers":[1],"settings":{}}',
        b'{"name":"\\u0061","numbers":[1],"settings":{}}',
        b'{"name":"\\/","numbers":[1],"settings":{}}',
        b'{"name":"a","numbers":[1],"settings":{"b":"","a":""}}',
        b'{"name":"a","numbers":[1],"settings":{"a":"","a":""}}',
        b'{"name":"a","numbers":[-0],"settings":{}}',
        b'\xef\xbb\xbf{"name":"a","numbers":[1],"settings":{}}',
    ],
)
def test_any_other_spelling_is_refused(spelling):
    with pytest.raises(SchemaError):
        decode(spelling, Row, "row")


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (b'{"name":1,"numbers":[],"settings":{}}', "name", "expected `str`, got `int`"),
        (b'{"name":"","numbers":[1.5],"settings":{}}', "numbers[0]", "expected `int`, got `float`"),
        (b'{"name":"","numbers":[1.0],"settings":{}}', "numbers[0]", "expected `int`, got `float`"),
        (b'{"name":"","numbers":[NaN],"settings":{}}', "row", "it is no JSON"),
        (b'{"name":"","numbers":[]}', "row", "the key 'settings' is missing"),
        (b'{"name":"","numbers":[],"settings":{},"x":1}', "row", "unknown key 'x'"),
        (b'{"name":"\xff","numbers":[],"settings":{}}', "row", "it is no JSON"),
        (b'{"name":"\\ud800","numbers":[],"settings":{}}', "row", "it is no JSON"),
        (b"", "row", "it is no JSON"),
        (b"[" * 100_000, "row", "expected `object`, got `array`"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content, place, reason):
    with pytest.raises(SchemaError) as caught:
        decode(content, Row, "row")
    assert caught.value.place == place
    assert caught.value.reason.startswith(reason)
