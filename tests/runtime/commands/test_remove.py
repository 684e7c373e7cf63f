from __future__ import annotations

import msgspec
import numpy as np
import pytest
from helpers.packs import IDENTITY, write_plain_pack

from satchel.kernels import ops
from satchel.runtime.commands.install import install
from satchel.runtime.commands.list_packs import list_packs
from satchel.runtime.commands.remove import Removable, look_up, remove
from satchel.runtime.knowledge.bit_cache import BitCache
from satchel.runtime.packfile.errors import PackNotInstalledError
from satchel.runtime.session.history import History, Part


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


def test_chats_with_other_versions_stay_and_those_with_this_one_are_counted_first(home, tmp_path):
    first, second = installed(home, tmp_path, "1"), installed(home, tmp_path, "2")
    with History(home.history) as history:
        for packs in ((first,), (first, second), (second,), (second,)):
            chat = history.create_chat(first.identity_id, "t")
            for pack in packs:
                history.add_message(chat.id, None, "user", (Part("text", "x"),), pack_id=pack.pack_id)

    assert look_up("tide tutor", home) == Removable(second, 2)
    assert remove("tide tutor", home, with_chats=True).chats_deleted == 2
    with History(home.history) as history:
        assert len(history.chats()) == 2


def test_what_is_not_installed_cannot_be_removed(home):
    for what in (look_up, remove):
        with pytest.raises(PackNotInstalledError, match="under the name or id tide tutor"):
            what("tide tutor", home)


def test_the_bits_that_were_derived_of_a_pack_go_with_it(home, tmp_path):
    pack = installed(home, tmp_path, "1")
    rows = ops.quantise(np.eye(8, 32, dtype=np.float32))
    cache = BitCache(home.cache / "bits")
    cache.with_bits(rows, pack.pack_id, fewest=1)
    cache.with_bits(rows, "f" * 64, fewest=1)
    before = cache.bytes_used()

    remove("tide tutor", home)

    assert 0 < cache.bytes_used() < before
