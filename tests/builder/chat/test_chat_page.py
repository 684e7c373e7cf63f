"""The chat through the real window, the real runtime and the sample pack; the Starter where a model is needed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from helpers.chats import say_many
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QFrame, QPushButton

from satchel.builder.chat.page_pane import PagePaper
from satchel.builder.chat.rows import AnswerRow, QuestionRow
from satchel.runtime.session.history import History

ESCAPE = "How fast must a spacecraft go to escape from Earth?"
KEPLER = "What does Kepler's second law say?"
SAMPLE_ID = "5f0b6d0e-3c1e-4f6b-9a57-0d2f7a1c9e31"


def last(page, kind):
    return page.view.list.built[max(row for row, widget in page.view.list.built.items() if isinstance(widget, kind))]


def knowledge_worker():
    """Return the process that searches: the one child of this process whose command names its service."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        if b"satchel.runtime.knowledge.service" in command and parent == os.getpid():
            found.append(int(process.name))
    assert len(found) == 1
    return found[0]


@pytest.fixture
def page(driver):
    return driver.open_sample()


def test_a_starter_is_answered_by_a_quote_whose_page_opens_beside_it(driver, page):
    driver.click(ESCAPE)
    driver.until(lambda: not page.view.busy)
    answer = page.view.entries[-1]
    assert "11 kilometers per second" in answer.text
    assert answer.quoted
    driver.until(lambda: page.pane.page is not None)
    shown = page.pane.page
    assert (shown.file, shown.page) == ("03-orbits-and-gravity.pdf", answer.sources[0].page)
    (paper,) = page.pane.findChildren(PagePaper)
    assert paper.marks
    driver.key(Qt.Key.Key_Escape)
    assert not page.pane.isVisible()


def test_pages_are_turned_and_a_text_file_is_shown_with_its_lines_marked(driver, page):
    driver.say("How fast does the solar wind flow outward from the Sun?")
    source = page.view.entries[-1].sources[0]
    assert source.page is None
    last(page, AnswerRow).source_opened.emit(source)
    driver.until(lambda: page.pane.page is not None)
    assert page.pane.page.text[source.start - page.pane.page.start :].startswith(source.text)
    driver.say(ESCAPE)
    chips = [chip for chip in last(page, AnswerRow).findChildren(QPushButton) if "03-orbits" in chip.text()]
    driver.press(chips[0])
    driver.until(lambda: page.pane.page.page is not None)
    number = page.pane.page.page
    driver.click("Next page")
    driver.until(lambda: page.pane.page.page == number + 1)
    driver.click("Page before")
    driver.until(lambda: page.pane.page.page == number)


def test_a_question_is_edited_and_both_versions_stay(driver, page):
    driver.say(ESCAPE)
    last(page, QuestionRow).edit()
    editor = last(page, QuestionRow).editor
    editor.field.setPlainText(KEPLER)
    editor.send.click()
    driver.until(lambda: not page.view.busy)
    question, answer = page.view.entries
    assert question.text == KEPLER
    assert (question.branch, len(question.branches)) == (2, 2)
    assert "area" in answer.text.casefold() or answer.sources
    driver.click("Earlier version")
    driver.until(lambda: page.view.entries[0].text == ESCAPE)
    assert "11 kilometers" in page.view.entries[1].text
    driver.click("Later version")
    driver.until(lambda: page.view.entries[0].text == KEPLER)


def test_an_answer_is_given_again_beside_the_first(driver, page):
    driver.say(ESCAPE)
    driver.click("Answer again")
    driver.until(lambda: not page.view.busy and len(page.view.entries[-1].branches) == 2)
    assert page.view.entries[-1].branch == 2
    assert len(page.view.entries) == 2


def test_small_talk_and_what_is_not_there(driver, page):
    driver.say("thanks")
    assert page.view.entries[-1].text == "You are welcome."
    driver.say("Who won the football world cup in 1974?")
    assert not page.view.entries[-1].sources


def test_a_dead_process_is_a_banner_with_retry_and_nothing_is_asked_twice(driver, page):
    driver.say("hello")
    pid = knowledge_worker()
    os.kill(pid, signal.SIGSTOP)
    driver.qtbot.keyClicks(page.view.composer.field, ESCAPE)
    driver.qtbot.keyClick(page.view.composer.field, Qt.Key.Key_Return)
    driver.until(lambda: len(page.view.entries) == 4)
    os.kill(pid, signal.SIGKILL)
    driver.until(lambda: driver.has(QPushButton, "Retry"))
    assert [entry.text for entry in page.view.entries][-1] == ESCAPE
    driver.click("Retry")
    driver.until(lambda: not page.view.busy)
    assert [entry.role for entry in page.view.entries] == ["user", "assistant", "user", "assistant"]
    assert "11 kilometers" in page.view.entries[-1].text


