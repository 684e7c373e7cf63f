from __future__ import annotations

import pytest
from helpers.project_folders import ASSISTANT_ID, write_project
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFrame

from satchel.builder.library.cards import ChatRow
from satchel.runtime.commands.library import list_library, projects_folder, sample_pack
from satchel.runtime.session.history import History


def names(driver):
    return [card.entry.name for card in driver.page.cards]


@pytest.fixture
def three(person):
    """Three projects, one of them broken, and a chat with the first."""
    write_project(projects_folder(person) / "tides", files={"knowledge/a.md": "A"})
    other = ASSISTANT_ID.replace("1", "2")
    house = write_project(projects_folder(person) / "house")
    text = (house / "assistant.toml").read_text()
    (house / "assistant.toml").write_text(
        text.replace(ASSISTANT_ID, other).replace("Tide tutor", "House rules") + 'description = "Answers tenants."\n'
    )
    broken = write_project(projects_folder(person) / "broken")
    (broken / "assistant.toml").write_text("format = ")
    with History(person.history) as history:
        history.create_chat(ASSISTANT_ID, "When does the harbour flood?")
    return person


def test_a_new_person_finds_the_sample_ready(driver):
    assert names(driver) == ["Astronomy tutor"]
    assert driver.page.states.state == "full"


@pytest.mark.usefixtures("three")
def test_assistants_and_chats_are_shown_the_last_used_first(driver):
    assert names(driver)[0] == "Tide tutor"
    assert set(names(driver)) == {"Tide tutor", "House rules", "broken", "Astronomy tutor"}
    rows = driver.page.findChildren(ChatRow)
    assert [row.accessibleName() for row in rows] == ["When does the harbour flood?"]
    broken = next(card for card in driver.page.cards if card.entry.name == "broken")
    assert "assistant.toml" in broken.accessibleDescription()


@pytest.mark.usefixtures("three")
def test_searching_and_sorting(driver):
    page = driver.page
    driver.qtbot.keyClicks(page.search, "tenants")
    driver.until(lambda: names(driver) == ["House rules"])
    driver.qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    page.search.clear()
    driver.until(lambda: len(names(driver)) == 4)
    page._sort_by("name")
    assert names(driver) == ["Astronomy tutor", "broken", "House rules", "Tide tutor"]
    driver.qtbot.keyClicks(page.search, "zebra")
    driver.until(lambda: page.states.state == "empty")
    driver.click("Show all")
    assert page.states.state == "full"


def test_deleting_can_be_undone_and_only_then_touches_the_disk(three, driver):
    page = driver.page
    card = next(card for card in page.cards if card.entry.name == "House rules")
    folder = projects_folder(three) / "house"

    page.actions_of.delete(card.entry)
    assert "House rules" not in names(driver)
    assert folder.exists()
    driver.click("Undo")
    assert "House rules" in names(driver)

    page.actions_of.delete(card.entry)
    driver.click("Dismiss")
    driver.until(lambda: not folder.exists())
    driver.idle()
    assert "House rules" not in names(driver)


def test_the_sample_can_be_deleted_and_brought_back(driver, person):
    driver.page.actions_of.delete(driver.page.cards[0].entry)
    driver.window.notices.settle()
    driver.until(lambda: list_library(person) == ())
    driver.click("Bring the sample assistant back")
    driver.until(lambda: driver.page.cards)
    assert names(driver) == ["Astronomy tutor"]


def test_duplicating_makes_a_project_of_ones_own(driver, person):
    driver.page.actions_of.duplicate(driver.page.cards[0].entry)
    driver.until(lambda: "Astronomy tutor 2" in names(driver))
    copy = next(entry for entry in list_library(person) if entry.kind == "project")
    assert (copy.name, copy.files) == ("Astronomy tutor 2", 30)


def test_a_card_opens_its_chat_by_mouse_and_by_keyboard(driver):
    card = driver.page.cards[0]
    card.setFocus(Qt.FocusReason.TabFocusReason)
    driver.qtbot.keyClick(card, Qt.Key.Key_Return)
    assert driver.window.page_key == "chat"
    driver.until(lambda: driver.page.view.assistant is not None)


def test_a_pack_dropped_on_the_window_is_reviewed(driver):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(sample_pack()))])
    none = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none)
    QApplication.sendEvent(driver.window, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none)
    QApplication.sendEvent(driver.window, drop)
    driver.until(lambda: driver.window.page_key == "chat")
    driver.until(lambda: driver.page.view.assistant is not None)
    notice = driver.window.notices.shown
    assert isinstance(notice, QFrame)
    assert notice.accessibleName() == "From Satchel, unsigned. It asks for nothing."
