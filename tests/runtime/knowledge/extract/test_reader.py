from __future__ import annotations

import hashlib
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from helpers.documents import write_docx, write_pdf

from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.errors import (
    ChangedWhileReadError,
    DamagedDocumentError,
    DocumentError,
    EmptyDocumentError,
    LinkedFileError,
    ReaderStoppedError,
    TooLargeError,
    TooSlowError,
    UnreadableFileError,
    VanishedError,
)
from satchel.runtime.knowledge.extract.limits import MIB
from satchel.runtime.knowledge.extract.reader import DocumentReader


def write(path: Path, text: str = "Some text.") -> Path:
    path.write_text(text)
    return path


class Slow:
    """Writes a CSV that takes seconds to read."""

    @staticmethod
    def write(path: Path) -> Path:
        return write(path, "a,b,c,d,e,f\n" + "x,y,z,u,v,w\n" * 1_500_000)


def test_a_result_names_the_bytes_it_was_read_from(tmp_path: Path, reader: DocumentReader) -> None:
    path = write(tmp_path / "größe.txt", "Größe\r\n")
    document = reader.read(path)
    assert document.extracted.text == "Größe\n"
    assert document.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert document.size == path.stat().st_size


def test_pages_are_reported_as_they_are_read(tmp_path: Path, reader: DocumentReader) -> None:
    path = write_pdf(tmp_path / "tides.pdf", [[f"Page {number}."] for number in range(200)])
    calls: list[tuple[str, int, int | None]] = []
    reader.read(path, progress=lambda *call: calls.append(call))
    assert {stage for stage, _, _ in calls} == {"reading tides.pdf"}
    assert calls[-1] == ("reading tides.pdf", 200, 200)
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def test_the_child_is_kept_from_file_to_file(tmp_path: Path, reader: DocumentReader) -> None:
    reader.read(write(tmp_path / "a.txt"))
    first = reader._worker.pid
    reader.read(write(tmp_path / "b.txt"))
    assert reader._worker.pid == first is not None


def test_a_bad_file_does_not_stop_the_next(tmp_path: Path, reader: DocumentReader) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.7 nothing more")
    with pytest.raises(DamagedDocumentError, match=r"bad\.pdf is damaged"):
        reader.read(bad)
    assert reader.read(write(tmp_path / "good.txt")).extracted.text == "Some text."


def test_another_name_is_said_in_errors_and_stages(tmp_path: Path, reader: DocumentReader) -> None:
    stages: list[str] = []
    with pytest.raises(EmptyDocumentError, match=r"week1/a\.txt is empty"):
        reader.read(write(tmp_path / "a.txt", ""), name="week1/a.txt", progress=lambda stage, *_: stages.append(stage))
    assert set(stages) == {"reading week1/a.txt"}


def test_cancelling_takes_effect_in_the_middle_of_a_file(tmp_path: Path, reader: DocumentReader) -> None:
    path = Slow.write(tmp_path / "slow.csv")
    raised: list[float] = []

    def stop_soon(_stage: str, done: int, _total: int | None) -> None:
        if done:
            raised.append(time.monotonic())
            raise CancelledError

    with pytest.raises(CancelledError):
        reader.read(path, progress=stop_soon)
    # Seen: 10 ms. No claim about the speed of this machine, but reading it to its end takes twenty times as long.
    assert time.monotonic() - raised[0] < 2
    assert reader.read(write(tmp_path / "next.txt")).extracted.text == "Some text."


def test_a_child_that_hears_nothing_is_ended_when_cancelled(tmp_path: Path) -> None:
    def stop_the_child(_stage: str, done: int, _total: int | None) -> None:
        if done:
            os.kill(reader._worker.pid, signal.SIGSTOP)
            raise KeyboardInterrupt

    with DocumentReader() as reader:
        with pytest.raises(KeyboardInterrupt):
            reader.read(Slow.write(tmp_path / "slow.csv"), progress=stop_the_child)
        assert reader.read(write(tmp_path / "next.txt")).extracted.text == "Some text."


def test_a_child_that_dies_is_an_error_about_its_file_and_the_next_one_works(tmp_path: Path) -> None:
    def kill_the_child(_stage: str, done: int, _total: int | None) -> None:
        if done:
            os.kill(reader._worker.pid, signal.SIGKILL)

    with DocumentReader() as reader:
        with pytest.raises(
            ReaderStoppedError, match=r"slow\.csv made the document reader stop: it was killed by SIGKILL"
        ):
            reader.read(Slow.write(tmp_path / "slow.csv"), progress=kill_the_child)
        assert reader.read(write(tmp_path / "next.txt")).extracted.text == "Some text."


def test_a_file_that_takes_too_long_is_named_with_the_limit(tmp_path: Path) -> None:
    with DocumentReader(seconds_a_file=1) as reader:
        reader.start()
        with pytest.raises(
            (TooSlowError, ReaderStoppedError), match=r"slow\.csv (took longer than the 1 s|made .*SIGXCPU)"
        ):
            reader.read(Slow.write(tmp_path / "slow.csv"))
        assert reader.read(write(tmp_path / "next.txt")).extracted.text == "Some text."


