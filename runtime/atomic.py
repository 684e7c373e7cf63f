"""Every save in the product: temporary file in the same folder, write, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from satchel.runtime.errors import SaveError


@contextlib.contextmanager
def replacing(destination: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """Open a file whose bytes take the place of `destination` when the block ends well.

    After any exception, a kill included, `destination` still holds its old bytes. `private`: its owner's alone (0600).

    Raises:
        SaveError: the disk is full or the folder is not writable.
    """
    try:
        if destination.exists() and not (destination.is_file() or destination.is_dir()):
            # A rename would take its place: as root, `-o /dev/null` would leave the machine without one.
            raise SaveError(path=destination, reason="it is a device, a pipe or a socket, and no file")
        destination.parent.mkdir(parents=True, exist_ok=True)
        # 50 characters of the name: of up to four bytes each, they still fit with the rest in a file name's 255 bytes.
        handle, name = tempfile.mkstemp(prefix=f".{destination.name[:50]}.", suffix=".partial", dir=destination.parent)
    except OSError as error:
        raise SaveError(path=destination, reason=_words(error)) from error
    partial = Path(name)
    try:
        # Opened by its name, so that `file.name` says where it is to who checks it before it takes its place.
        with open(name, "wb", opener=lambda _name, _flags: handle) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not private:  # `mkstemp` made it so
            partial.chmod(0o666 & ~_umask())
        partial.replace(destination)
        sync_folder(destination.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SaveError(path=destination, reason=_words(error)) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def save_bytes(destination: Path, content: bytes, *, private: bool = False) -> None:
    """Replace `destination` with `content`, whole or not at all; `private`: for its owner alone."""
    with replacing(destination, private=private) as file:
        file.write(content)


def save_text(destination: Path, text: str) -> None:
    """Replace `destination` with `text` in UTF-8, whole or not at all."""
    save_bytes(destination, text.encode())


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable; a no-op where folders cannot be opened (Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
