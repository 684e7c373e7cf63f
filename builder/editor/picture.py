"""An assistant's picture from any picture file: cut to a square, made small, written as PNG."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRect, Qt
from PySide6.QtGui import QImage, QImageReader

from satchel.runtime.errors import SatchelError

_PIXELS = 256
_MOST_BYTES = 50 << 20


class PictureError(SatchelError):
    """{path} cannot be used as a picture: {reason}."""

    exit_code = 15
    remedy = "Choose a PNG or JPEG file."


def square_png(path: Path) -> bytes:
    """Return the middle of a picture as a PNG of 256 pixels a side.

    Raises:
        PictureError: it is no picture that can be read.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise PictureError(path=path, reason=(error.strerror or str(error)).lower()) from error
    if size > _MOST_BYTES:
        raise PictureError(path=path, reason="it is larger than 50 MB")
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    image = reader.read()
    if image.isNull():
        raise PictureError(path=path, reason=reader.errorString().rstrip("."))
    side = min(image.width(), image.height())
    middle = QRect((image.width() - side) // 2, (image.height() - side) // 2, side, side)
    small = image.copy(middle).scaled(
        _PIXELS, _PIXELS, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    return _as_png(small)


def _as_png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())
