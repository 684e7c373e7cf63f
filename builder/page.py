"""What a page is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from satchel.builder.commands import Command
from satchel.builder.shell import Shell


class Page(QWidget):
    """One page of the window. It is made when first opened, and lives as long as the window."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        self.setProperty("role", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def arrive(self, *_positional: Any, **_arguments: Any) -> None:
        """Be shown, with what `Shell.open` was told."""

    def leave(self) -> None:
        """Be hidden behind another page."""

    def close_down(self) -> None:
        """End what runs: the window closes."""

    def commands(self) -> Iterable[Command]:
        """What the palette offers while this page is shown, before everything else."""
        return ()

    def panes(self) -> Iterable[QWidget]:
        """Where F6 goes round; by default the page alone."""
        return (self,)

    def escape(self) -> bool:
        """Close or stop what Esc is for here; False when there is nothing."""
        return False
