"""Folders that the person picked, and nothing beside them."""

from __future__ import annotations

import sys

import pytest

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.permissions.labels import LOWEST
from satchel.runtime.tools.errors import BadCallError, ToolError
from satchel.runtime.tools.files import Files, PickedFolder
from satchel.runtime.tools.runner import ToolRunner

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders are held open by handles")
ALLOWED = Allow("a test says so")


@pytest.fixture
def runner(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    for name in ("notes", "letters"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("one\ntwo\nthree")
    (tmp_path / "notes/link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "notes/out").symlink_to(tmp_path)
    (tmp_path / "notes/picture.bin").write_bytes(b"\x89PN\x00\x80")
    with ToolRunner([Files({"notes": PickedFolder(tmp_path / "notes", writable=True),
                            "letters": PickedFolder(tmp_path / "letters")})]) as one:  # fmt: skip
        yield one


def run(runner, name, **arguments):
    return runner.run(runner.prepare(ToolCall(name, arguments)), ALLOWED)


def test_files_are_listed_without_links(runner):
    text = run(runner, "files_list", folder="notes").result.text
    assert text.splitlines() == ["a.txt (13 bytes)", "picture.bin (5 bytes)"]


def test_a_file_is_read_from_any_line_on(runner):
    assert run(runner, "files_read", folder="notes", file="a.txt").result.text == "one\ntwo\nthree"
    assert run(runner, "files_read", folder="notes", file="a.txt", from_line=3).result.text == "three"
    assert run(runner, "files_read", folder="notes", file="a.txt").label == LOWEST


def test_a_long_file_comes_in_pages(runner, tmp_path):
    (tmp_path / "notes/long.txt").write_text("\n".join(map(str, range(1000))))
    text = run(runner, "files_read", folder="notes", file="long.txt").result.text
    assert text.endswith("399\n[600 more lines; go on with from_line 401]")


def test_what_is_written_replaces_what_was_there(runner, tmp_path):
    assert (
        run(runner, "files_write", folder="notes", file="new/b.txt", text="é").result.text
        == "Written: new/b.txt (2 bytes)"
    )
    assert (tmp_path / "notes/new/b.txt").read_text() == "é"


def test_a_folder_that_may_only_be_read_is_not_written(runner, tmp_path):
    outcome = run(runner, "files_write", folder="letters", file="b.txt", text="x")
    assert "may only be read" in outcome.result.text
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["a.txt"]


def test_without_a_writable_folder_there_is_no_writing(tmp_path):
    assert [one.name for one in Files({"a": PickedFolder(tmp_path)}).functions] == ["files_list", "files_read"]


@pytest.mark.parametrize("file", ["../secret.txt", "/etc/passwd", "a/../../secret.txt", "..", "a\\b", "a//b", "a\x00b"])
def test_a_name_that_leads_elsewhere_is_refused_before_anyone_is_asked(runner, file):
    for name, more in (("files_read", {}), ("files_write", {"text": "x"})):
        with pytest.raises(ToolError):
            runner.prepare(ToolCall(name, {"folder": "notes", "file": file, **more}))


@pytest.mark.parametrize("file", ["link.txt", "out/secret.txt", "missing.txt", "out"])
def test_no_link_is_followed(runner, tmp_path, file):
    for outcome in (
        run(runner, "files_read", folder="notes", file=file),
        run(runner, "files_write", folder="notes", file=f"{file}/x" if file == "missing.txt" else file, text="x"),
    ):
        assert "secret" not in outcome.result.text.replace(file, "")
    assert (tmp_path / "secret.txt").read_text() == "secret"


def test_what_a_call_needs_names_the_very_file(runner):
    asked = runner.prepare(ToolCall("files_read", {"folder": "notes", "file": "a.txt"})).asked
    assert [str(need) for need in asked.needs] == ["fs.read notes/a.txt"]
    assert not asked.effect.changes_state
    writing = {"folder": "notes", "file": "a.txt", "text": ""}
    assert runner.prepare(ToolCall("files_write", writing)).asked.effect.changes_state


def test_what_holds_no_text_says_so(runner):
    assert "picture.bin cannot be read" in run(runner, "files_read", folder="notes", file="picture.bin").result.text


def test_a_pdf_is_read_as_knowledge_files_are(runner, tmp_path):
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "notes/tides.pdf"))
    canvas.drawString(100, 700, "The Moon pulls the sea.")
    canvas.save()
    assert "The Moon pulls the sea." in run(runner, "files_read", folder="notes", file="tides.pdf").result.text


def test_a_folder_that_there_is_not_is_named_with_those_that_there_are(runner):
    assert "'x'. Those that there are: notes, letters" in run(runner, "files_list", folder="x").result.text


def test_a_folder_that_went_away_is_an_error(runner, tmp_path):
    (tmp_path / "letters").rename(tmp_path / "gone")
    assert "cannot be opened" in run(runner, "files_list", folder="letters").result.text


def test_a_text_past_the_limit_is_refused(runner):
    with pytest.raises(BadCallError):
        runner.prepare(ToolCall("files_write", {"folder": "notes", "file": "a", "text": "x" * 200_001}))
