"""Manifests that lie, or that cost more to read than they are worth; headers and checksums are right each time."""

from __future__ import annotations

import struct
import tracemalloc

import msgspec
import pytest
from helpers.packs import forge_pack, knowing_manifest, knowledge_entries, manifest, plain_entries, write_plain_pack

from satchel.runtime.commands.inspect import inspect
from satchel.runtime.packfile import canonical, names
from satchel.runtime.packfile.errors import DamagedPackError, NewerPackError, PackError
from satchel.runtime.packfile.layout import MIMETYPE_CONTENT, lay_out
from satchel.runtime.packfile.opener import open_pack

MIB = 1 << 20


def refuse(path):
    """The reason, and that finding it took little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(DamagedPackError) as caught:
            open_pack(path, verify=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * path.stat().st_size + MIB
    return caught.value.fields["reason"]


def rewritten(tmp_path, old, new):
    def rewrite(content):
        assert old in content
        return content.replace(old, new, 1)

    return forge_pack(tmp_path / "a.pack", manifest(), plain_entries(), rewrite=rewrite)


@pytest.mark.parametrize(
    "name",
    [
        *("../../.bashrc", "/etc/passwd", "C:/Windows/x.dll", "actions/../../x.openapi.json", "a\\..\\b"),
        *("actions/CON.openapi.json", "actions/nul.txt.openapi.json", "actions/a .openapi.json/x"),
        *("actions/gp\u202enpj.openapi.json", "actions/a\u0000b.openapi.json", "actions/a\nb.openapi.json"),
        *(
            "model.gguf",
            "weights.safetensors",
            "hook.py",
            "x.so",
            "data.pkl",
            "template.jinja",
            ".git/hooks/pre-commit",
        ),
        *("mimetype", "manifest.json", "signature.json", "", ".", "knowledge/", "README.TXT"),
    ],
)
def test_a_name_that_could_hurt_is_refused(tmp_path, name):
    assert "entries[0].name" in refuse(forge_pack(tmp_path / "a.pack", manifest(), {name: b"x"}))


@pytest.mark.parametrize("name", ["../../.bashrc", "/etc/passwd", "a\\b", "C:x", "a\u202eb", "a/../b", "a\nb"])
def test_a_knowledge_name_that_could_hurt_when_it_is_unpacked_is_refused(tmp_path, name):
    entries = plain_entries() | knowledge_entries({"a.md": "text"})
    entries[names.FILES] = entries[names.FILES].replace(b'"a.md"', msgspec.json.encode(name))
    entries = {key: content for key, content in entries.items() if isinstance(content, bytes)}
    path = forge_pack(tmp_path / "a.pack", knowing_manifest(), dict(sorted(entries.items())))
    with pytest.raises(DamagedPackError, match=r"files\.json: \[0\]\.name"):
        inspect(path)


@pytest.mark.parametrize("size", [2**32, 2**63 - 1, 2**63, 2**64, 10**4000, -1, -(2**63)])
def test_a_size_beyond_the_file_is_never_allocated(tmp_path, size):
    reason = refuse(rewritten(tmp_path, b'"size":16}', b'"size":%s}' % str(size).encode()))
    assert "entries[0].size" in reason or "no JSON" in reason or "out of range" in reason


def test_sizes_that_are_allowed_one_by_one_but_not_together_are_refused(tmp_path):
    reason = refuse(rewritten(tmp_path, b'"size":16}', b'"size":65000}'))
    assert reason == "it is cut short"


def test_a_manifest_that_claims_four_gib_is_never_allocated(tmp_path):
    path = write_plain_pack(tmp_path / "a.pack")
    content = bytearray(path.read_bytes())
    start = 38 + len(MIMETYPE_CONTENT)
    struct.pack_into("<II", content, start + 18, 2**32 - 1, 2**32 - 1)
    path.write_bytes(content)
    assert "manifest.json is not where it must be" in refuse(path)


def test_a_manifest_above_its_limit_is_not_parsed(tmp_path):
    path = tmp_path / "a.pack"
    content = b"[" * (16 * MIB + 1)
    layout = lay_out(content, ())
    path.write_bytes(
        layout.placements[0].header + MIMETYPE_CONTENT + layout.placements[1].header + content + layout.tail
    )
    assert "manifest.json is not where it must be" in refuse(path)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 10_000_000,
        b'{"format":' + b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b'{"format":1,"zzz":' + b'{"a":' * 500_000,
        b'{"format":2,"zzz":' + b'{"a":' * 500_000,
        b'{"format":' + b"9" * 1_000_000 + b"}",
        b"",
        b"\xff\xfe",
        b"null",
        b"{}",
    ],
    ids=lambda content: content[:12].decode(errors="replace"),
)
def test_json_made_to_exhaust_the_parser_is_refused(tmp_path, content):
    path = tmp_path / "a.pack"
    layout = lay_out(content, ())
    path.write_bytes(
        layout.placements[0].header + MIMETYPE_CONTENT + layout.placements[1].header + content + layout.tail
    )
    with pytest.raises(PackError):
        open_pack(path, verify=False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"examples":0', b'"examples":0.0'),
        (b'"examples":0', b'"examples":0e0'),
        (b'"examples":0', b'"examples":-0'),
        (b'"examples":0', b'"examples":00'),
        (b'"examples":0', b'"examples": 0'),
        (b'"examples":0', b'"examples":0,"examples":0'),
        (b'"examples":0', b'"examples":0,"exec":"rm"'),
        (b'"examples":0', b'"examples":false'),
        (b'"format":1', b'"format":1.0'),
        (b'"format":1', b'"format":true'),
        (b'"format":1', b'"format":0'),
        (b'"A. Author"', b'"A. \\u0041uthor"'),
        (b'"A. Author"', b'"A.\\u0000Author"'),
        (b'"A. Author"', b'"A.\\ud800Author"'),
        (b'"A. Author"', b'"A.\xed\xa0\x80Author"'),
        (b'"A. Author"', b'"A.\xc0\xaeAuthor"'),
        (b'"A. Author"', b'"A.\\u202erohtuA"'),
        (b'"temperature":"0.2"', b'"temperature":"2e-1"'),
        (b'"temperature":"0.2"', b'"temperature":"\xd9\xa0"'),
        (b'"temperature":"0.2"', b'"temperature":"NaN"'),
        (b'"id":"6f1c', b'"id":"6F1c'),
    ],
)
def test_there_is_one_spelling_of_a_manifest(tmp_path, old, new):
    assert refuse(rewritten(tmp_path, old, new)).startswith("manifest.json: ")


def test_a_newer_format_says_nothing_but_that(tmp_path):
    path = rewritten(tmp_path, b'"format":1', b'"format":2')
    with pytest.raises(NewerPackError) as caught:
        open_pack(path, verify=True)
    assert caught.value.fields == {"path": path, "format": 2, "known": 1}


def test_a_table_out_of_order_is_refused(tmp_path):
    entries = dict(reversed(plain_entries().items()))
    assert "is not after the name before it" in refuse(forge_pack(tmp_path / "a.pack", manifest(), entries))


def test_an_entry_that_the_table_does_not_name_is_refused(tmp_path):
    """The bytes are there and other programs would unpack them."""
    entries = plain_entries()
    whole = forge_pack(tmp_path / "whole.pack", manifest(), entries)
    with open_pack(whole, verify=True) as pack:
        short = msgspec.structs.replace(pack.manifest, entries=pack.manifest.entries[:1])
    path = forge_pack(
        tmp_path / "a.pack",
        manifest(),
        entries,
        rewrite=lambda _: canonical.encode(short),
    )
    assert "it has bytes that belong to no entry" in refuse(path)


def test_control_characters_do_not_reach_a_terminal_through_an_error(tmp_path):
    path = forge_pack(tmp_path / "a.pack", manifest(), {"\x1b[2J\x1b]0;owned\x07.md": b""})
    with pytest.raises(DamagedPackError) as caught:
        open_pack(path, verify=False)
    assert caught.value.message.isprintable()


def test_an_error_about_a_huge_key_stays_short(tmp_path):
    path = rewritten(tmp_path, b'"examples":0', b'"examples":0,"%s":1' % (b"x" * 1_000_000))
    with pytest.raises(DamagedPackError) as caught:
        open_pack(path, verify=False)
    assert len(caught.value.message) < 1000
