from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from satchel.builder.chat.message_list import MessageList
from satchel.builder.widgets.labels import label


@pytest.fixture
def texts():
    return [f"message {number}\n" * (1 + number % 7) for number in range(200)]


@pytest.fixture
def messages(texts, appearance, qtbot):
    del appearance  # the style sheet, so that heights are those of the app

    def make(row):
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(label(texts[row], wrap=True))
        return widget

    made = MessageList(make, lambda _row, _width: 40)
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    made.reset(len(texts))
    QApplication.processEvents()
    return made


def wheel(messages, up):
    none = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, 120 if up else -120), Qt.MouseButton.NoButton, none,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(messages.viewport(), event)


def seen(messages):
    """Rows in view, by where their top is."""
    height = messages.viewport().height()
    return {row: widget.y() for row, widget in messages.built.items() if 0 <= widget.y() < height}


def test_it_opens_at_the_newest_message_and_builds_only_what_is_near(messages):
    assert max(seen(messages)) == 199
    assert len(messages.built) < 50
    bottom = messages.built[199].geometry().bottom()
    assert 0 < messages.viewport().height() - bottom < 40


def test_a_growing_answer_stays_in_view_until_the_person_scrolls_up(messages, texts):
    bar = messages.verticalScrollBar()
    texts[199] += "more\n" * 30
    messages.replace(199)
    assert bar.value() == bar.maximum()
    for _ in range(4):
        wheel(messages, up=True)
    assert not messages.following
    before = seen(messages)
    texts[199] += "more\n" * 30
    messages.replace(199)
    assert {row: y for row, y in seen(messages).items() if row in before and row != 199} == {
        row: y for row, y in before.items() if row != 199
    }
    messages.to_end()
    assert messages.following
    assert bar.value() == bar.maximum()


def test_scrolling_up_never_makes_what_is_read_jump(messages):
    """Real heights replace estimates above the view all the time."""
    wheel(messages, up=True)
    for _ in range(60):
        before = seen(messages)
        wheel(messages, up=True)
        after = seen(messages)
        moved = {after[row] - before[row] for row in before.keys() & after.keys()}
        assert len(moved) <= 1


def test_every_row_is_reached_and_shown_at_its_beginning(messages):
    for row in (0, 57, 133, 199):
        messages.show_row(row)
        assert row in messages.built
        assert 0 <= messages.built[row].y() < messages.viewport().height()


def test_another_width_measures_anew_and_keeps_the_place(messages, texts):
    texts[100] = "a long message " * 60
    messages.reset(200)
    messages.show_row(100)
    at = messages.built[100].y()
    wide = messages.built[100].height()
    messages.resize(420, 500)
    QApplication.processEvents()
    assert messages.built[100].height() > wide
    assert abs(messages.built[100].y() - at) < 4


def test_rows_can_be_added_and_cut(messages, texts):
    texts.append("the newest")
    messages.append()
    assert messages.rows() == 201
    messages.cut(10)
    assert messages.rows() == 10
    assert set(messages.built) <= set(range(10))
    messages.reset(0)
    assert messages.built == {}
