from __future__ import annotations

import msgspec
import pytest
from helpers.packs import IDENTITY, write_plain_pack

from satchel.runtime.commands.install import install
from satchel.runtime.commands.list_packs import list_packs
from satchel.runtime.commands.remove import remove
from satchel.runtime.packfile.errors import PackNotInstalledError


def installed(home, tmp_path, number):
    identity = msgspec.structs.replace(IDENTITY, version=number)
    return install(write_plain_pack(tmp_path / f"{number}.pack", identity=identity), home).pack


def test_a_removed_pack_is_gone_and_its_own_file_stays(home, tmp_path):
    pack = installed(home, tmp_path, "1")
    done = remove("tide tutor", home)
    assert (done.pack, done.now_current) == (pack, None)
    assert list_packs(home).packs == ()
    assert (tmp_path / "1.pack").exists()


def test_the_version_that_is_current_from_now_on_is_told(home, tmp_path):
    first = installed(home, tmp_path, "1")
    second = installed(home, tmp_path, "2")
    done = remove(second.pack_id[:8], home)
    assert done.now_current is not None
    assert done.now_current.pack_id == first.pack_id
    assert done.now_current.current


def test_what_is_not_installed_cannot_be_removed(home):
    with pytest.raises(PackNotInstalledError, match="under the name or id tide tutor"):
        remove("tide tutor", home)
