"""Whoever can write to a pack's file while it is read: what was checked is what is used."""

from __future__ import annotations

import os

import pytest
from helpers.packs import write_knowing_pack, write_plain_pack

from satchel.runtime.packfile import names
from satchel.runtime.packfile.errors import PackError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.store import PackStore

TEXTS = {f"{number}.md": f"File {number}. " * 1500 for number in range(120)}


@pytest.fixture
def pack(tmp_path):
    """A pack of several pieces of 1 MiB, so that there is a meanwhile."""
    return write_knowing_pack(tmp_path / "a.pack", TEXTS)


def spoil_when_half_done(path, offset):
    """Flip one byte of the file as soon as half of it has been read."""
    state = {"done": False}

    def spoil(_stage, done, total):
        if not state["done"] and total and done > total // 2:
            state["done"] = True
            with path.open("r+b") as file:
                file.seek(offset)
                byte = file.read(1)
                file.seek(offset)
                file.write(bytes([byte[0] ^ 1]))

    return spoil


def places(path):
    with open_pack(path, verify=False) as opened:
        yield "the magic", 0
        yield "the manifest", opened.layout.placements[1].content_offset + 20
        yield "an early entry", opened.location("README.txt")[0]
        yield "an array", opened.location(names.PASSAGES)[0] + 130
        yield "the directory", opened.layout.tail_offset + 5
        yield "the last byte", opened.layout.size - 1


@pytest.mark.parametrize("number", range(6))
def test_a_file_changed_while_it_is_installed_is_refused_or_installed_as_it_was(home, pack, number):
    sound = pack.read_bytes()
    _, offset = list(places(pack))[number]
    store = PackStore(home)
    try:
        installed = store.install(pack, progress=spoil_when_half_done(pack, offset))
    except PackError:
        assert store.list() == ()
        assert not [path for path in home.packs.iterdir() if path.suffix == ".pack"]
    else:
        assert installed.path.read_bytes() == sound
    assert pack.read_bytes() != sound


def test_a_file_cut_short_while_it_is_installed_is_refused(home, pack):
    def cut(_stage, done, _total):
        if done:
            os.truncate(pack, 5000)

    store = PackStore(home)
    with pytest.raises(PackError):
        store.install(pack, progress=cut)
    assert store.list() == ()
    assert list(home.packs.iterdir()) == []


def test_another_pack_put_in_its_place_meanwhile_is_not_the_one_installed(tmp_path, home, pack):
    """The open file is copied, whatever the path shows now."""
    sound = pack.read_bytes()
    other = write_plain_pack(tmp_path / "b.pack", attribution="evil")

    def swap(_stage, _done, _total):
        if other.exists():
            other.replace(pack)

    installed = PackStore(home).install(pack, progress=swap)
    assert installed.path.read_bytes() == sound


def test_a_link_put_where_the_store_writes_is_replaced_and_not_followed(tmp_path, home, pack):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    with open_pack(pack, verify=False) as opened:
        pack_id = opened.pack_id
    home.packs.mkdir(parents=True)
    (home.packs / f"{pack_id}.pack").symlink_to(victim)
    with pytest.raises(PackError):
        PackStore(home).find(pack_id)
    installed = PackStore(home).install(pack)
    assert victim.read_text() == "mine"
    assert not installed.path.is_symlink()
