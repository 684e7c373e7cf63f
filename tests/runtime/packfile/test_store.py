from __future__ import annotations

import dataclasses
import os

import msgspec
import pytest
from helpers.packs import IDENTITY, sign, write_knowing_pack, write_plain_pack
from helpers.python_processes import start_python

from satchel.runtime.errors import SaveError
from satchel.runtime.packfile.errors import (
    AmbiguousPackError,
    DamagedPackError,
    PackNotInstalledError,
    UnreadablePackError,
)
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.schema_v1 import Signature
from satchel.runtime.packfile.store import PackStore

OTHER_ID = "00000000-1111-2222-3333-444444444444"


@pytest.fixture
def store(home):
    return PackStore(home)


def version(tmp_path, number, **changes):
    identity = msgspec.structs.replace(IDENTITY, **{"version": number, **changes})
    return write_plain_pack(tmp_path / f"{identity.name} {number}.pack", identity=identity)


def test_an_installed_pack_is_a_read_only_copy_named_by_its_id(store, home, tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    installed = store.install(path)
    assert installed.path == home.packs / f"{installed.pack_id}.pack"
    assert installed.path.read_bytes() == path.read_bytes()
    assert installed.path.stat().st_mode & 0o777 == 0o444
    assert (installed.name, installed.version, installed.author) == ("Tide tutor", "1.0.0", "A. Author")
    assert (installed.size, installed.current) == (path.stat().st_size, True)
    with open_pack(installed.path, verify=True) as pack:
        assert pack.pack_id == installed.pack_id


def test_installing_twice_changes_no_file(store, tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    first = store.install(path)
    before = first.path.stat()
    assert store.install(path) == first
    assert first.path.stat() == before
    assert store.list() == (first,)


def test_an_unsound_pack_is_not_installed(store, home, tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    with open_pack(path, verify=False) as pack:
        offset = pack.location("knowledge/vectors/low.npy")[0] + 130
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedPackError, match=r"a\.pack is damaged .*low\.npy does not match its checksum"):
        store.install(path)
    assert store.list() == ()
    assert list(home.packs.iterdir()) == []


def test_an_installed_file_that_was_damaged_is_replaced_by_installing_again(store, tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    installed = store.install(path)
    installed.path.chmod(0o644)
    os.truncate(installed.path, 1000)
    assert store.install(path) == installed
    assert installed.path.read_bytes() == path.read_bytes()


def test_a_damaged_file_is_refused_even_if_a_sound_copy_is_installed(store, tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    store.install(path)
    with open_pack(path, verify=False) as pack:
        offset = pack.location("instructions.md")[0]
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedPackError):
        store.install(path)


def test_a_signature_that_came_later_is_kept(store, tmp_path):
    path = write_plain_pack(tmp_path / "a.pack")
    installed = store.install(path)
    signature = Signature(algorithm="ed25519", key="a", signature="b")
    sign(path, signature)
    assert store.install(path).pack_id == installed.pack_id
    with open_pack(installed.path, verify=True) as pack:
        assert pack.signature == signature
    store.install(write_plain_pack(tmp_path / "unsigned.pack"))
    with open_pack(installed.path, verify=True) as pack:
        assert pack.signature == signature


@pytest.mark.parametrize("reference", ["Tide tutor", "tide-tutor", "TIDE_TUTOR", " tide  tutor "])
def test_a_pack_is_found_by_its_name(store, tmp_path, reference):
    installed = store.install(write_plain_pack(tmp_path / "a.pack"))
    assert store.find(reference) == installed.path


def test_a_pack_is_found_by_its_id_or_the_first_six_digits(store, tmp_path):
    installed = store.install(write_plain_pack(tmp_path / "a.pack"))
    for length in (6, 7, 63, 64):
        assert store.find(installed.pack_id[:length]) == installed.path
        assert store.find(installed.pack_id[:length].upper()) == installed.path
    for reference in (installed.pack_id[:5], installed.pack_id[1:7], "", "no such name", "../" + installed.pack_id):
        with pytest.raises(PackNotInstalledError):
            store.find(reference)


def test_a_name_that_two_assistants_share_is_ambiguous_and_its_ids_are_told(store, tmp_path):
    one = store.install(version(tmp_path, "1"))
    other = store.install(version(tmp_path, "2", id=OTHER_ID))
    with pytest.raises(AmbiguousPackError) as caught:
        store.find("tide tutor")
    for pack in (one, other):
        assert f"{pack.name} {pack.version} ({pack.pack_id[:12]})" in caught.value.message
        assert store.find(pack.pack_id[:12]) == pack.path


def test_a_name_that_looks_like_anothers_id_does_not_stand_for_it(store, tmp_path):
    honest = store.install(version(tmp_path, "1"))
    store.install(version(tmp_path, "1", id=OTHER_ID, name=honest.pack_id[:8]))
    with pytest.raises(AmbiguousPackError):
        store.find(honest.pack_id[:8])


def test_a_name_stands_for_the_version_installed_last(store, tmp_path):
    first, second = (store.install(version(tmp_path, number)) for number in ("1", "2"))
    assert store.find("tide tutor") == second.path
    assert [pack.version for pack in store.versions(IDENTITY.id)] == ["2", "1"]
    assert [pack.current for pack in store.versions(IDENTITY.id)] == [True, False]
    store.make_current(first.pack_id)
    assert store.find("tide tutor") == first.path
    assert [pack.version for pack in store.versions(IDENTITY.id)] == ["1", "2"]
    assert store.install(version(tmp_path, "2")).current
    assert store.find("tide tutor") == second.path


def test_a_version_that_is_not_installed_cannot_become_current(store):
    with pytest.raises(PackNotInstalledError):
        store.make_current("ab" * 32)


def test_the_list_goes_by_name_with_the_current_version_first(store, tmp_path):
    store.install(version(tmp_path, "1", id=OTHER_ID, name="zoo guide"))
    store.install(version(tmp_path, "1"))
    store.install(version(tmp_path, "2"))
    assert [(pack.name, pack.version, pack.current) for pack in store.list()] == [
        ("Tide tutor", "2", True),
        ("Tide tutor", "1", False),
        ("zoo guide", "1", True),
    ]


def test_removing_the_current_version_makes_the_one_before_it_current(store, tmp_path):
    first, second = (store.install(version(tmp_path, number)) for number in ("1", "2"))
    assert store.remove("tide tutor").pack_id == second.pack_id
    assert not second.path.exists()
    assert store.find("tide tutor") == first.path
    store.remove(first.pack_id)
    assert store.list() == ()
    with pytest.raises(PackNotInstalledError):
        store.remove("tide tutor")


def test_removing_leaves_nothing_behind(store, home, tmp_path):
    store.remove(store.install(write_plain_pack(tmp_path / "a.pack")).pack_id)
    assert [path.name for path in home.packs.iterdir()] == ["index.json"]
    assert not list(home.cache.rglob("*.json"))


@pytest.mark.parametrize("index", [None, b"", b"[", b"[{}]", b"[]", b"\xff"])
def test_an_index_that_is_lost_or_damaged_is_rebuilt_from_the_files(store, home, tmp_path, index):
    packs = [store.install(version(tmp_path, str(number))) for number in range(4)]
    for number, pack in enumerate(packs):
        os.utime(pack.path, ns=(number, number))
    before = store.list()
    if index is None:
        (home.packs / "index.json").unlink()
    else:
        (home.packs / "index.json").write_bytes(index)
    assert store.list() == before
    newer = store.install(version(tmp_path, "5"))
    assert store.list() == (newer, dataclasses.replace(before[0], current=False), *before[1:])


def test_a_file_removed_by_hand_is_no_longer_listed(store, tmp_path):
    first, second = (store.install(version(tmp_path, number)) for number in ("1", "2"))
    second.path.chmod(0o644)
    second.path.unlink()
    assert store.find("tide tutor") == first.path


@pytest.mark.parametrize("content", [b"", b"not a pack"])
def test_files_that_the_store_did_not_put_there_are_not_listed(store, home, tmp_path, content):
    installed = store.install(write_plain_pack(tmp_path / "a.pack"))
    (home.packs / f"{'0' * 64}.pack").write_bytes(content)
    (home.packs / f"{'1' * 64}.pack").write_bytes(installed.path.read_bytes())
    (home.packs / "notes.txt").write_bytes(content)
    assert store.list() == (installed,)


def test_an_empty_store_is_an_empty_list(store, home):
    assert store.list() == ()
    assert store.versions(IDENTITY.id) == ()
    assert not home.packs.exists()


def test_a_store_that_is_no_folder_is_an_error_in_words(store, home, tmp_path):
    home.data.mkdir(parents=True)
    home.packs.touch()
    with pytest.raises(UnreadablePackError, match="not a directory"):
        store.list()
    with pytest.raises(SaveError, match=r"file exists|not a directory"):
        store.install(write_plain_pack(tmp_path / "a.pack"))


def test_an_installed_pack_is_not_verified_again(store, tmp_path):
    installed = store.install(write_knowing_pack(tmp_path / "a.pack"))
    seen = []
    verified = store.verify_once(installed.path, progress=lambda *step: seen.append(step))
    assert verified.pack_id == installed.pack_id
    assert seen == []


def test_a_file_of_the_store_that_was_changed_by_hand_is_found_damaged(store, tmp_path):
    installed = store.install(write_knowing_pack(tmp_path / "a.pack"))
    installed.path.chmod(0o644)
    content = bytearray(installed.path.read_bytes())
    content[-1000] ^= 1
    installed.path.write_bytes(content)
    with pytest.raises(DamagedPackError):
        store.verify_once(installed.path)


def test_processes_that_install_at_once_all_end_in_the_index(store, home, tmp_path):
    paths = [version(tmp_path, str(number), name=f"Tutor {number}") for number in range(6)]
    code = (
        "import sys; from pathlib import Path; from satchel.runtime.packfile.store import PackStore\n"
        "from satchel.runtime.paths import find_home\n"
        "for path in sys.argv[1:]: PackStore(find_home()).install(Path(path))\n"
    )
    installing = [start_python(code, *map(str, paths[number : number + 4])) for number in range(3)]
    for process in installing:
        with process:
            assert (process.wait(timeout=60), process.stderr.read()) == (0, "")
    assert {pack.version for pack in store.list()} == {"0", "1", "2", "3", "4", "5"}
    rows = (home.packs / "index.json").read_bytes()
    assert rows.count(b'"pack_id"') == 6
    assert not [path for path in home.packs.iterdir() if path.name.startswith(".")]
