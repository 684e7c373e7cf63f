"""Page numbers as messages say them."""

from __future__ import annotations

from collections.abc import Sequence


def listed(pages: Sequence[int]) -> str:
    """Return page numbers for people: `3-7, 12`; at most a dozen runs."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][1] + 1:
            runs[-1][1] = page
        else:
            runs.append([page, page])
    shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs[:12])
    return shown + (" and more" if len(runs) > 12 else "")  # noqa: PLR2004 - the dozen above
