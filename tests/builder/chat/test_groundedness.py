"""What was found of an answer's sentences: the bar, its counts and its list."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from satchel.builder.chat.groundedness import in_detail, sentences, summary
from satchel.builder.chat.rows import AnswerRow
from satchel.runtime.session.events import Checked, Source

GATE = "The flood gate closes at a water level of 3.2 metres. The lock keeper is Wilma Janssen.\n"
ANSWER = "The flood gate closes at a water level of 4.7 metres. The lock keeper is Wilma Janssen."
SOURCE = Source(1, "gate.txt", None, 0, 87, GATE, 0.9)


def row_of(driver):
    view = driver.page.view
    return view.list.built[max(row for row, widget in view.list.built.items() if isinstance(widget, AnswerRow))]


def test_a_models_answer_has_a_bar_that_lists_its_sentences(open_reading_chat):
    driver = open_reading_chat(ANSWER, {"knowledge/gate.txt": GATE})
    driver.say("At what water level does the flood gate close?")
    assert [one.verdict for one in driver.page.view.entries[-1].checks] == ["contradicted", "supported"]
    driver.click("1 of 2 statements found")
    listed = row_of(driver).sentences
    words = [words.text() for words in listed.findChildren(QLabel)]
    assert any(said.startswith("your files say otherwise: ") and said.endswith("gate.txt") for said in words)
    assert "found in your files · gate.txt" in words
    driver.click("1 of 2 statements found")
    assert row_of(driver).sentences is None


def test_the_bar_of_an_earlier_answer_stays_when_the_chat_goes_on(open_reading_chat):
    driver = open_reading_chat(ANSWER, {"knowledge/gate.txt": GATE})
    for _ in range(2):
        driver.say("At what water level does the flood gate close?")
    assert [len(entry.checks) for entry in driver.page.view.entries] == [0, 2, 0, 2]


def test_the_counts_leave_out_what_was_not_checked():
    checks = [
        Checked(0, 3, "supported", (1,)),
        Checked(4, 9, "contradicted", (1,), ("4.7",)),
        Checked(10, 12, "not_checked"),
    ]
    assert summary(checks) == "1 of 2 statements found"
    assert summary(checks[:1]) == "1 of 1 statement found"
    assert summary(checks[2:]) == "not checked"
    assert in_detail(checks) == "1 found in your files\n1 your files say otherwise\n1 not checked"
    listed = sentences("One. Other. So.", checks, (SOURCE,))
    assert listed[1].said == "your files say otherwise: 4.7 · gate.txt"
