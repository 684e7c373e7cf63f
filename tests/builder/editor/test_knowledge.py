from __future__ import annotations

import pytest
from helpers.project_folders import write_files, write_project
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton

from satchel.builder.editor.file_table import FileTable
from satchel.builder.editor.knowledge_rows import Overview, Row, rows_of, summary, work_words
from satchel.builder.editor.search_results import found_of, marked
from satchel.builder.operations import Step
from satchel.runtime.commands.search import SearchResult
from satchel.runtime.knowledge.answers import FileExplanation, FoundPassage
from satchel.runtime.project.folder import KnowledgeFile, load_project
from satchel.runtime.project.outcomes import IndexedFile, ProjectIndex

TIDES = "# Tides\n\nThe harbour of Varnow floods when a spring tide meets a north wind.\n"


def indexed(name, *, language="en", pages=0, passages=1, problem=""):
    return IndexedFile(name, "text/plain", language, pages, 100, passages, problem)


def listed(path, *names, linked=()):
    return tuple(KnowledgeFile(name, path / name, name in linked) for name in names)


def test_a_row_says_what_became_of_its_file(tmp_path):
    files = listed(tmp_path, "a.pdf", "b.md", "c.md", "d.pdf", "e.md", "notes/f.md", linked=("notes/f.md",))
    known = (
        indexed("a.pdf", pages=500, passages=1200),
        indexed("b.md", language="de"),
        indexed("c.md", passages=0, problem="c.md needs a password."),
        indexed("notes/f.md"),
    )
    overview = Overview(
        files,
        ("../notes",),
        ("notes",),
        index=ProjectIndex("x.pack", known, 1202, True, "MiniLM"),
        step=Step("reading d.pdf", 112, 500),
    )
    rows = {row.name: row for row in rows_of(overview, english_only=True)}
    assert (rows["a.pdf"].pages, rows["a.pdf"].passages, rows["a.pdf"].words) == ("500", "1,200", "ready")
    assert (rows["b.md"].state, rows["b.md"].words) == ("note", "German: search by meaning is weak")
    assert (rows["c.md"].state, rows["c.md"].words) == ("failed", "needs a password.")
    assert (rows["d.pdf"].words, rows["d.pdf"].fraction) == ("reading p. 112 of 500", 112 / 500)
    assert rows["e.md"].words == "waiting"
    assert (rows["../notes"].pages, rows["../notes"].words) == ("1 file", "linked")
    assert list(rows)[-1] == "../notes"
    assert summary(list(rows.values()), overview.index) == "4 files, 1,202 passages; 1 cannot be read"
    assert {row.name: row.state for row in rows_of(overview, english_only=False)}["b.md"] == "ready"


def test_work_on_all_files_is_told_apart_from_the_reading_of_one():
    assert work_words(Step("reading a.md", 1, 2)) is None
    assert work_words(Step("embedding passages", 1, 2)).stage == "making passages searchable"


def test_the_question_is_marked_in_what_it_finds_whatever_its_ending():
    assert marked("The quay floods.", ["flood", "quay"]) == (
        ("The ", False),
        ("quay", True),
        (" ", False),
        ("floods", True),
        (".", False),
    )
    passage = FoundPassage("a/tides.pdf", 12, "xii", 0, 9, "It floods " + "and ebbs " * 60, 1.0, 4.0, None)
    why = (FileExplanation("b.md", "en", used=False, reason="it has no text", rank=None),)
    found = found_of("when does it flood", SearchResult((passage,), 2, (), why))
    (hit,) = found.hits
    assert (hit.place, hit.meaning, hit.words) == ("tides.pdf · p. xii", None, 1.0)
    assert sum(len(text) for text, _ in hit.pieces) < 300
    assert found.kept_back == "2 more below the relevance gate"
    assert found.why == (("b.md", "it has no text"),)


@pytest.fixture
def folder(tmp_path):
    return write_project(
        tmp_path / "tides", files={"knowledge/tides.md": TIDES, "knowledge/broken.pdf": b"%PDF-1.7 nothing"}
    )


@pytest.fixture
def knowledge(driver, folder):
    driver.shell.open("editor", folder=str(folder))
    driver.until(lambda: driver.page.document is not None)
    driver.page.show_tab("knowledge")
    driver.until(lambda: driver.page.preview.chat.assistant is not None)
    return driver.page.tab("knowledge")


def states(tab):
    return {line.row.name: line.row.state for line in tab.table.lines}


def drop(tab, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, buttons, keys)
    tab.dragEnterEvent(entering)
    assert entering.isAccepted()
    tab.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, mime, buttons, keys))