def test_a_model_speaks_streams_and_is_stopped_by_escape(driver, page):
    page.answer_with("starter")
    driver.until(lambda: page.view.assistant is not None and page.view.assistant.model == "starter")
    assert driver.has(QPushButton, "Starter 135M")
    page.view.send("Write a very long story about the sea, with many chapters.")
    driver.until(lambda: len(page.view.entries) == 2 and len(page.view.entries[-1].text) > 20)
    assert page.view.entries[-1].live
    driver.key(Qt.Key.Key_Escape)
    driver.until(lambda: not page.view.busy)
    answer = page.view.entries[-1]
    assert (answer.live, answer.reason, answer.model) == (False, "cancelled", "starter")
    assert answer.text


def test_a_model_that_is_gone_is_told_and_the_chat_opens_without_it(driver, person):
    driver.shell.prefer(answer_with={SAMPLE_ID: "no-such-model"})
    with History(person.history) as history:
        chat = history.create_chat(SAMPLE_ID, "old")
        say_many(history, chat, 2)
    driver.shell.open("chat", chat=chat.id)
    driver.until(lambda: driver.page.view.assistant is not None)
    assert driver.page.view.assistant.model == "reader"
    assert driver.window.notices.shown.accessibleName() == "no-such-model is not on this computer any more."


def test_links_say_where_they_lead_and_open_nothing_by_themselves(driver, page):
    page.view._ask_about_link("javascript:alert(1)")
    banner = next(frame for frame in page.findChildren(QFrame) if "javascript" in frame.accessibleName())
    driver.until(banner.isVisible)
    assert not driver.has(QPushButton, "Open in the browser")
    driver.click("Copy address")
    assert QApplication.clipboard().text() == "javascript:alert(1)"
    page.view._ask_about_link("https://example.org")
    driver.until(lambda: driver.has(QPushButton, "Open in the browser"))


def test_chats_are_listed_searched_renamed_and_deleted_with_undo(driver, page, person):
    driver.say(ESCAPE)
    page.close_pane()
    driver.until(lambda: page.history.model.rowCount() == 2)
    chat = page._chat
    index = page.history.model.index(1)
    page.history.model.setData(index, "Escape speed")
    driver.until(lambda: page.history.model.index(1).data() == "Escape speed")
    driver.qtbot.keyClicks(page.history.search, "spacecraft")
    driver.until(lambda: page.history.model.rowCount() == 2)
    page.history.search.setText("zebra")
    driver.until(lambda: page.history.states.state == "empty")
    page.history.search.clear()
    page.delete()
    driver.until(lambda: page.history.model.rowCount() == 0)
    driver.click("Undo")
    driver.until(lambda: page._chat is not None and page._chat.id == chat.id)
    assert len(page.view.entries) == 2
    page.delete()
    driver.window.notices.settle()

    def gone():
        with History(person.history) as history:
            return not history.chats()

    driver.until(gone)


def test_a_chat_is_exported_as_markdown(driver, page, tmp_path, monkeypatch):
    driver.say(ESCAPE)
    target = tmp_path / "chat.md"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_arguments: (str(target), ""))
    page.export()
    driver.until(target.exists)
    driver.idle()
    assert "11 kilometers per second" in target.read_text(encoding="utf-8")


def test_words_are_found_in_the_chat(driver, page):
    driver.say("hello")
    driver.say("thanks")
    driver.key(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    driver.qtbot.keyClicks(page.find_bar.field, "e")
    driver.until(page.find_bar.count.text)
    total = page.find_bar.count.text().rpartition(" ")[2]
    assert page.find_bar.count.text() == f"{total} of {total}"
    page.find_bar.step(1)
    assert page.find_bar.count.text() == f"1 of {total}"
    driver.key(Qt.Key.Key_Escape)
    assert not page.find_bar.isVisible()


def test_enter_and_control_enter_can_be_swapped(driver, page):
    field = page.view.composer.field
    driver.shell.prefer(enter_sends=False)
    driver.qtbot.keyClicks(field, "hello")
    driver.qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.toPlainText() == "hello\n"
    driver.qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    driver.until(lambda: len(page.view.entries) == 2 and not page.view.busy)
    assert page.view.entries[0].text == "hello"


def test_ten_thousand_messages_open_and_scroll_with_a_few_widgets(driver, person):
    with History(person.history) as history:
        chat = history.create_chat(SAMPLE_ID, "long")
        say_many(history, chat, 10_000)
    driver.shell.open("chat", chat=chat.id)
    page = driver.page
    driver.until(lambda: page.view.assistant is not None)
    assert len(page.view.entries) == 10_000
    messages = page.view.list
    assert max(messages.built) == 10_000
    for at in (0.0, 0.25, 0.5, 0.75, 1.0):
        bar = messages.verticalScrollBar()
        bar.setValue(round(at * bar.maximum()))
        QApplication.processEvents()
        assert len(messages.built) < 60
    page.view.send("hello")
    driver.until(lambda: not page.view.busy)
    assert len(page.view.entries) == 10_002
