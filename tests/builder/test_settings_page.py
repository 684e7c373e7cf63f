from __future__ import annotations

import pytest
from helpers.project_folders import write_project
from PySide6.QtWidgets import QAbstractButton

from satchel.builder.settings_page.storage import delete_item, read_storage, total
from satchel.runtime.commands.library import projects_folder
from satchel.runtime.session.history import History
from satchel.runtime.settings import load_settings


@pytest.fixture
def settings(driver):
    driver.shell.open("settings")
    driver.until(lambda: driver.page.storage.items)
    driver.idle()
    return driver


def test_light_and_dark_switch_at_once(settings):
    settings.click("Dark")
    assert settings.shell.appearance.tokens.dark
    settings.click("Light")
    assert not settings.shell.appearance.tokens.dark
    settings.page.enter.click()
    assert not settings.shell.preferences.enter_sends


def test_what_is_set_is_in_the_file_at_once_with_what_a_person_wrote_there(settings, person):
    person.settings.mkdir(parents=True, exist_ok=True)
    (person.settings / "settings.toml").write_text("threads = 1  # leave me one\n")
    settings.shell.open("settings")
    settings.until(lambda: settings.page.answers.threads.value() == 1)
    settings.page.answers.minutes.setValue(0)
    settings.idle()
    settings.page.answers.context.setValue(4096)
    settings.idle()
    kept = load_settings(person.settings)
    assert (kept.unload_minutes, kept.context, kept.threads) == (0, 4096, 1)
    assert "# leave me one" in (person.settings / "settings.toml").read_text()


def test_a_file_that_cannot_be_read_is_told_and_not_written_over(settings, person):
    person.settings.mkdir(parents=True, exist_ok=True)
    (person.settings / "settings.toml").write_text("threads = many")
    settings.shell.open("settings")
    settings.until(lambda: not settings.page.answers.isEnabled())
    assert "settings.toml" in settings.window.notices.shown.accessibleName()
    settings.idle()


def test_what_takes_room_is_listed_and_given_back(person):
    write_project(projects_folder(person) / "tides", files={"knowledge/tides.md": "x" * 5000})
    with History(person.history) as history:
        history.create_chat("a", "First")
        history.create_chat("a", "Second")
    person.data.mkdir(exist_ok=True)
    items = {item.kind: item for item in read_storage(person)}
    assert items["project"].bytes > 5000
    assert items["chats"].about == "2 chats"
    assert total(tuple(items.values())) == sum(item.bytes for item in items.values())
    delete_item(items["project"], person)
    delete_item(items["chats"], person)
    assert {item.kind for item in read_storage(person)} == {"cache"}
    assert not (projects_folder(person) / "tides").exists()


def test_deleting_can_be_undone_until_its_notice_is_gone(settings, person):
    write_project(projects_folder(person) / "tides")
    settings.shell.tell_changed("assistants")
    settings.until(lambda: settings.has(QAbstractButton, "Delete Tide tutor"))
    settings.click("Delete Tide tutor")
    assert not settings.has(QAbstractButton, "Delete Tide tutor")
    settings.click("Undo", settings.window.notices.shown)
    settings.until(lambda: settings.has(QAbstractButton, "Delete Tide tutor"))
    settings.click("Delete Tide tutor")
    settings.window.notices.settle()
    settings.until(lambda: not (projects_folder(person) / "tides").exists())
    settings.idle()
