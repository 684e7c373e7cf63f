"""The document reader in the sandbox: the same texts, the same errors, and no way to anything else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile

import pytest
from helpers.documents import write_epub, write_xlsx

from satchel.runtime.errors import CancelledError
from satchel.runtime.knowledge.errors import DocumentError
from satchel.runtime.knowledge.extract.reader import DocumentReader
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.errors import SandboxStartError
from satchel.runtime.sandbox.workers import code_folders, sandboxed


@pytest.fixture
def documents(tmp_path):
    (tmp_path / "page.html").write_text("<h1>Tides</h1><p>The Moon pulls the sea.</p>")
    (tmp_path / "notes.md").write_text("# Tides\n\nThe Moon pulls the sea.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    write_epub(tmp_path / "book.epub", [("Tides", "<p>The Moon pulls the sea.</p>")])
    write_xlsx(tmp_path / "table.xlsx", {"Tides": [["place", "metres"], ["Husum", 3.5]]})
    return tmp_path


def read_all(folder, reader):
    results = {}
    for path in sorted(folder.iterdir()):
        try:
            results[path.name] = reader.read(path).extracted
        except DocumentError as error:
            results[path.name] = error.message
    return results


def test_every_format_is_read_as_outside(confinement, documents):
    with DocumentReader() as outside, DocumentReader(launch=sandboxed(confinement)) as inside:
        results = read_all(documents, inside)
        assert results == read_all(documents, outside)
    assert "The Moon pulls the sea." in results["book.epub"].text
    assert "broken.pdf" in results["broken.pdf"]


def test_a_reader_that_is_killed_is_an_error_and_the_next_file_is_read(confinement, documents):
    with DocumentReader(launch=sandboxed(confinement)) as reader:
        reader.start()
        os.kill(reader._worker.pid, signal.SIGKILL)
        with pytest.raises(DocumentError):
            reader.read(documents / "page.html")
        assert "The Moon" in reader.read(documents / "page.html").extracted.text


def test_reading_can_be_cancelled(confinement, documents):
    def cancel(_stage, _done, total):
        if total is not None:  # a step of the child's
            raise CancelledError

    with DocumentReader(launch=sandboxed(confinement)) as reader:
        with pytest.raises(CancelledError):
            reader.read(documents / "page.html", progress=cancel)
        assert "The Moon" in reader.read(documents / "page.html").extracted.text


def ended(confinement, code):
    """Run code with a reader's rights; return its exit code and last words."""
    with tempfile.TemporaryFile() as errors:
        process = sandboxed(confinement)([sys.executable, "-c", code], errors)
        assert process.stdin is not None
        process.stdin.close()
        assert process.stdout is not None
        with process.stdout as output:
            output.read()
        exit_code = process.wait()
        errors.seek(0)
        return exit_code, errors.read().decode()


@pytest.mark.parametrize(
    "code",
    ["open({secret!r})", "open({folder!r} + '/new', 'w')", "import socket; socket.socket()", "import os; os.fork()",
     "open('/etc/passwd')"],
)  # fmt: skip
def test_a_reader_that_was_taken_over_gets_at_nothing(confinement, tmp_path, code):
    (tmp_path / "secret").write_text("secret")
    exit_code, words = ended(confinement, code.format(secret=str(tmp_path / "secret"), folder=str(tmp_path)))
    assert exit_code == 1
    assert "Error" in words.splitlines()[-1]


def test_how_a_reader_ended_is_told_as_outside(confinement):
    assert ended(confinement, "import os; os.kill(os.getpid(), 9)")[0] == -signal.SIGKILL
    assert ended(confinement, "raise SystemExit(7)")[0] == 7


def test_waiting_for_one_that_goes_on_ends_with_the_time(confinement):
    with tempfile.TemporaryFile() as errors:
        process = sandboxed(confinement)([sys.executable, "-c", "input()"], errors)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert process.poll() is None
        process.kill()
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.stdin.close()
        process.stdout.close()


def test_a_sandbox_that_cannot_start_is_an_error_and_leaves_nothing_open(documents):
    with DocumentReader(launch=sandboxed(Confinement("/bin/false", 0))) as reader, pytest.raises(SandboxStartError):
        reader.read(documents / "page.html")


def test_where_a_checkout_lies_is_not_readable_but_the_checkout_is(monkeypatch, tmp_path):
    # As an editable installation has it: the package is made up of a folder in site-packages and of the checkout.
    package, checkout = tmp_path / "site-packages" / "satchel", tmp_path / "mine" / "checkout"
    package.mkdir(parents=True)
    checkout.mkdir(parents=True)
    monkeypatch.setattr(sys.modules["satchel"], "__path__", [str(package), str(checkout)])

    folders = code_folders()

    assert package.parent in folders
    assert not {checkout.parent, tmp_path} & set(folders)
