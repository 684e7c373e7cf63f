"""No name, link or race leads out of an open folder."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from satchel.runtime.sandbox import beneath


@pytest.fixture
def root(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "root/in").mkdir(parents=True)
    (tmp_path / "root/in/a.txt").write_text("inner")
    (tmp_path / "root/out").symlink_to(tmp_path)
    (tmp_path / "root/link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "root/loop").symlink_to("in")
    handle = os.open(tmp_path / "root", os.O_RDONLY)
    yield handle
    os.close(handle)


def test_a_file_is_read_by_its_name(root):
    assert beneath.read_file(root, "in/./a.txt", max_bytes=10) == b"inner"


@pytest.mark.parametrize(
    "name",
    ["../secret.txt", "in/../../secret.txt", "out/secret.txt", "link.txt", "loop/a.txt", "/etc/passwd", "", ".",
     "in//a.txt", "a\0b", "in", "..", "in/a.txt/x"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_or_nowhere_is_refused(root, name):
    with pytest.raises(OSError, match=r".") as caught:
        beneath.read_file(root, name, max_bytes=100)
    assert "secret" not in str(caught.value.args[1])


@pytest.mark.parametrize("name", ["../x", "out/x", "link.txt", "loop/x", "/tmp/x", "in", ""])
def test_nothing_is_written_elsewhere(root, tmp_path, name):
    with pytest.raises(OSError, match=r"."):
        beneath.write_file(root, name, b"x")
    assert (tmp_path / "secret.txt").read_text() == "secret"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root", "secret.txt"]


def test_a_file_is_written_whole_and_folders_are_made(root, tmp_path):
    beneath.write_file(root, "new/deep/b.txt", b"one")
    beneath.write_file(root, "new/deep/b.txt", b"two")
    assert [path.name for path in (tmp_path / "root/new/deep").iterdir()] == ["b.txt"]
    assert (tmp_path / "root/new/deep/b.txt").read_bytes() == b"two"


def test_a_file_that_is_too_large_is_refused(root):
    with pytest.raises(OSError, match="larger than 3 bytes"):
        beneath.read_file(root, "in/a.txt", max_bytes=3)


def test_a_pipe_is_no_file_and_does_not_hang(root, tmp_path):
    os.mkfifo(tmp_path / "root/pipe")
    with pytest.raises(OSError, match="no regular file"):
        beneath.read_file(root, "pipe", max_bytes=3)


def test_a_walk_finds_regular_files_only_and_not_through_links(root):
    assert [(file.name, file.size) for file in beneath.walk_files(root, max_files=10)] == [("in/a.txt", 5)]


def test_a_walk_stops_at_its_number(root, tmp_path):
    for number in range(20):
        (tmp_path / f"root/in/{number}.txt").touch()
    assert len(list(beneath.walk_files(root, max_files=7))) == 7


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "", "in", "out", "loop", "link.txt", "a.txt", "secret.txt"]), max_size=6))
def test_no_combination_of_parts_reads_the_secret(root, parts):
    try:
        content = beneath.read_file(root, "/".join(parts), max_bytes=100)
    except OSError:
        return
    assert content == b"inner"
