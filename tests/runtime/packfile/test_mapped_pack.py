from __future__ import annotations

import os

import pytest
from helpers.packs import write_knowing_pack
from helpers.python_processes import TESTS

from satchel.runtime.errors import WorkerDiedError
from satchel.runtime.packfile.errors import PackChangedError
from satchel.runtime.packfile.store import PackStore
from satchel.runtime.worker.process import Worker

TEXTS = {f"{number}.md": f"File {number}." for number in range(2000)}


@pytest.fixture(autouse=True)
def _workers_find_the_helpers(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


@pytest.fixture
def pack(tmp_path):
    return write_knowing_pack(tmp_path / "a.pack", TEXTS, dimension=64)


def test_a_pack_cut_short_while_it_is_mapped_kills_the_worker_alone_and_says_so(home, pack):
    sound = pack.read_bytes()
    store = PackStore(home)
    verified = store.verify_once(pack)
    with Worker("helpers.mapped_pack_service", name="search") as worker:
        assert worker.call("map", verified.as_params()) == [2000, 64]
        total = worker.call("sum")
        os.truncate(pack, 4096)
        with pytest.raises(WorkerDiedError, match="The search process stopped: it was killed by SIGBUS") as died:
            worker.call("sum")
        assert "\n" not in died.value.message
        with pytest.raises(PackChangedError, match=r"a\.pack was changed, cut short or replaced while it was in use"):
            verified.refuse_changed()
        # The next question works once the file is whole again.
        pack.write_bytes(sound)
        assert worker.call("map", store.verify_once(pack).as_params()) == [2000, 64]
        assert worker.call("sum") == total


def test_a_pack_replaced_while_it_is_mapped_stays_readable(home, pack):
    verified = PackStore(home).verify_once(pack)
    with Worker("helpers.mapped_pack_service", name="search") as worker:
        worker.call("map", verified.as_params())
        total = worker.call("sum")
        write_knowing_pack(pack, {"new.md": "New."}, dimension=64)
        assert worker.call("sum") == total


def test_a_worker_does_not_open_a_file_that_changed_since_it_was_verified(home, pack):
    verified = PackStore(home).verify_once(pack)
    os.utime(pack, ns=(1, 1))
    with Worker("helpers.mapped_pack_service", name="search") as worker, pytest.raises(PackChangedError):
        worker.call("map", verified.as_params())
