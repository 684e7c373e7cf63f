from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from helpers.project_folders import write_project
from helpers.python_processes import run_python
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton

from satchel.builder.editor.saving import open_draft
from satchel.runtime.project.folder import load_project

CONTROL = Qt.KeyboardModifier.ControlModifier
TIDES = "# Tides\n\nThe harbour of Varnow floods when a spring tide meets a north wind.\n"


@pytest.fixture
def folder(tmp_path):
    return write_project(
        tmp_path / "tides",
        settings='greeting = "Ahoy."\nstarters = ["When does it flood?"]  # asked most\n',
        files={"knowledge/tides.md": TIDES, "instructions.md": "Be short."},
    )


@pytest.fixture
def editor(driver, folder):
    driver.shell.open("editor", folder=str(folder))
    driver.until(lambda: driver.page.document is not None)
    driver.until(lambda: driver.page.preview.chat.assistant is not None)
    return driver


def type_over(driver, field, text):
    field.setFocus()
    field.selectAll()
    driver.qtbot.keyClicks(field, text)


def saved(driver):
    driver.until(lambda: driver.page.document.is_saved and driver.page.document.state == "saved")


def test_the_form_saves_itself_into_the_project_and_keeps_what_a_person_wrote_there(editor, folder):
    persona = editor.page.tab("persona")
    type_over(editor, persona.name, "Tide master")
    type_over(editor, persona.purpose, "When it floods.")
    persona.instructions.setFocus()
    editor.qtbot.keyClicks(persona.instructions, "Say where. ")
    editor.click("Add a starter")
    editor.qtbot.keyClicks(persona.starters.lines[-1], "Why?")
    saved(editor)
    project = load_project(folder)
    assert project.assistant.name == "Tide master"
    assert project.assistant.description == "When it floods."
    assert project.assistant.starters == ["When does it flood?", "Why?"]
    assert project.instructions == "Say where. Be short."
    assert "# asked most" in (folder / "assistant.toml").read_text()
    editor.click("Remove this starter", persona.starters._rows[0])
    saved(editor)
    assert load_project(folder).assistant.starters == ["Why?"]


