"""Tools' calls in a chat: their cards, the files that they made, and both again in an old chat."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QMenu

from satchel.builder.chat.artefacts import Artefacts
from satchel.builder.chat.conversation import Opening
from satchel.builder.chat.fixed_box import FixedBox
from satchel.builder.chat.rows import AnswerRow
from satchel.builder.chat.tool_card import ToolCard
from satchel.builder.chat.tool_uses import ToolUse, kept_uses, title_of
from satchel.builder.widgets.labels import ElidedLabel
from satchel.runtime.session.history import Part

SUM = {"expression": "317 * 24"}


def answer_row(driver):
    view = driver.page.view
    return view.list.built[max(row for row, widget in view.list.built.items() if isinstance(widget, AnswerRow))]


def boxes(card):
    return [box.text for box in card.findChildren(FixedBox) if box.isVisible()]


def picture(path: Path, width: int = 800) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = QImage(width, 300, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.transparent)
    assert image.save(str(path))
    return path


@pytest.fixture
def artefacts(driver):
    return Artefacts(driver.shell, [driver.shell.home.data])


def test_a_call_is_one_line_that_unfolds_to_arguments_and_result(open_tool_chat):
    driver = open_tool_chat("calculator", SUM, received=False)
    driver.say("How much is it?")
    (card,) = answer_row(driver).cards
    assert card.card.accessibleName() == "Calculated: done"
    assert card.height() <= 48
    assert boxes(card) == []
    driver.click("Show the call", card)
    driver.until(lambda: boxes(card) == ["expression: 317 * 24", "7608"])
    driver.click("Hide the call", card)
    assert boxes(card) == []


def test_a_failed_call_says_so(open_tool_chat):
    driver = open_tool_chat("calculator", {"expression": "1 / 0"}, received=False)
    driver.say("How much is it?")
    assert answer_row(driver).cards[0].card.accessibleName() == "Calculate: failed"


def test_an_old_chat_shows_the_calls_of_its_answers(open_tool_chat, tmp_path):
    driver = open_tool_chat("calculator", SUM, received=False)
    driver.say("How much is it?")
    view = driver.page.view
    opening = Opening(str(tmp_path / "assistant"), driver.page._chat.id, str(tmp_path / "tiny.gguf"))
    view.open(opening)
    driver.until(lambda: view.assistant is not None)
    assert view.entries[-1].uses == (ToolUse("calculator", SUM, "done", "7608"),)
    (card,) = answer_row(driver).cards
    assert card.state.text() == "done"


def test_pictures_are_shown_as_wide_as_fits_and_other_files_by_name(driver, appearance, artefacts, qtbot):
    folder = driver.shell.home.data / "artefacts" / "c"
    plot = picture(folder / "plot.png")
    table = folder / "table.csv"
    table.write_text("a,b\n", encoding="utf-8")
    card = ToolCard(appearance, ToolUse("python", {"code": "plot()"}, "done", "", (str(plot), str(table))), artefacts)
    qtbot.addWidget(card)
    card.show()
    driver.until(card.pictures[0].isVisible)
    assert (card.pictures[0].pixmap().width(), card.pictures[0].pixmap().height()) == (502, 188)
    names = [menu.parent().accessibleName() for menu in card.findChildren(QMenu)]
    assert names == ["plot.png", "table.csv"]


def test_nothing_outside_the_apps_folders_is_opened(driver, artefacts, tmp_path):
    outside = picture(tmp_path / "elsewhere" / "secret.png")
    inside = driver.shell.home.data / "artefacts" / "c"
    inside.mkdir(parents=True)
    (inside / "link.png").symlink_to(outside)
    for path in (outside, inside / "link.png", inside / ".." / ".." / ".." / ".." / "elsewhere" / "secret.png"):
        assert not artefacts.is_ours(str(path))
        assert artefacts.read(str(path), 100).isNull()


def test_a_file_that_is_no_picture_is_none_whatever_it_is_called(driver, artefacts):
    folder = driver.shell.home.data / "artefacts" / "c"
    folder.mkdir(parents=True)
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    for name in ("evil.png", "evil.svg"):
        (folder / name).write_text(drawing, encoding="utf-8")
        assert artefacts.read(str(folder / name), 100).isNull()


def test_a_copy_is_saved_where_the_person_says(driver, artefacts, monkeypatch, tmp_path):
    table = driver.shell.home.data / "artefacts" / "c" / "table.csv"
    table.parent.mkdir(parents=True)
    table.write_text("a,b\n", encoding="utf-8")
    chosen = tmp_path / "mine.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(chosen), ""))
    artefacts.save(str(table), driver.window)
    driver.until(lambda: chosen.exists() and not driver.shell.operations.busy)
    assert chosen.read_text(encoding="utf-8") == "a,b\n"


def test_arguments_are_no_markup_in_a_tooltip_either(driver, appearance, qtbot):
    hostile = "<img src=file:///etc/passwd> " * 6
    card = ToolCard(appearance, ToolUse("web_search", {"query": hostile}, "done"), None)
    qtbot.addWidget(card)
    card.resize(300, 60)
    card.show()
    (short,) = card.findChildren(ElidedLabel)
    driver.until(short.toolTip)
    assert "<img" not in short.toolTip()
    assert "&lt;img src=file:///etc/passwd&gt;" in short.toolTip()


def test_kept_parts_become_calls_in_their_order():
    parts = (
        Part("text", "Here."),
        Part("tool_call", detail={"name": "python", "arguments": {"code": "x"}, "decision": "deny"}),
        Part("tool_result", "Error: no"),
        Part("tool_call", detail={"name": "tides/levels", "arguments": {}, "decision": "allow"}),
        Part("tool_result", "2 m", {"artefacts": ["/data/a.png", "/data/b.csv"]}),
    )
    first, second = kept_uses(parts)
    assert (first.state, title_of(first)) == ("refused", "Run code")
    assert (second.state, title_of(second), second.pictures) == ("done", "tides/levels", ("/data/a.png",))
