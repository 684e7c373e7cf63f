"""What a person is asked in the middle of an answer, through the real window, engine, broker and tools."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from satchel.builder.chat.consent_sheet import ConsentSheet, QuestionCard, RequestCard
from satchel.builder.chat.requests import choices_of, leaving, shown_call
from satchel.builder.widgets.buttons import Button
from satchel.runtime.session.events import ApprovalNeeded

SUM = {"expression": "317 * 24"}


def ask(driver, text="How much is it?"):
    """Send a message and wait until something is asked."""
    view = driver.page.view
    driver.qtbot.keyClicks(view.composer.field, text)
    driver.qtbot.keyClick(view.composer.field, Qt.Key.Key_Return)
    driver.until(lambda: view.sheet.cards or not view.busy)
    assert view.sheet.cards
    return view.sheet.cards[0]


def allowable(driver, card):
    driver.until(lambda: all(button.isEnabled() for button in card.buttons.values()))


def finish(driver):
    driver.until(lambda: not driver.page.view.busy)
    assert not driver.page.view.sheet.cards
    assert not driver.page.view.sheet.isVisible()
    return driver.page.view.entries[-1]


def request(**changed):
    known = {
        "id": "r",
        "tool": "web_search",
        "arguments": [{"name": "query", "text": "tenants\\n", "leaves": True, "secret": True}],
        "destinations": ["https://api.example"],
        "powers": ["search the web"],
        "why": "this chat has read a web page",
        "rule": "b",
        "choices": ["once", "never"],
        "digest": "d",
    }
    return {**known, **changed}


def test_a_request_says_who_what_and_why_and_the_safe_answer_has_the_focus(open_tool_chat):
    driver = open_tool_chat("calculator", SUM)
    card = ask(driver)

    assert card.accessibleName() == "Tide tutor wants to calculate"
    assert card.box.text == "calculator\nexpression: 317 * 24"
    words = {button.accessibleName() for button in card.findChildren(Button)}
    assert words == {"Never", "Always for this assistant", "For this chat", "Allow once", "Don't allow"}
    assert QApplication.focusWidget() is card.buttons["deny"]
    assert not card.buttons["once"].isEnabled()
    allowable(driver, card)
    assert driver.page.view.entries[-1].uses[0].state == "asks"


def test_enter_allows_nothing_wherever_the_focus_is(open_tool_chat):
    driver = open_tool_chat("calculator", SUM)
    card = ask(driver)
    allowable(driver, card)
    for button in card.buttons.values():
        button.setFocus()
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            driver.qtbot.keyClick(button, key)
    assert driver.page.view.sheet.cards == [card]
    assert driver.page.view.busy


def test_esc_is_dont_allow_and_the_chat_goes_on(open_tool_chat):
    driver = open_tool_chat("calculator", SUM)
    ask(driver)
    driver.key(Qt.Key.Key_Escape)
    answer = finish(driver)
    assert answer.text == "It is done."
    assert [(use.name, use.state) for use in answer.uses] == [("calculator", "refused")]
    assert driver.window.focusWidget() is driver.page.view.composer.field


def test_what_is_allowed_once_is_asked_again_and_for_the_chat_is_not(open_tool_chat):
    driver = open_tool_chat("calculator", SUM)
    for choice in ("Allow once", "For this chat"):
        card = ask(driver)
        allowable(driver, card)
        driver.click(choice)
        assert [(use.result, use.state) for use in finish(driver).uses] == [("7608", "done")]
    driver.say("Again?")
    assert [use.result for use in finish(driver).uses] == ["7608"]


def test_never_holds_in_another_chat(open_tool_chat):
    driver = open_tool_chat("calculator", SUM)
    allowable(driver, ask(driver))
    driver.click("Never")
    assert finish(driver).uses[0].state == "refused"
    driver.say("Once more?")
    assert finish(driver).uses[0].state == "refused"


def test_a_turn_that_is_stopped_while_it_asks_takes_the_sheet_away(open_tool_chat):
    driver = open_tool_chat("calculator", SUM)
    ask(driver)
    driver.page.view.stop()
    assert finish(driver).reason == "cancelled"


def test_a_chat_that_is_left_while_it_asks_ends(open_tool_chat):
    driver = open_tool_chat("calculator", SUM)
    ask(driver)
    page = driver.open_sample()
    assert not page.view.sheet.isVisible()
    assert not page.view.sheet.cards


def test_a_tool_asks_in_words_and_by_choices(open_tool_chat):
    driver = open_tool_chat("ask_user", {"question": "Which harbour?"}, received=False)
    card = ask(driver)
    assert isinstance(card, QuestionCard)
    field = driver.find(QLineEdit, "Your answer")
    assert QApplication.focusWidget() is field
    driver.qtbot.keyClick(field, Qt.Key.Key_Return)  # an empty answer is none
    assert driver.page.view.sheet.cards == [card]
    driver.qtbot.keyClicks(field, "Delft")
    driver.qtbot.keyClick(field, Qt.Key.Key_Return)
    assert finish(driver).uses[0].result == "Delft"


def test_choices_are_buttons(open_tool_chat):
    question = {"question": "Which harbour?", "choices": ["Delft", "Gouda"]}
    driver = open_tool_chat("ask_user", question, received=False)
    ask(driver)
    driver.key(Qt.Key.Key_Return)
    assert driver.page.view.sheet.cards
    driver.click("Gouda")
    assert finish(driver).uses[0].result == "Gouda"


def test_several_requests_stack_with_an_answer_for_each_and_for_all(open_tool_chat, appearance, qtbot):
    assistant = open_tool_chat("calculator", SUM).page.view.assistant.assistant
    sheet = ConsentSheet(appearance)
    qtbot.addWidget(sheet)
    sheet.resize(600, 400)
    answers = []
    sheet.decided.connect(lambda *answer: answers.append(answer))
    asked = [ApprovalNeeded(name, request(tool=name)) for name in ("one", "two", "three")]
    sheet.show_asked(asked, assistant, b"")
    sheet.show()
    assert [card.box.text.splitlines()[0] for card in sheet.cards] == ["one", "two", "three"]
    sheet.cards[1].buttons["deny"].click()
    assert answers == [("two", "deny")]
    sheet.show_asked([asked[0], asked[2]], assistant, b"")
    (for_all,) = [button for button in sheet.findChildren(Button) if "any" in button.text()]
    for_all.click()
    assert answers == [("two", "deny"), ("one", "deny"), ("three", "deny")]
    assert all(isinstance(card, RequestCard) for card in sheet.cards)


def test_the_answers_to_a_long_call_stay_in_view_in_a_small_window(open_tool_chat):
    driver = open_tool_chat("calculator", SUM)
    view = driver.page.view
    long = {"name": "query", "text": "tenant list " * 400, "leaves": True, "secret": True}
    view.sheet.show_asked([ApprovalNeeded("r", request(arguments=[long]))], view.assistant.assistant, b"")
    (card,) = view.sheet.cards
    for size in ((1280, 800), (960, 600)):
        driver.window.resize(*size)
        driver.until(lambda high=size[1]: view.height() < high and view.sheet.height() <= view.height() * 0.7 + 1)
        driver.until(lambda: card.safe.visibleRegion().boundingRect().height() == card.safe.height())
        assert card.box.field.verticalScrollBar().maximum() > 0
        assert card.box.text.endswith(long["text"])


@pytest.mark.parametrize("hostile", ["<b>no</b><img src=file:///etc/passwd>", "a\\u202eb", "x" * 5000])
def test_arguments_are_shown_whole_and_as_plain_text(hostile):
    shown = shown_call(request(arguments=[{"name": "query", "text": hostile, "leaves": True, "secret": True}]))
    ((start, end),) = shown.marks
    assert shown.text[start:end] == hostile


def test_a_call_that_the_rule_stops_has_no_lasting_yes():
    assert [words for _, words in choices_of(request())] == ["Never", "Allow this call", "Don't allow"]
    assert "https://api.example: query" in leaving(request())
    assert leaving(request(destinations=[])) == "Nothing leaves this computer."
