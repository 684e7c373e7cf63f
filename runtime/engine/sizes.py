"""Memory as people read it, in the binary units that devices and llama.cpp report."""

from __future__ import annotations

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def in_words(size: float) -> str:
    """Return bytes with about three digits and a unit: `1.53 GiB`."""
    power = 0
    while size >= 1024 and power < len(_UNITS) - 1:  # noqa: PLR2004 - 1,024 bytes are a KiB
        size /= 1024
        power += 1
    digits = 0 if power == 0 or size >= 100 else 1 if size >= 10 else 2  # noqa: PLR2004 - three digits in all
    return f"{size:,.{digits}f} {_UNITS[power]}"
