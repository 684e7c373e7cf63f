"""A save is the whole new file or the whole old one, whatever comes between."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.project_folders import snapshot
from helpers.python_processes import child_environment, run_python, start_python

from satchel.runtime.atomic import replacing, save_bytes, save_text
from satchel.runtime.errors import SaveError


def test_new_bytes_take_the_place_of_old_ones_and_nothing_else_is_left(tmp_path):
    save_bytes(tmp_path / "a.bin", b"old")
    save_bytes(tmp_path / "a.bin", b"new \x00")

    assert snapshot(tmp_path) == {"a.bin": b"new \x00"}


def test_text_is_saved_as_utf8_without_touching_line_ends(tmp_path):
    save_text(tmp_path / "a.txt", "é\r\n🌊\n")

    assert (tmp_path / "a.txt").read_bytes() == "é\r\n🌊\n".encode()


def test_missing_folders_are_made(tmp_path):
    save_bytes(tmp_path / "one/two/a.bin", b"x")

    assert (tmp_path / "one/two/a.bin").read_bytes() == b"x"


def test_until_the_block_ends_the_old_bytes_are_read(tmp_path):
    path = tmp_path / "a.bin"
    save_bytes(path, b"old")

    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"

    assert path.read_bytes() == b"new"


def test_the_file_in_the_block_can_be_opened_by_its_name_before_it_takes_its_place(tmp_path):
    with replacing(tmp_path / "a.bin") as file:
        file.write(b"new")
        file.flush()
        partial = Path(file.name)
        assert partial.read_bytes() == b"new"
        assert partial.parent == tmp_path

    assert not partial.exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_in_the_block_passes_and_keeps_the_old_bytes(tmp_path, error):
    save_bytes(tmp_path / "a.bin", b"old")

    with pytest.raises(error), replacing(tmp_path / "a.bin") as file:  # noqa: PT012 - the block is what is tested
        file.write(b"half")
        raise error

    assert snapshot(tmp_path) == {"a.bin": b"old"}


def test_a_kill_in_the_middle_keeps_the_old_bytes_and_the_next_save_works(tmp_path):
    path = tmp_path / "a.bin"
    save_bytes(path, b"old")
    program = """
import sys
from pathlib import Path
from satchel.runtime.atomic import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half of what was to be written")
    file.flush()
    print("written", flush=True)
    sys.stdin.readline()
"""
    with start_python(program, str(path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.kill()

    assert path.read_bytes() == b"old"
    save_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    litter = [name for name in snapshot(tmp_path) if name != "a.bin"]
    assert all(name.startswith(".") and name.endswith(".partial") for name in litter)


def test_a_file_larger_than_allowed_keeps_the_old_bytes_and_leaves_no_litter(tmp_path):
    save_bytes(tmp_path / "a.bin", b"old")
    program = """
import resource, sys
from pathlib import Path
from satchel.runtime.atomic import save_bytes
from satchel.runtime.errors import SaveError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    save_bytes(Path(sys.argv[1]), bytes(1_000_000))
except SaveError as error:
    print(error.message)
"""
    finished = run_python(program, str(tmp_path / "a.bin"))

    assert finished.stdout == f"{tmp_path / 'a.bin'} could not be saved: file too large.\n", finished.stderr
    assert snapshot(tmp_path) == {"a.bin": b"old"}


def in_a_tiny_disk(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program with a tmpfs of 64 KiB at `folder`, in a mount namespace that ends with it."""
    script = 'mount -t tmpfs -o size=64k tmpfs "$1" || exit 77; exec "$2" -c "$3" "$1"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", folder, sys.executable, program],
        capture_output=True,
        check=False,
        env=child_environment(),
        text=True,
        timeout=60,
    )


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root can mount a full disk"
)
def test_a_full_disk_keeps_the_old_bytes_and_leaves_no_litter(tmp_path):
    program = """
import sys
from pathlib import Path
from satchel.runtime.atomic import save_bytes
from satchel.runtime.errors import SaveError
folder = Path(sys.argv[1])
save_bytes(folder / "a.bin", b"old")
for size in (1_000_000, 70_000):
    try:
        save_bytes(folder / "a.bin", bytes(size))
    except SaveError as error:
        print(error.fields["reason"], [path.name for path in folder.iterdir()], (folder / "a.bin").read_bytes())
save_bytes(folder / "b.bin", bytes(50_000))
"""
    finished = in_a_tiny_disk(program, tmp_path)
    if finished.returncode == 77 or "unshare failed" in finished.stderr:
        pytest.skip("this root may not mount")

    assert finished.stdout == "no space left on device ['a.bin'] b'old'\n" * 2, finished.stderr
    assert finished.returncode == 0, finished.stderr


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664), (0o000, 0o666)])
@pytest.mark.usefixtures("umask")
def test_permissions_follow_the_umask_and_the_umask_stays(tmp_path, mask, mode):
    os.umask(mask)

    save_bytes(tmp_path / "a.bin", b"x")

    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == mode
    assert os.umask(mask) == mask


def test_a_folder_that_may_not_be_written_is_an_error(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    save_bytes(folder / "a.bin", b"old")
    folder.chmod(0o555)
    was_root = os.geteuid() == 0
    if was_root:  # whom no permission stops
        os.seteuid(65534)
    try:
        with pytest.raises(SaveError) as raised:
            save_bytes(folder / "a.bin", b"new")
    finally:
        if was_root:
            os.seteuid(0)
        folder.chmod(0o755)

    assert raised.value.message == f"{folder / 'a.bin'} could not be saved: permission denied."
    assert raised.value.exit_code == 61
    assert snapshot(folder) == {"a.bin": b"old"}


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    save_bytes(tmp_path / "a", b"old")

    with pytest.raises(SaveError):
        save_bytes(tmp_path / "a" / "b.bin", b"new")

    assert snapshot(tmp_path) == {"a": b"old"}


def test_a_folder_in_the_place_of_the_file_is_an_error_and_leaves_no_litter(tmp_path):
    (tmp_path / "a.bin").mkdir()

    with pytest.raises(SaveError, match="is a directory"):
        save_bytes(tmp_path / "a.bin", b"new")

    assert list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


@pytest.mark.parametrize("name", ["a" * 255, "涨" * 85, "🌊" * 63, "é" * 127, ".hidden", "a b%s{0}"])
def test_every_name_that_the_disk_takes_can_be_saved(tmp_path, name):
    save_bytes(tmp_path / name, b"x")

    assert snapshot(tmp_path) == {name: b"x"}


def test_a_name_that_the_disk_does_not_take_is_an_error(tmp_path):
    with pytest.raises(SaveError, match="file name too long"):
        save_bytes(tmp_path / ("a" * 256), b"x")

    assert snapshot(tmp_path) == {}


def test_two_writers_of_one_file_leave_the_whole_of_one(tmp_path):
    path = tmp_path / "a.bin"
    with replacing(path) as first, replacing(path) as second:
        first.write(b"first" * 1000)
        second.write(b"second" * 1000)

    assert path.read_bytes() == b"first" * 1000
    assert len(snapshot(tmp_path)) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_what_is_no_file_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)

    for name in ("pipe", "link"):
        with pytest.raises(SaveError, match=f"{name} could not be saved: it is a device, a pipe or a socket"):
            save_text(tmp_path / name, "text")

    assert pipe.is_fifo()
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]
