from __future__ import annotations

import pytest
from helpers.project_folders import write_project
from helpers.python_processes import run_python, run_satchel
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

from satchel.builder.commands import Command, find_commands
from satchel.builder.preferences import Preferences, load_preferences, save_preferences
from satchel.runtime.commands.library import sample_pack

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_the_rail_goes_to_each_page_and_back(driver):
    driver.click("Chats")
    assert driver.window.page_key == "chat"
    driver.until(lambda: driver.page.view.states.state == "empty")
    driver.click("Open the library")
    assert driver.window.page_key == "library"


def test_the_palette_reaches_commands_assistants_and_pages(driver):
    driver.key(Qt.Key.Key_K, CONTROL)
    sheet = driver.window.palette_sheet
    assert sheet.isVisible()
    driver.qtbot.keyClicks(sheet.field, "astro")
    driver.until(lambda: sheet._found.rowCount() >= 1)
    driver.qtbot.keyClick(sheet.field, Qt.Key.Key_Return)
    assert not sheet.isVisible()
    driver.until(lambda: driver.window.page_key == "chat" and driver.page.view.assistant is not None)
    driver.key(Qt.Key.Key_K, CONTROL)
    driver.qtbot.keyClicks(sheet.field, "librar")
    driver.qtbot.keyClick(sheet.field, Qt.Key.Key_Return)
    assert driver.window.page_key == "library"
    driver.key(Qt.Key.Key_K, CONTROL)
    driver.qtbot.keyClick(sheet.field, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    driver.idle()


def test_everything_that_can_be_pressed_has_a_name(driver):
    driver.open_sample()
    driver.say("hello")
    nameless = [
        button
        for button in driver.window.findChildren(QAbstractButton)
        if button.isVisible() and not (button.accessibleName() or button.text())
    ]
    assert nameless == []


def test_f6_goes_round_the_panes(driver):
    page = driver.open_sample()
    assert page.view.composer.field.hasFocus()
    visited = set()
    for _ in range(4):
        driver.window.next_pane()
        visited.add(driver.window.focusWidget())
    assert len(visited) >= 3


def test_shortcuts_are_the_pages_commands(driver):
    page = driver.open_sample()
    shown = page.history.isVisible()
    driver.key(Qt.Key.Key_H, CONTROL)
    assert page.history.isVisible() is not shown
    page.view.list.setFocus()
    driver.key(Qt.Key.Key_L, CONTROL)
    assert page.view.composer.field.hasFocus()


def test_the_window_remembers_its_place_and_the_appearance(open_window, person):
    first = open_window()
    first.until(lambda: first.page.cards)
    first.window.resize(1000, 700)
    first.shell.prefer(appearance="dark")
    assert first.shell.appearance.tokens.dark
    first.window.close()
    kept = load_preferences(person.settings)
    assert kept.appearance == "dark"
    second = open_window()
    second.until(lambda: second.page.cards)
    assert second.window.height() == 700
    assert second.shell.appearance.tokens.dark


def test_preferences_that_cannot_be_read_are_none(tmp_path):
    assert load_preferences(tmp_path) == Preferences()
    (tmp_path / "window.json").write_text('{"appearance": "pink"}')
    assert load_preferences(tmp_path) == Preferences()
    save_preferences(tmp_path, Preferences(appearance="light"))
    assert load_preferences(tmp_path).appearance == "light"


def command(title, hint=""):
    return Command(title, lambda: None, hint=hint)


def test_commands_are_found_by_the_beginnings_of_their_words():
    commands = [command("Export as Markdown…"), command("New chat"), command("Marble tutor", "assistant")]
    assert [found.title for found in find_commands(commands, "mar")] == ["Marble tutor", "Export as Markdown…"]
    assert [found.title for found in find_commands(commands, "chat new")] == ["New chat"]
    assert [found.title for found in find_commands(commands, "assis")] == ["Marble tutor"]
    assert find_commands(commands, "zz") == []
    assert find_commands(commands, "") == commands


@given(st.text(max_size=20))
def test_no_typing_breaks_the_palette(typed):
    find_commands([command("New chat")], typed)


@pytest.mark.parametrize("given_file", ["pack", "folder", "nothing"])
@pytest.mark.usefixtures("person")
def test_gui_opens_from_the_command_line(given_file, tmp_path):
    folder = write_project(tmp_path / "tides")
    arguments = {"pack": [str(tmp_path / "a.pack")], "folder": [str(folder)], "nothing": []}[given_file]
    done = run_satchel(["gui", *arguments, "--exit-when-ready"])
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.usefixtures("person")
def test_the_process_of_the_window_loads_neither_numpy_nor_a_model_nor_a_parser():
    code = """
import sys
from PySide6.QtCore import QTimer
from satchel.builder.app import Application, make_window
from satchel.runtime.commands.library import sample_pack
from satchel.runtime.paths import find_home
application = Application([])
window = make_window(application, find_home())
window.show()
window.shell.open("chat", reference=str(sample_pack()))
view = window.page.view
view.opened.connect(lambda _opened: view.send("How fast must a spacecraft go to escape from Earth?"))
view.source_opened.connect(lambda *_source: QTimer.singleShot(1500, window, window.close))
application.exec()
heavy = "numpy torch llama_cpp pypdf pypdfium2 lxml selectolax docx PIL jinja2 py3langid".split()
print(len(view.entries), [name for name in heavy if name in sys.modules])
"""
    assert run_python(code).stdout.strip() == "2 []"


class Watch(QObject):
    """Notes every widget that is shown as a window of its own."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def eventFilter(self, watched, event):  # noqa: N802 - Qt's name
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(watched)
        return False


def test_nothing_but_the_window_ever_flashes_up(driver, qapp):
    """A part that is shown before it has a parent does, and takes the focus away."""
    watch = Watch()
    qapp.installEventFilter(watch)
    page = driver.open_sample()
    driver.say("How fast must a spacecraft go to escape from Earth?")
    page.view._ask_about_link("https://example.org")
    driver.window.show_palette()
    driver.idle()
    driver.shell.open("import", path=str(sample_pack()), review=True)
    driver.until(lambda: driver.page.states.state == "full")
    qapp.removeEventFilter(watch)
    assert watch.seen == []
    assert driver.window.isActiveWindow()
