"""The commands that a window runs in a process beside it, and the pages that citations open."""

from __future__ import annotations

import os
import shutil
import signal

import pytest
from helpers.python_processes import run_python

from satchel.runtime.commands.aside import Aside
from satchel.runtime.commands.inspect import inspect
from satchel.runtime.commands.show_page import PageRequest
from satchel.runtime.errors import CancelledError, WorkerDiedError
from satchel.runtime.knowledge.extract.pdf.page_picture import find_quote
from satchel.runtime.packfile.errors import NotAPackError, UnknownKnowledgeFileError
from satchel.runtime.packfile.store import PackStore


@pytest.fixture
def aside(warm_home):
    with Aside(warm_home) as beside:
        yield beside


def quoted(aside, harbour, words):
    verified = aside.verify_once(str(harbour.pack))
    text = aside.show_page(verified, None, PageRequest("handbook.pdf", 2))
    start = text.start + text.text.index(words)
    return aside.show_page(verified, None, PageRequest("handbook.pdf", 2, start, start + len(words), 600))


def test_commands_give_what_they_give_in_this_process(aside, harbour, warm_home):
    assert aside.inspect(harbour.pack) == inspect(harbour.pack)

    steps = []
    installed = aside.install(harbour.pack, progress=lambda *step: steps.append(step))
    assert installed.pack == PackStore(warm_home).list()[0]
    assert steps

    folder = aside.duplicate(installed.pack.pack_id, "Copy")
    assert (folder / "knowledge" / "tides.md").exists()


def test_errors_come_over_as_themselves(aside, tmp_path):
    (tmp_path / "a.pack").write_text("hello")
    with pytest.raises(NotAPackError, match=r"a\.pack"):
        aside.inspect(tmp_path / "a.pack")


def test_progress_that_raises_cancels(aside, harbour):
    def enough(_stage, _done, _total):
        raise CancelledError

    with pytest.raises(CancelledError):
        aside.install(harbour.pack, progress=enough)
    assert aside.inspect(harbour.pack).identity.name == "Harbour guide"


def test_what_was_verified_there_is_known_here(aside, harbour, warm_home):
    verified = aside.verify_once(str(harbour.pack))

    assert PackStore(warm_home).verified_before(harbour.pack) == verified


def test_the_page_of_a_quote_is_drawn_with_its_lines_marked(aside, harbour):
    page = quoted(aside, harbour, "Diesel is sold at the eastern pier")

    picture = page.picture
    assert picture is not None
    assert page.pages == 3
    assert picture.width == 600
    assert len(picture.pixels) == picture.width * picture.height * 3
    assert len(picture.marks) == 1
    (mark,) = picture.marks
    assert 0 < mark.left < mark.left + mark.width < 600
    assert 4 < mark.height < 30
    # There is ink under the mark.
    row = round(mark.top + mark.height / 2)
    line = picture.pixels[row * 1800 : (row + 1) * 1800]
    assert min(line[round(mark.left) * 3 : round(mark.left + mark.width) * 3]) < 128


def test_a_file_without_pages_is_shown_whole(aside, harbour):
    verified = aside.verify_once(str(harbour.pack))

    page = aside.show_page(verified, None, PageRequest("gate.txt", None, 4, 14, 600))
    assert (page.page, page.pages, page.picture) == (None, 0, None)
    assert page.text[4:14] == "flood gate"


def test_a_projects_own_file_is_drawn_and_one_that_changed_is_shown_as_text(aside, harbour_folder, warm_home):
    from satchel.runtime.commands.index import index_project

    index = index_project(harbour_folder, warm_home)
    verified = aside.verify_once(str(index.path))
    request = PageRequest("handbook.pdf", 2, width=300)
    assert aside.show_page(verified, harbour_folder, request).picture is not None

    shutil.copy(harbour_folder / "knowledge" / "rules.docx", harbour_folder / "knowledge" / "handbook.pdf")
    with Aside(warm_home) as another:
        page = another.show_page(verified, harbour_folder, request)
    assert page.picture is None
    assert page.no_picture == "handbook.pdf has changed or gone since it was read."
    assert "Diesel" in page.text


def test_a_file_that_is_not_there_is_named(aside, harbour):
    verified = aside.verify_once(str(harbour.pack))
    with pytest.raises(UnknownKnowledgeFileError, match=r"nothing\.pdf"):
        aside.show_page(verified, None, PageRequest("nothing.pdf", 1))


def test_after_its_death_the_next_page_is_shown_again(aside, harbour):
    verified = aside.verify_once(str(harbour.pack))
    request = PageRequest("handbook.pdf", 1, width=200)
    first = aside.show_page(verified, None, request)
    os.kill(aside._worker.pid, signal.SIGKILL)
    try:
        second = aside.show_page(verified, None, request)
    except WorkerDiedError:
        second = aside.show_page(verified, None, request)
    assert first == second


def test_the_caller_imports_neither_numpy_nor_a_parser():
    code = (
        "import sys\nfrom satchel.runtime.commands import aside, answer, library\n"
        "print([name for name in ('numpy', 'pypdf', 'pypdfium2', 'lxml', 'llama_cpp', 'torch') if name in sys.modules])"
    )
    assert run_python(code).stdout.strip() == "[]"


def test_a_quote_is_found_where_it_stands_and_by_its_ends_where_it_is_broken():
    letters = "abc" * 20 + "thequoteishere" + "abc" * 20 + "thequoteishere"
    assert find_quote(letters, "thequoteishere", 0.3) == (60, 74)
    assert find_quote(letters, "thequoteishere", 0.9) == (134, 148)
    first, last = "inthebeginningtherewasalongsentenceaboutboats", "andatitsendtherewasanotheroneaboutthelock"
    broken = "x" * 10 + first + "footnote" + last + "y"
    assert find_quote(broken, first + last, 0.0) == (10, 10 + len(first) + len("footnote") + len(last))
    assert find_quote(letters, "somethingelse", 0.0) is None
    assert find_quote(letters, "", 0.0) is None
