"""Files that tools made: pictures are shown, others are found in their folder or saved elsewhere.

They were made by code that nobody vouches for: only what lies in the app's own folders is opened, only PNG and JPEG are
decoded, and nothing is ever started.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, QUrl
from PySide6.QtGui import QDesktopServices, QImage, QImageReader
from PySide6.QtWidgets import QFileDialog, QWidget

from satchel.builder.language import translate
from satchel.builder.shell import Shell

_MOST_BYTES = 32_000_000
_MOST_PIXELS = 40_000_000
_FORMATS = {".png": b"png", ".jpg": b"jpeg", ".jpeg": b"jpeg"}


class Artefacts:
    """Opens what lies under `roots`: the data folder, and for an editor's preview its own."""

    def __init__(self, shell: Shell, roots: Sequence[Path]) -> None:
        self._shell = shell
        self._roots = tuple(root.resolve() for root in roots)

    def is_ours(self, path: str) -> bool:
        """Tell whether a file lies where tools' files are kept, links followed, and is there."""
        place = Path(path).resolve()
        return place.is_file() and any(place.is_relative_to(root) for root in self._roots)

    def load(self, path: str, width: int, owner: QWidget, show: Callable[[QImage], None]) -> None:
        """Read a picture off the GUI thread, at most so wide; one that cannot be read is not shown."""
        self._shell.operations.run(
            lambda _task: self.read(path, width),
            owner=owner,
            name="picture",
            succeeded=lambda image: show(image) if not image.isNull() else None,
        )

    def read(self, path: str, width: int) -> QImage:
        """Return a picture, scaled down to a width; a null one where it cannot be shown."""
        kind = _FORMATS.get(Path(path).suffix.casefold())
        if kind is None or not self.is_ours(path) or Path(path).stat().st_size > _MOST_BYTES:
            return QImage()
        reader = QImageReader(path, kind)
        reader.setAutoDetectImageFormat(False)
        size = reader.size()
        if not size.isValid() or size.width() * size.height() > _MOST_PIXELS:
            return QImage()
        if size.width() > width:
            reader.setScaledSize(QSize(width, max(1, size.height() * width // size.width())))
        return reader.read()

    def reveal(self, path: str) -> None:
        """Open the folder that a file lies in; the file itself is never opened."""
        if self.is_ours(path):
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))
        else:
            self._shell.notify(translate("Chat", "{name} is not there any more.", name=Path(path).name))

    def save(self, path: str, parent: QWidget) -> None:
        """Copy a file to where the person says."""
        if not self.is_ours(path):
            self._shell.notify(translate("Chat", "{name} is not there any more.", name=Path(path).name))
            return
        chosen, _ = QFileDialog.getSaveFileName(parent, translate("Chat", "Save a copy"), Path(path).name)
        if chosen:
            self._shell.operations.run(
                lambda _task: shutil.copyfile(path, chosen),
                owner=parent,
                name="save artefact",
                succeeded=lambda _place: self._shell.notify(translate("Chat", "Written: {path}", path=chosen)),
                failed=lambda failure: self._shell.notify(f"{failure.message} {failure.advice}"),
            )