def test_files_that_are_dropped_are_copied_read_and_answered_from(driver, knowledge, folder, tmp_path):
    assert states(knowledge) == {"broken.pdf": "failed", "tides.md": "ready"}
    write_files(tmp_path / "in", {"fees.md": "The mooring fee is 12 euros a night.", ".hidden": "x"})
    drop(knowledge, tmp_path / "in")
    driver.until(lambda: states(knowledge).get("in/fees.md") == "ready")
    assert (folder / "knowledge" / "in" / "fees.md").exists()
    driver.until(lambda: not driver.page.preview.chat.busy)
    chat = driver.page.preview.chat
    chat.send("What is the mooring fee?")
    driver.until(lambda: not chat.busy and len(chat.entries) == 2)
    assert "12 euros" in chat.entries[-1].text


def test_a_file_of_the_same_name_is_replaced_only_when_asked(driver, knowledge, folder, tmp_path):
    write_files(tmp_path / "new", {"tides.md": "# Tides\n\nThe quay never floods at all.\n"})
    drop(knowledge, tmp_path / "new" / "tides.md")
    driver.until(lambda: driver.has(QAbstractButton, "Replace"))
    assert (folder / "knowledge" / "tides.md").read_text() == TIDES
    driver.click("Replace")
    driver.until(lambda: "never" in (folder / "knowledge" / "tides.md").read_text())
    driver.until(lambda: not knowledge.work.is_reading)


def test_a_removed_file_comes_back_by_undo(driver, knowledge, folder):
    driver.click("Remove tides.md")
    driver.until(lambda: "tides.md" not in states(knowledge) and not knowledge.work.is_reading)
    assert not (folder / "knowledge" / "tides.md").exists()
    driver.click("Undo", driver.window.notices.shown)
    driver.until(lambda: states(knowledge).get("tides.md") == "ready")
    assert (folder / "knowledge" / "tides.md").read_text() == TIDES
    driver.until(lambda: not knowledge.work.is_reading)


def test_a_linked_folder_stays_where_it_is_and_its_changes_are_read(driver, knowledge, folder, tmp_path):
    notes = tmp_path / "notes"
    write_files(notes, {"one.md": "The ferry to Lom leaves at noon."})
    knowledge.work.add([notes], link=True)
    driver.until(lambda: states(knowledge).get("../notes") == "ready")
    assert load_project(folder).assistant.knowledge.links == ["../notes"]
    write_files(notes, {"two.md": "The ferry to Rye leaves at dusk."})
    driver.until(
        lambda: knowledge.table.lines[-1].row.pages == "2 files" and knowledge.table.lines[-1].row.passages == "2"
    )
    driver.until(lambda: not knowledge.work.is_reading)


def test_the_ticks_are_off_at_first_and_are_written_in_plain_keys(driver, knowledge, folder):
    assert not knowledge.trusted.isChecked()
    knowledge.trusted.click()
    knowledge.public.click()
    driver.until(lambda: driver.page.document.is_saved and not knowledge.work.is_reading)
    ticked = load_project(folder).assistant.knowledge
    assert (ticked.trusted, ticked.public) == (True, True)
    driver.page.document.undo()
    assert not knowledge.public.isChecked()
    driver.until(lambda: driver.page.document.is_saved and not knowledge.work.is_reading)


def test_the_box_shows_what_a_question_finds_and_why_a_file_is_not_among_it(driver, knowledge):
    driver.qtbot.keyClicks(knowledge.search.field, "when does it flood")
    driver.until(lambda: knowledge.search.found is not None)
    (hit,) = knowledge.search.found.hits
    assert ("floods", True) in hit.pieces
    driver.click("Why not the other files?")
    assert knowledge.search.found.why[0][0] == "broken.pdf"
    driver.idle()


def test_settings_for_those_who_look_for_them_are_written_and_wrong_ones_are_told(driver, knowledge, folder):
    driver.click("More", knowledge)
    knowledge.more.k.setValue(3)
    knowledge.more.size.setValue(100)
    driver.until(lambda: driver.page.document.is_saved and not knowledge.work.is_reading)
    assert load_project(folder).assistant.retrieval.k == 3
    knowledge.more.overlap.setValue(90)
    assert driver.page.document.state == "problem"
    knowledge.more.overlap.setValue(40)
    driver.until(lambda: driver.page.document.is_saved and not knowledge.work.is_reading)
    assert load_project(folder).assistant.retrieval.overlap_tokens == 40


def test_a_folder_of_many_files_is_shown_bit_by_bit_in_order(appearance, qtbot):
    def row(number):
        return Row(f"{number:03}.md", "file", "file-text", "", "", "", "waiting", "waiting")

    table = FileTable(appearance)
    qtbot.addWidget(table)
    table.show_rows([row(number) for number in range(0, 300, 2)])
    assert len(table.lines) < 20
    qtbot.waitUntil(lambda: len(table.lines) == 150)
    table.show_rows([row(number) for number in range(300) if number != 4])
    qtbot.waitUntil(lambda: len(table.lines) == 200)
    names = [line.row.name for line in table.lines]
    assert names == sorted(names)
    assert "004.md" not in names
    assert not table.more.isHidden()
    table.more.click()
    qtbot.waitUntil(lambda: len(table.lines) == 299)
    assert table.more.isHidden()
