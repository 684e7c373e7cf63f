from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pytest
from helpers.packs import write_knowing_pack, write_plain_pack
from helpers.python_processes import run_python

from satchel.runtime.packfile.errors import DamagedPackError, PackChangedError, UnreadablePackError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.reading import stamp_at
from satchel.runtime.packfile.verified import CHECKS, VerifiedFiles, VerifiedPack, _tells_changes

SECOND = 1_000_000_000


def later():
    """A clock that has left the files' stamps behind."""
    return time.time_ns() + 10 * SECOND


@pytest.fixture
def files(tmp_path):
    return VerifiedFiles(tmp_path / "verified", now_ns=later)


@pytest.fixture
def pack(tmp_path):
    return write_knowing_pack(tmp_path / "a.pack")


def reads_of(files, path):
    """How many bytes a verification goes through."""
    seen = []
    files.verify_once(path, progress=lambda _stage, done, _total: seen.append(done))
    return max(seen, default=0)


def test_a_file_is_verified_the_first_time_only(files, pack):
    assert reads_of(files, pack) == pack.stat().st_size
    assert reads_of(files, pack) == 0


def test_a_file_is_verified_again_by_another_process_only_when_forgotten(files, pack):
    first = files.verify_once(pack)
    assert VerifiedFiles(pack.parent / "verified").verify_once(pack) == first
    files.forget(first.stamp)
    assert reads_of(files, pack) == pack.stat().st_size


@pytest.mark.parametrize("change", ["touch", "chmod", "replace", "append"])
def test_a_file_that_was_touched_in_any_way_is_verified_again(files, pack, change):
    files.verify_once(pack)
    if change == "touch":
        os.utime(pack, ns=(1, 1))
    elif change == "chmod":
        pack.chmod(0o600)
    elif change == "replace":
        (pack.parent / "new.pack").write_bytes(pack.read_bytes())
        (pack.parent / "new.pack").replace(pack)
    else:
        with pack.open("ab") as file:
            file.write(b"x")
        with pytest.raises(DamagedPackError, match="belong to no entry"):
            files.verify_once(pack)
        return
    assert reads_of(files, pack) == pack.stat().st_size


def test_content_changed_behind_an_old_time_is_found(files, pack):
    """mtime can be set back; ctime cannot."""
    files.verify_once(pack)
    before = pack.stat()
    with open_pack(pack, verify=False) as opened:
        offset = opened.location("instructions.md")[0]
    with pack.open("r+b") as file:
        file.seek(offset)
        file.write(b"X")
    os.utime(pack, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DamagedPackError, match=r"instructions\.md does not match"):
        files.verify_once(pack)


def test_an_unsound_pack_is_never_remembered(files, pack):
    content = bytearray(pack.read_bytes())
    content[-200] ^= 1
    pack.write_bytes(content)
    for _ in range(2):
        with pytest.raises(DamagedPackError):
            files.verify_once(pack)
    assert not (pack.parent / "verified").exists()


@pytest.mark.parametrize("record", [b"", b"{}", b'{"checks":0}', b"\xff"])
def test_a_record_that_is_damaged_costs_a_verification(files, pack, record):
    files.verify_once(pack)
    (path,) = (pack.parent / "verified").iterdir()
    path.write_bytes(record)
    assert reads_of(files, pack) == pack.stat().st_size
    assert reads_of(files, pack) == 0


def test_a_record_of_an_older_check_is_void(files, pack):
    files.verify_once(pack)
    (path,) = (pack.parent / "verified").iterdir()
    path.write_bytes(path.read_bytes().replace(b'"checks":%d' % CHECKS, b'"checks":%d' % (CHECKS - 1)))
    assert reads_of(files, pack) == pack.stat().st_size


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, pack):
    (tmp_path / "file").touch()
    files = VerifiedFiles(tmp_path / "file" / "verified", now_ns=later)
    assert reads_of(files, pack) == reads_of(files, pack) == pack.stat().st_size


def test_a_file_stamped_a_moment_ago_is_not_remembered(tmp_path, pack):
    files = VerifiedFiles(tmp_path / "verified", now_ns=lambda: pack.stat().st_ctime_ns + 1)
    assert reads_of(files, pack) == reads_of(files, pack) == pack.stat().st_size


def test_a_file_stamped_a_moment_ago_might_change_without_a_new_stamp():
    stamp = stamp_at(Path(__file__))
    fine = stamp.__class__(1, 1, 1, 5 * SECOND + 1, 5 * SECOND + 1)
    coarse = stamp.__class__(1, 1, 1, 5 * SECOND, 5 * SECOND)
    assert not _tells_changes(fine, 5 * SECOND + 2)
    assert _tells_changes(fine, 5 * SECOND + SECOND // 10)
    assert not _tells_changes(coarse, 6 * SECOND)
    assert _tells_changes(coarse, 7 * SECOND + 1)
    assert not _tells_changes(fine, 4 * SECOND)


def test_a_verified_pack_goes_to_a_worker_and_back(files, pack, tmp_path):
    odd = tmp_path / os.fsdecode(b"\xff.pack")
    odd.write_bytes(pack.read_bytes())
    verified = files.verify_once(odd)
    params = msgspec.msgpack.decode(msgspec.msgpack.encode(verified.as_params()))
    again = VerifiedPack.from_params(params)
    assert again == verified
    with again.open() as opened:
        assert opened.pack_id == verified.pack_id


def test_a_file_replaced_after_it_was_verified_is_not_opened(files, pack):
    verified = files.verify_once(pack)
    verified.refuse_changed()
    write_plain_pack(pack.parent / "b.pack").replace(pack)
    with pytest.raises(PackChangedError, match=r"a\.pack was changed, cut short or replaced"):
        verified.open()
    with pytest.raises(PackChangedError):
        verified.refuse_changed()
    pack.unlink()
    with pytest.raises(UnreadablePackError, match="no such file"):
        verified.refuse_changed()


def test_a_file_changed_while_it_is_verified_is_not_taken(files, pack):
    def touch(_stage, _done, _total):
        os.utime(pack, ns=(1, 1))

    with pytest.raises(PackChangedError):
        files.verify_once(pack, progress=touch)
    assert not (pack.parent / "verified").exists()


def test_finding_a_file_verified_imports_no_numpy(files, pack):
    files.verify_once(pack)
    done = run_python(
        "import sys; from pathlib import Path; from satchel.runtime.packfile.verified import VerifiedFiles\n"
        "VerifiedFiles(Path(sys.argv[1])).verify_once(Path(sys.argv[2])).open().close()\n"
        "sys.exit('numpy' in sys.modules)",
        str(pack.parent / "verified"),
        str(pack),
    )
    assert (done.returncode, done.stderr) == (0, "")