def test_everything_can_be_undone_and_redone_from_the_keyboard(editor):
    persona = editor.page.tab("persona")
    type_over(editor, persona.name, "Other")
    persona.instructions.setFocus()
    editor.qtbot.keyClicks(persona.instructions, "x")
    editor.qtbot.keyClick(persona.instructions, Qt.Key.Key_Z, CONTROL)
    assert persona.instructions.toPlainText() == "Be short."
    editor.qtbot.keyClick(persona.name, Qt.Key.Key_Z, CONTROL)
    assert persona.name.text() == "Tide tutor"
    editor.qtbot.keyClick(persona.name, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert persona.name.text() == "Other"
    saved(editor)


def test_without_a_name_nothing_is_saved_and_the_field_says_so(editor, folder):
    persona = editor.page.tab("persona")
    persona.name.setFocus()
    persona.name.selectAll()
    editor.qtbot.keyClick(persona.name, Qt.Key.Key_Backspace)
    assert editor.page.document.state == "problem"
    assert persona._name_field._note.text() == "An assistant needs a name."
    editor.qtbot.keyClicks(persona.name, "A")
    saved(editor)
    assert load_project(folder).assistant.name == "A"
    assert not persona._name_field._note.isVisible()


def test_the_preview_shows_the_form_at_once_and_answers_with_it(editor, person):
    page = editor.page
    chat = page.preview.chat
    chat.send("When does the harbour flood?")
    editor.until(lambda: not chat.busy and len(chat.entries) == 2)
    assert "spring tide" in chat.entries[-1].text
    persona = page.tab("persona")
    type_over(editor, persona.greeting, "Moin.")
    assert chat.assistant.assistant.greeting == "Moin."
    assert persona.greeting.hasFocus()
    assert chat.is_stale
    editor.until(lambda: editor.has(QAbstractButton, "Ask again"))
    editor.click("Ask again")
    editor.until(lambda: not chat.busy and chat.entries and len(chat.entries[-1].branches) == 2)
    assert not chat.is_stale
    assert not person.history.exists()  # the preview's chats are not among the person's own


def test_the_note_about_quotes_stands_beside_the_instructions_while_no_model_answers(editor):
    persona = editor.page.tab("persona")
    editor.until(persona._note.isVisible)
    assert "language model does" in persona._note.text()
    assert persona.tokens.text() == "about 3 of 8,192 tokens"


def test_a_picture_becomes_the_avatar_and_initials_come_back(editor, folder, tmp_path):
    image = QImage(400, 300, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.transparent)
    image.save(str(tmp_path / "face.jpg"))
    persona = editor.page.tab("persona")
    persona.take_picture(tmp_path / "face.jpg")
    editor.until((folder / "avatar.png").exists)
    made = QImage(str(folder / "avatar.png"))
    assert (made.width(), made.height()) == (256, 256)
    saved(editor)
    persona._take_avatar(b"")
    editor.until(lambda: not (folder / "avatar.png").exists())
    (tmp_path / "no.png").write_text("no picture")
    persona.take_picture(tmp_path / "no.png")
    editor.until(lambda: editor.window.notices.shown is not None)
    assert "no.png cannot be used as a picture" in editor.window.notices.shown.accessibleName()
    saved(editor)


def test_a_new_assistant_is_made_from_a_template_and_opens_in_the_editor(driver, person):
    driver.key(Qt.Key.Key_N, CONTROL)
    driver.until(lambda: driver.window.page_key == "new" and driver.page.cards)
    driver.qtbot.keyClicks(driver.page.name, "House rules")
    driver.press(driver.page.cards["handbook"])
    driver.click("Make it")
    driver.until(lambda: driver.window.page_key == "editor" and driver.page.document is not None)
    assert driver.page.document.draft.assistant.name == "House rules"
    assert driver.page.folder == person.data / "assistants" / "house-rules"
    driver.until(lambda: driver.page.preview.chat.assistant is not None)


def test_a_broken_project_is_told_with_its_key_and_opens_when_it_is_mended(driver, folder):
    good = (folder / "assistant.toml").read_text()
    (folder / "assistant.toml").write_text(good + "[retrieval]\nk = 0\n")
    driver.shell.open("editor", folder=str(folder))
    driver.until(lambda: driver.page.states.state == "failed")
    (folder / "assistant.toml").write_text(good)
    driver.click("Retry")
    driver.until(lambda: driver.page.document is not None and driver.page.preview.chat.assistant is not None)


def test_what_was_typed_last_survives_the_death_of_the_window(folder, person):
    code = f"""
import os, signal
from PySide6.QtTest import QTest
from satchel.builder.app import Application, make_window
from satchel.runtime.paths import find_home
application = Application([])
window = make_window(application, find_home())
window.show()
window.shell.open("editor", folder={str(folder)!r})
while window.page.document is None:
    application.processEvents()
field = window.page.tab("persona").instructions
field.setFocus()
QTest.keyClicks(field, "Never forget me. ")
window.page.preview.close_down()
window.page.work.close_down()
window.shell.operations.close()
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert load_project(folder).instructions == "Be short."
    opened = open_draft(folder, person)
    assert opened.recovered
    assert opened.draft.instructions == "Never forget me. Be short."


def test_a_citation_of_the_preview_opens_its_page_and_esc_goes_back(editor):
    pane = editor.page.preview
    pane.chat.send("When does the harbour flood?")
    editor.until(lambda: not pane.chat.busy and len(pane.chat.entries) == 2)
    pane.chat.source_opened.emit(pane.chat.entries[-1].sources[0], True)
    editor.until(lambda: pane.page is not None and pane.page.page is not None)
    assert "spring tide" in pane.page.page.text
    editor.key(Qt.Key.Key_Escape)
    assert pane.chat.isVisible()
    editor.idle()


@pytest.mark.usefixtures("person")
def test_the_editor_loads_neither_numpy_nor_a_model_nor_a_parser(folder):
    code = f"""
import sys, time
from satchel.builder.app import Application, make_window
from satchel.runtime.paths import find_home
application = Application([])
window = make_window(application, find_home())
window.show()
def until(condition):
    end = time.monotonic() + 50
    while not condition():
        application.processEvents()
        assert time.monotonic() < end
window.shell.open("editor", folder={str(folder)!r})
page = window.page
until(lambda: page.document is not None and page.preview.chat.assistant is not None)
for key in ("knowledge", "tools", "model", "evals"):
    page.show_tab(key)
page.tab("knowledge").search.field.setText("when does it flood")
until(lambda: page.tab("knowledge").search.found is not None and page.tab("model").states.state == "full")
page.preview.chat.send("When does it flood?")
until(lambda: len(page.preview.chat.entries) == 2 and not page.preview.chat.busy)
for name in ("models", "settings"):
    window.shell.open(name)
until(lambda: window.page.storage.items and not window.shell.operations.busy)
heavy = "numpy torch llama_cpp pypdf pypdfium2 lxml selectolax docx PIL jinja2 py3langid".split()
print([name for name in heavy if name in sys.modules])
window.close()
"""
    assert run_python(code).stdout.strip() == "[]"