def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_one_works(tmp_path: Path) -> None:
    with DocumentReader(memory_bytes=200 * MIB) as reader:
        big = write_docx(tmp_path / "big.docx", ["word " * 100_000] * 90)
        with pytest.raises(TooLargeError, match=r"big\.docx is too large: the reader needs more memory"):
            reader.read(big)
        assert reader.read(write(tmp_path / "next.txt")).extracted.text == "Some text."


def test_a_text_of_two_gigabytes_is_refused_before_it_is_read(tmp_path: Path, reader: DocumentReader) -> None:
    path = write(tmp_path / "huge.txt")
    os.truncate(path, 2 << 30)
    with pytest.raises(TooLargeError, match=r"huge\.txt is too large: it has 2048 MiB, and one file may have 512 MiB"):
        reader.read(path)


def test_a_large_text_is_refused_after_its_first_bytes(tmp_path: Path, reader: DocumentReader) -> None:
    path = write(tmp_path / "large.txt", "Some text.\n" * 200_000)
    os.truncate(path, 300 << 20)
    with pytest.raises(TooLargeError, match=r"it is a text of 300 MiB, and one file may have 64 MiB of text"):
        reader.read(path)


def test_a_file_in_an_old_encoding_is_read_in_the_confined_child(tmp_path: Path, reader: DocumentReader) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes("Магазин открывается в девять часов утра.".encode("cp1251"))
    assert reader.read(path).extracted.text == "Магазин открывается в девять часов утра."


def test_a_file_that_is_not_there_is_named(tmp_path: Path, reader: DocumentReader) -> None:
    with pytest.raises(VanishedError, match=r"gone\.txt is not there"):
        reader.read(tmp_path / "gone.txt")


def test_a_file_that_vanishes_while_it_is_read_is_named(tmp_path: Path, reader: DocumentReader) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["x"]] * 50)
    with pytest.raises(VanishedError, match=r"a\.pdf is not there \(any more\)"):
        reader.read(path, progress=lambda _s, done, _t: path.unlink(missing_ok=True) if done == 50 else None)


@pytest.mark.parametrize("moment", ["before its bytes are sent", "after its bytes were sent"])
def test_a_file_that_changes_while_it_is_read_is_named(tmp_path: Path, reader: DocumentReader, moment: str) -> None:
    path = write_pdf(tmp_path / "a.pdf", [["x"]] * 50)
    calls = iter(range(10**6))

    def change(_stage: str, done: int, _total: int | None) -> None:
        early = next(calls) == 1
        if (early and moment.startswith("before")) or (done == 50 and moment.startswith("after")):
            with path.open("ab") as file:
                file.write(b"more")

    with pytest.raises(ChangedWhileReadError, match=r"a\.pdf changed while it was read"):
        reader.read(path, progress=change)


def test_a_file_that_is_replaced_by_other_bytes_of_its_size_is_named(tmp_path: Path, reader: DocumentReader) -> None:
    path = write(tmp_path / "a.txt", "old text")

    def replace(_stage: str, done: int, _total: int | None) -> None:
        if done:
            write(tmp_path / "new", "new text").replace(path)

    with pytest.raises(ChangedWhileReadError):
        reader.read(path, progress=replace)


def test_a_file_that_was_only_touched_is_read(tmp_path: Path, reader: DocumentReader) -> None:
    path = write(tmp_path / "a.txt")
    assert reader.read(path, progress=lambda *_: os.utime(path, ns=(1, 1))).extracted.text == "Some text."


def test_a_link_is_followed_only_when_asked_for(tmp_path: Path, reader: DocumentReader) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(write(tmp_path / "target.txt"))
    with pytest.raises(LinkedFileError, match=r"link\.txt is a link to .*target\.txt"):
        reader.read(link)
    assert reader.read(link, follow_links=True).extracted.text == "Some text."


@pytest.mark.parametrize(("kind", "words"), [("folder", "a folder"), ("pipe", "a named pipe"), ("socket", "a socket")])
def test_what_is_no_ordinary_file_is_named(tmp_path: Path, reader: DocumentReader, kind: str, words: str) -> None:
    path = tmp_path / "thing"
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            listening.bind(os.path.relpath(path))
        with pytest.raises(UnreadableFileError, match=f"thing cannot be opened: it is {words}"):
            reader.read(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, reader: DocumentReader) -> None:
    path = write(tmp_path / "a.txt")
    path.chmod(0)
    with pytest.raises(UnreadableFileError, match=r"a\.txt cannot be opened: permission denied"):
        reader.read(path)


def test_every_error_names_its_file_and_keeps_its_exit_code() -> None:
    for kind in DocumentError.__subclasses__():
        assert "{file}" in (kind.__doc__ or "")
        assert 20 <= kind.exit_code <= 29
        assert kind.remedy


def test_no_thread_of_the_reader_stays(tmp_path: Path) -> None:
    before = threading.active_count()
    with DocumentReader() as reader:
        reader.read(write(tmp_path / "a.txt"))
    assert threading.active_count() == before
