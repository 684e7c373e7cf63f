"""Answers are shown and nothing more: whatever they say, no file is read and no address is fetched."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QUrl
from PySide6.QtGui import QImage, QTextDocument
from PySide6.QtWidgets import QApplication

from satchel.builder.chat.answer_body import AnswerBody
from satchel.builder.chat.code_block import CodeBlock
from satchel.builder.chat.prose import InertDocument, Prose
from satchel.runtime.session.events import Source

HOSTILE = """\
![a]({address}) <img src="{address}"> [a]: {address}

<style>@import url("{address}");</style><script>alert(1)</script>

<a href="javascript:alert(1)">x</a> <object data="{address}"></object>
"""


@pytest.fixture
def picture(tmp_path):
    image = QImage(7, 7, QImage.Format.Format_RGB32)
    image.save(str(tmp_path / "secret.png"))
    return tmp_path / "secret.png"


@pytest.mark.parametrize("form", ["file://{path}", "{path}", "//host{path}", "qrc:{path}", "http://127.0.0.1:9{path}"])
def test_no_address_is_loaded(form, picture, appearance, qtbot):
    address = form.format(path=picture)
    opened = []
    watching = True

    def watch(event, arguments):
        if watching and event in {"open", "socket.connect"} and str(picture) in str(arguments):
            opened.append((event, arguments))

    sys.addaudithook(watch)
    body = AnswerBody(appearance)
    qtbot.addWidget(body)
    body.show_text(HOSTILE.format(address=address), ())
    body.show()
    QApplication.processEvents()
    for prose in body.findChildren(Prose):
        kind = QTextDocument.ResourceType.ImageResource.value
        loaded = prose.document().resource(kind, QUrl(address))
        assert (loaded.width(), loaded.height()) == (1, 1)
        for kind in (QTextDocument.ResourceType.StyleSheetResource, QTextDocument.ResourceType.HtmlResource):
            assert bytes(prose.document().resource(kind.value, QUrl(address))) == b" "
    watching = False
    assert opened == []


def test_a_plain_document_of_qt_would_read_the_file(picture):
    """What `InertDocument` is for; when Qt stops doing that, it can go."""
    address, kind = QUrl.fromLocalFile(str(picture)), QTextDocument.ResourceType.ImageResource.value
    assert QTextDocument().resource(kind, address) is not None
    assert InertDocument().resource(kind, address).width() == 1


def test_html_is_shown_as_it_was_written(appearance, qtbot):
    prose = Prose(appearance)
    qtbot.addWidget(prose)
    prose.set_markdown("a <b>bold</b> <script>alert(1)</script>")
    assert prose.toPlainText() == "a <b>bold</b> <script>alert(1)</script>"


def test_a_mark_shows_its_quote_and_opens_its_source(appearance, qtbot):
    body = AnswerBody(appearance)
    qtbot.addWidget(body)
    body.show_text("It floods [2].", (Source(2, "tides.pdf", 12, 0, 9, "It floods.", 0.5),))
    (prose,) = body.findChildren(Prose)
    assert prose.quotes == {2: "“It floods.”\ntides.pdf · p. 12"}
    with qtbot.waitSignal(body.source_clicked) as clicked:
        prose.anchorClicked.emit(QUrl("source:2"))
    assert clicked.args == [2]
    with qtbot.waitSignal(body.link_clicked) as link:
        prose.anchorClicked.emit(QUrl("https://example.org/a"))
    assert link.args == ["https://example.org/a"]


def test_pieces_that_did_not_change_keep_their_widgets_while_an_answer_grows(appearance, qtbot):
    body = AnswerBody(appearance)
    qtbot.addWidget(body)
    text = "Before.\n\n```py\nx = 1\n```\n\n"
    body.show_text(text, ())
    first = [widget for _, widget in body._shown]
    body.show_text(text + "After, and", ())
    body.show_text(text + "After, and more.", ())
    assert [widget for _, widget in body._shown][:2] == first
    assert [kind for kind, _ in body._shown] == ["prose", "code", "prose"]
    body.show_text("Only this.", ())
    assert [kind for kind, _ in body._shown] == ["prose"]


def test_code_is_copied_as_it_was_written(appearance, qtbot):
    block = CodeBlock(appearance)
    qtbot.addWidget(block)
    block.set_code("x = 1\n\n\ty = 2", "python")
    block.copy.click()
    assert QApplication.clipboard().text() == "x = 1\n\n\ty = 2"
    assert block.copy.accessibleName() == "Copied"
    qtbot.waitUntil(lambda: block.copy.accessibleName() == "Copy code")


def test_both_appearances_can_be_told_apart_on_the_screen(appearance, qtbot):
    prose = Prose(appearance)
    qtbot.addWidget(prose)
    prose.set_markdown("**Words** [a](https://example.org)")
    prose.resize(300, 60)
    pictures = set()
    for choice in ("light", "dark"):
        appearance.choose(choice)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        prose.grab().save(buffer, "PNG")
        pictures.add(bytes(buffer.data()))
    assert len(pictures) == 2
