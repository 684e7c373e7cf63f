"""The list of chats beside the chat: search, rename, delete with undo."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from satchel.builder.chat.past_chats import Past, Row, chats_with, delete_chat, read_past, rename_chat, rows
from satchel.builder.language import translate
from satchel.builder.operations import Failure
from satchel.builder.shell import Shell
from satchel.builder.states import States
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import SECONDARY
from satchel.builder.widgets.avatar import avatar_colour
from satchel.builder.widgets.buttons import IconButton
from satchel.builder.widgets.field import SearchField
from satchel.builder.widgets.labels import label
from satchel.runtime.session.history import Chat

_CHAT_ROW, _DAY_ROW = 46, 32


class HistoryList(QWidget):
    """Every chat there was, newest first."""

    chosen = Signal(str)
    """A chat's id."""
    new_wanted = Signal()
    deleted = Signal(str)

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self._past = Past()
        self._said: frozenset[str] = frozenset()
        self._hidden: set[str] = set()
        self._shown = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(10)
        head = QHBoxLayout()
        head.addWidget(label(translate("History", "Chats"), "section"))
        head.addStretch(1)
        self.new = IconButton(
            shell.appearance, "plus", translate("History", "New chat"), shortcut="Ctrl+N", clicked=self.new_wanted.emit
        )
        head.addWidget(self.new)
        column.addLayout(head)
        self.search = SearchField(shell.appearance, translate("History", "Search chats"))
        self.search.searched.connect(self._search)
        column.addWidget(self.search)
        self.view = _ChatView()
        self.model = _ChatModel(self._rename)
        self.view.setModel(self.model)
        self.view.setItemDelegate(_ChatDelegate(shell.appearance, self.view))
        self.view.setAccessibleName(translate("History", "Chats"))
        self.view.clicked.connect(self._choose)
        self.view.activated.connect(self._choose)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.delete_pressed.connect(self._delete_current)
        self.view.rename_pressed.connect(self._edit_current)
        self.states = States(shell.appearance, self.view)
        column.addWidget(self.states, 1)
        shell.changed.connect(self._on_changed)

    @property
    def past(self) -> Past:
        """What is listed."""
        return self._past

    def read(self) -> None:
        """Read the list anew."""
        home = self._shell.home
        if not self._past.chats:
            self.states.show_loading()
        self._shell.operations.run(
            lambda _task: read_past(home), owner=self, name="chats", succeeded=self._show, failed=self._failed
        )

    def mark(self, chat_id: str) -> None:
        """Show which chat is open."""
        self._shown = chat_id
        row = self.model.row_of(chat_id)
        if row is not None:
            self.view.setCurrentIndex(self.model.index(row))
        else:
            self.view.clearSelection()

    def rename(self, chat_id: str) -> None:
        """Let the person write another title in the list."""
        row = self.model.row_of(chat_id)
        if row is not None:
            self.view.setCurrentIndex(self.model.index(row))
            self.view.edit(self.model.index(row))

    def delete(self, chat: Chat) -> None:
        """Hide a chat, and delete it from the disk unless the person takes that back."""
        self._hidden.add(chat.id)
        self._fill()
        self.deleted.emit(chat.id)

        def undo() -> None:
            self._hidden.discard(chat.id)
            self._fill()
            self.chosen.emit(chat.id)

        home = self._shell.home

        def delete_now() -> None:
            self._shell.operations.run(
                lambda _task: delete_chat(home, chat.id),
                owner=self,
                name="delete chat",
                succeeded=lambda _nothing: self._shell.tell_changed("chats"),
                failed=self._failed,
            )

        self._shell.notify(
            translate("History", "“{title}” is deleted.", title=chat.title),
            action=translate("History", "Undo"),
            act=undo,
            otherwise=delete_now,
        )

    def _on_changed(self, subject: str) -> None:
        if subject in {"chats", "assistants"} and self.isVisible():
            self.read()

    def _show(self, past: Past) -> None:
        self._past = past
        self._fill()

    def _failed(self, failure: Failure) -> None:
        self.states.show_failed(failure, self.read)

    def _search(self, typed: str) -> None:
        home = self._shell.home

        def found(said: frozenset[str]) -> None:
            if self.search.text() == typed:
                self._said = said
                self._fill()

        self._fill()
        self._shell.operations.run(lambda _task: chats_with(typed, home), owner=self, name="search", succeeded=found)

    def _fill(self) -> None:
        typed = self.search.text()
        self.model.show(rows(self._past, time.time(), typed, self._said if typed else (), self._hidden))
        if self.model.rowCount():
            self.states.show_full()
            self.mark(self._shown)
        elif typed:
            text = translate("History", "No chat holds “{typed}”.", typed=typed)
            self.states.show_empty(text, translate("History", "Show all"), self.search.clear, icon="search")
        else:
            self.states.show_empty(translate("History", "Your chats will be listed here."), icon="messages-square")

    def _choose(self, index: QModelIndex) -> None:
        row = self.model.row(index)
        if row is not None and row.chat is not None:
            self.chosen.emit(row.chat.id)

    def _menu(self, at: QPoint) -> None:
        row = self.model.row(self.view.indexAt(at))
        if row is None or row.chat is None:
            return
        chat = row.chat
        menu = QMenu(self.view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for says, icon, act in (
            (translate("History", "Rename"), "pencil", lambda: self.rename(chat.id)),
            (translate("History", "Delete"), "trash-2", lambda: self.delete(chat)),
        ):
            action = QAction(self._shell.appearance.icon(icon), says, menu)
            action.triggered.connect(lambda _checked=False, run=act: run())
            menu.addAction(action)
        menu.popup(self.view.viewport().mapToGlobal(at))

    def _delete_current(self) -> None:
        row = self.model.row(self.view.currentIndex())
        if row is not None and row.chat is not None:
            self.delete(row.chat)

    def _edit_current(self) -> None:
        row = self.model.row(self.view.currentIndex())
        if row is not None and row.chat is not None:
            self.rename(row.chat.id)

    def _rename(self, chat: Chat, title: str) -> None:
        home = self._shell.home
        self._shell.operations.run(
            lambda _task: rename_chat(home, chat.id, title),
            owner=self,
            name="rename chat",
            succeeded=lambda _nothing: self._shell.tell_changed("chats"),
            failed=self._failed,
        )


class _ChatView(QListView):
    delete_pressed = Signal()
    rename_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.rename_pressed.emit()
        else:
            super().keyPressEvent(event)


class _ChatModel(QAbstractListModel):
    def __init__(self, rename: Callable[[Chat, str], None]) -> None:
        super().__init__()
        self._rows: list[Row] = []
        self._rename = rename

    def show(self, found: list[Row]) -> None:
        self.beginResetModel()
        self._rows = found
        self.endResetModel()

    def row(self, index: QModelIndex | QPersistentModelIndex) -> Row | None:
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def row_of(self, chat_id: str) -> int | None:
        for number, row in enumerate(self._rows):
            if row.chat is not None and row.chat.id == chat_id:
                return number
        return None

    def rowCount(self, _parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.row(index)
        if row is None:
            return None
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole}:
            return row.chat.title if row.chat is not None else row.heading
        if role == Qt.ItemDataRole.ToolTipRole and row.chat is not None:
            return f"{row.chat.title}\n{row.name}"
        return None

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        row = self.row(index)
        if row is None or row.chat is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def setData(
        self, index: QModelIndex | QPersistentModelIndex, value: object, _role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        row = self.row(index)
        title = str(value).strip()
        if row is None or row.chat is None or not title or title == row.chat.title:
            return False
        self._rename(row.chat, title)
        return True


class _ChatDelegate(QStyledItemDelegate):
    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance

    def sizeHint(self, _option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        row = index.data(Qt.ItemDataRole.UserRole)
        return QSize(100, _CHAT_ROW if isinstance(row, Row) and row.chat is not None else _DAY_ROW)

    def createEditor(
        self, parent: QWidget, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAccessibleName(translate("History", "Title"))
        return editor

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        if not isinstance(row, Row):
            return
        box: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small = QFont(option.font)
        small.setPixelSize(SECONDARY)
        if row.chat is None:
            small.setWeight(QFont.Weight.DemiBold)
            painter.setFont(small)
            painter.setPen(self._appearance.colour("muted"))
            painter.drawText(box.adjusted(10, 8, -4, 0), int(Qt.AlignmentFlag.AlignVCenter), row.heading)
        else:
            self._paint_chat(painter, option, row, small)
        painter.restore()

    def _paint_chat(self, painter: QPainter, option: QStyleOptionViewItem, row: Row, small: QFont) -> None:
        assert row.chat is not None  # the caller looked
        box: QRect = option.rect
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._appearance.colour("soft_accent" if selected else "sunken"))
            painter.drawRoundedRect(box.adjusted(0, 1, 0, -1), 6, 6)
        if selected and state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(self._appearance.colour("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(1, 2, -1, -2), 6, 6)
        room = box.adjusted(10, 5, -8, -5)
        upper = QRect(room.left(), room.top(), room.width(), room.height() // 2)
        lower = QRect(room.left() + 12, upper.bottom() + 1, room.width() - 12, room.height() // 2)
        painter.setFont(option.font)
        painter.setPen(self._appearance.colour("text"))
        title = painter.fontMetrics().elidedText(row.chat.title, Qt.TextElideMode.ElideRight, upper.width())
        painter.drawText(upper, int(Qt.AlignmentFlag.AlignVCenter), title)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(avatar_colour(row.chat.assistant_id)))
        painter.drawEllipse(room.left(), lower.center().y() - 3, 7, 7)
        painter.setFont(small)
        painter.setPen(self._appearance.colour("muted"))
        name = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, lower.width())
        painter.drawText(lower, int(Qt.AlignmentFlag.AlignVCenter), name)
