"""Sizes as people read them."""

from __future__ import annotations


def size_words(count: int) -> str:
    """Return "4.2 MB" for a number of bytes, in powers of ten as shops and disks count."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit in {"B", "kB"} or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError  # the last unit always returns
