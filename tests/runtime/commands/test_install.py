from __future__ import annotations

import msgspec
import pytest
from helpers.packs import IDENTITY, write_plain_pack

from satchel.runtime.commands.install import install
from satchel.runtime.packfile.errors import NotAPackError
from satchel.runtime.packfile.store import PackStore


def version(tmp_path, number):
    identity = msgspec.structs.replace(IDENTITY, version=number)
    return write_plain_pack(tmp_path / f"{number}.pack", identity=identity)


def test_a_pack_is_installed(home, tmp_path):
    done = install(version(tmp_path, "1"), home)
    assert (done.already, done.replaces) == (False, None)
    assert PackStore(home).list() == (done.pack,)


def test_installing_it_again_says_so(home, tmp_path):
    first = install(version(tmp_path, "1"), home)
    again = install(version(tmp_path, "1"), home)
    assert (again.already, again.replaces, again.pack) == (True, None, first.pack)


def test_another_version_says_which_one_it_replaces(home, tmp_path):
    first = install(version(tmp_path, "1"), home)
    second = install(version(tmp_path, "2"), home)
    assert (second.already, second.replaces) == (False, first.pack)
    back = install(version(tmp_path, "1"), home)
    assert (back.already, back.replaces) == (True, second.pack)
    assert [pack.version for pack in PackStore(home).versions(IDENTITY.id)] == ["1", "2"]


def test_what_is_no_pack_is_refused_and_nothing_is_made(home, tmp_path):
    (tmp_path / "a.pack").write_text("hello")
    with pytest.raises(NotAPackError):
        install(tmp_path / "a.pack", home)
    assert not home.packs.exists()
