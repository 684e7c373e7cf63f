from __future__ import annotations

from pathlib import Path

import pytest
from helpers.packs import write_plain_pack
from helpers.project_folders import write_project
from PySide6.QtWidgets import QLabel, QPushButton

from satchel.builder.importing.review import read_review
from satchel.runtime.commands.build import build_pack
from satchel.runtime.commands.inspect import inspect
from satchel.runtime.commands.install import install
from satchel.runtime.commands.library import list_library
from satchel.runtime.packfile.store import PackStore

TOOLS = """
[tools.prices]
requests = ["net.fetch prices.example", "fs.write lists"]
[tools.calculate]
"""


@pytest.fixture
def asking(person, tmp_path):
    folder = write_project(
        tmp_path / "recipes",
        settings=TOOLS,
        files={"knowledge/book.md": "Bread needs flour.", "instructions.md": "Cook."},
    )
    return Path(build_pack(folder, tmp_path / "recipes.pack", person).path), folder


def words(driver):
    return [found.text() for found in driver.page.findChildren(QLabel) if found.isVisible()]


def review(driver, path):
    driver.shell.open("import", path=str(path))
    driver.until(lambda: driver.page.review is not None and driver.page.states.state == "full")


def test_everything_that_it_asks_for_and_carries_is_told_and_nothing_happens_before(driver, person, asking):
    pack, _ = asking
    review(driver, pack)
    said = words(driver)
    assert "Read web pages from prices.example" in said
    assert "change files in lists; for its tool “prices”" in said
    assert "Calculate" in said
    assert "1 file, 1 passage" in said
    assert "Instructions, 1 word" in said
    assert "Made for no model in particular" in said
    assert PackStore(person).list() == ()
    driver.click("Look inside")
    assert any(text.startswith("book.md · 18 B") for text in words(driver))
    driver.click("Close")
    driver.click("Cancel")
    assert driver.window.page_key == "library"
    assert PackStore(person).list() == ()


def test_importing_opens_its_chat_and_puts_it_into_the_library(driver, person, asking):
    pack, _ = asking
    review(driver, pack)
    driver.click("Import")
    driver.until(lambda: driver.window.page_key == "chat" and driver.page.view.assistant is not None)
    pack_id = inspect(pack).pack_id
    assert driver.page.view.assistant.assistant.pack_id == pack_id
    assert pack_id in {entry.reference for entry in list_library(person)}
    driver.click("What it holds")
    driver.until(lambda: driver.window.page_key == "import" and driver.page.states.state == "full")
    assert driver.has(QPushButton, "Open the chat")


def test_what_changed_since_the_installed_version_is_told(person, asking, tmp_path):
    pack, folder = asking
    install(pack, person)
    (folder / "knowledge" / "new.md").write_text("Cake.")
    (folder / "instructions.md").write_text("Cook well.\nAnd bake.")
    settings = (folder / "assistant.toml").read_text()
    (folder / "assistant.toml").write_text(settings.replace("prices.example", "other.example"))
    newer = Path(build_pack(folder, tmp_path / "newer.pack", person).path)

    told = read_review(newer, inspect(newer), person)
    assert told.since == "1.0.0"
    assert [change.title for change in told.changes] == [
        "now asks to read web pages from other.example",
        "no longer asks to read web pages from prices.example",
        "instructions: 2 lines changed",
        "files: 1 new",
    ]
    again = read_review(pack, inspect(pack), person)
    assert again.installed
    assert again.changes == ()


def test_a_pack_that_asks_for_nothing_opens_straight_into_its_chat(driver, tmp_path):
    pack = write_plain_pack(tmp_path / "plain.pack")
    driver.shell.open("import", path=str(pack))
    driver.until(lambda: driver.window.page_key == "chat" and driver.page.view.assistant is not None)
    assert driver.window.notices.shown.accessibleName() == "From A. Author, unsigned. It asks for nothing."


def test_what_is_no_pack_is_told_with_a_remedy(driver, tmp_path):
    (tmp_path / "letter.pack").write_text("Dear friend")
    driver.shell.open("import", path=str(tmp_path / "letter.pack"))
    driver.until(lambda: driver.page.states.state == "failed")
    assert any("letter.pack is not a Satchel pack" in text for text in words(driver))
    assert driver.has(QPushButton, "Retry")
    assert driver.has(QPushButton, "Copy details")


def test_a_pack_that_is_damaged_inside_is_refused_with_its_reason_and_nothing_is_kept(driver, person, asking):
    pack, _ = asking
    content = bytearray(pack.read_bytes())
    at = content.index(b"Bread needs flour.")
    content[at] ^= 1
    pack.write_bytes(content)
    review(driver, pack)
    driver.click("Import")
    driver.until(lambda: driver.has(QPushButton, "Retry"))
    assert any("is damaged" in text for text in words(driver))
    assert PackStore(person).list() == ()
