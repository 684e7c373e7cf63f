"""Ctrl+K: a sheet over the page that reaches every command, assistant and chat by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QGraphicsDropShadowEffect,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from satchel.builder.commands import Command, find_commands
from satchel.builder.language import translate
from satchel.builder.theme.appearance import Appearance
from satchel.builder.theme.tokens import SECONDARY
from satchel.builder.widgets.card import Card

_WIDTH, _ROW, _ROWS = 560, 40, 8


class Palette(Card):
    """Lies over the window's pages; Esc or a click elsewhere closes it."""

    closed = Signal()

    def __init__(self, appearance: Appearance, parent: QWidget, commands: Callable[[], Iterable[Command]]) -> None:
        super().__init__(padding=8, spacing=8)
        self.setParent(parent)
        self._over = parent
        self._read = commands
        self._all: list[Command] = []
        self.field = QLineEdit()
        self.field.setPlaceholderText(translate("Palette", "Find a command, an assistant or a chat"))
        self.field.setAccessibleName(self.field.placeholderText())
        self.field.textChanged.connect(self._find)
        self.field.installEventFilter(self)
        self.column.addWidget(self.field)
        self._found = _FoundCommands()
        self.list = QListView()
        self.list.setModel(self._found)
        self.list.setItemDelegate(_CommandDelegate(appearance, self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._take)
        self.column.addWidget(self.list)
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(32)
        shadow.setOffset(0, 8)
        self.setGraphicsEffect(shadow)
        self.hide()

    def open(self) -> None:
        """Show every command, with the cursor in the field."""
        self._all = list(self._read())
        self.field.clear()
        self._find("")
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def dismiss(self) -> None:
        """Go away without doing anything."""
        self.hide()
        self.closed.emit()

    def add(self, commands: Iterable[Command]) -> None:
        """Offer what was still being looked up when the palette opened."""
        self._all += commands
        self._find(self.field.text())

    def place(self) -> None:
        """Take its place over the parent."""
        parent = self._over
        rows = min(_ROWS, max(1, self._found.rowCount()))
        height = 16 + 32 + 8 + rows * _ROW
        width = min(_WIDTH, parent.width() - 48)
        self.setGeometry(QRect((parent.width() - width) // 2, 96, width, height))

    def eventFilter(self, watched: object, event: object) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QKeyEvent.Type.KeyPress:
            return self._key(event)
        return False

    def _key(self, event: QKeyEvent) -> bool:
        row, rows = self.list.currentIndex().row(), self._found.rowCount()
        match event.key():
            case Qt.Key.Key_Escape:
                self.dismiss()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._take(self.list.currentIndex())
            case Qt.Key.Key_Down | Qt.Key.Key_Up if rows:
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                self.list.setCurrentIndex(self._found.index((row + step) % rows))
            case _:
                return False
        return True

    def _find(self, typed: str) -> None:
        self._found.show(find_commands(self._all, typed))
        self.list.setCurrentIndex(self._found.index(0))
        self.place()

    def _take(self, index: QModelIndex) -> None:
        command = index.data(Qt.ItemDataRole.UserRole)
        self.dismiss()
        if isinstance(command, Command):
            command.run()


class _FoundCommands(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Command] = []

    def show(self, commands: list[Command]) -> None:
        self.beginResetModel()
        self._rows = commands
        self.endResetModel()

    def rowCount(self, _parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        return len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        command = self._rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return command
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return command.title
        return None


class _CommandDelegate(QStyledItemDelegate):
    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self._appearance = appearance

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(_WIDTH, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        command = index.data(Qt.ItemDataRole.UserRole)
        if not isinstance(command, Command):
            return
        box: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._appearance.colour("soft_accent"))
            painter.drawRoundedRect(box, 6, 6)
        if command.icon:
            ratio = painter.device().devicePixelRatioF()
            pixmap = self._appearance.pixmap(command.icon, "muted", 16, ratio)
            painter.drawPixmap(box.left() + 12, box.top() + (box.height() - 16) // 2, pixmap)
        right = QKeySequence(command.shortcut).toString(QKeySequence.SequenceFormat.NativeText) or command.hint
        small = QFont(option.font)
        small.setPixelSize(SECONDARY)
        painter.setFont(small)
        painter.setPen(self._appearance.colour("muted"))
        room = box.adjusted(40, 0, -12, 0)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), right)
        room.setRight(room.right() - painter.fontMetrics().horizontalAdvance(right) - 12)
        painter.setFont(option.font)
        painter.setPen(self._appearance.colour("text"))
        title = painter.fontMetrics().elidedText(command.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), title)
        painter.restore()
