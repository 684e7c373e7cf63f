from __future__ import annotations

from helpers.packs import write_plain_pack

from satchel.runtime.commands.install import install
from satchel.runtime.commands.list_packs import list_packs


def test_nothing_installed_is_an_empty_list_and_makes_no_folder(home):
    assert list_packs(home).packs == ()
    assert not home.data.exists()


def test_installed_packs_are_listed(home, tmp_path):
    done = install(write_plain_pack(tmp_path / "a.pack"), home)
    assert list_packs(home).packs == (done.pack,)
