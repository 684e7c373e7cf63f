"""`satchel rollback`."""

from __future__ import annotations

import msgspec
import pytest
from helpers.packs import IDENTITY, write_plain_pack

from satchel.runtime.commands.install import install
from satchel.runtime.commands.rollback import NothingToRollBackError, rollback
from satchel.runtime.packfile.errors import PackNotInstalledError
from satchel.runtime.packfile.store import PackStore


def installed(home, tmp_path, number):
    identity = msgspec.structs.replace(IDENTITY, version=number)
    return install(write_plain_pack(tmp_path / f"{number}.pack", identity=identity), home).pack


def test_the_version_before_is_current_again_and_the_later_one_stays(home, tmp_path):
    for number in ("1", "2", "3"):
        installed(home, tmp_path, number)

    done = rollback("tide-tutor", home)

    assert (done.before.version, done.now.version, done.now.current) == ("3", "2", True)
    assert [pack.version for pack in done.others] == ["1"]
    assert {pack.version for pack in PackStore(home).list()} == {"1", "2", "3"}
    assert PackStore(home).find("tide tutor") == done.now.path


def test_twice_leads_back_to_the_version_that_was_current_first(home, tmp_path):
    for number in ("1", "2"):
        installed(home, tmp_path, number)

    rollback("tide tutor", home)

    assert rollback("tide tutor", home).now.version == "2"


def test_any_version_is_current_again_by_the_beginning_of_its_id(home, tmp_path):
    first, *_, last = (installed(home, tmp_path, number) for number in ("1", "2", "3"))

    assert rollback(first.pack_id[:6], home).now.version == "1"
    assert rollback(last.pack_id, home).now.version == "3"
    assert rollback(last.pack_id, home).now.version == "1"


def test_the_only_version_cannot_be_rolled_back(home, tmp_path):
    installed(home, tmp_path, "1")

    with pytest.raises(NothingToRollBackError, match="Of Tide tutor there is only version 1"):
        rollback("tide tutor", home)


def test_what_is_not_installed_cannot_be_rolled_back(home):
    with pytest.raises(PackNotInstalledError):
        rollback("tide tutor", home)
