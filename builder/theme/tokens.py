"""Every colour and measure of the app. No colour is written anywhere else (`tests/builder/test_tokens.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ColourName: TypeAlias = Literal[
    "background",
    "surface",
    "sunken",
    "line",
    "text",
    "muted",
    "faint",
    "accent",
    "on_accent",
    "soft_accent",
    "amber",
    "soft_amber",
    "red",
    "mark",
]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one appearance."""

    dark: bool
    background: str
    surface: str
    sunken: str
    line: str
    text: str
    muted: str
    faint: str
    """Only where the same is said elsewhere: its contrast is below 4.5."""
    accent: str
    on_accent: str
    soft_accent: str
    amber: str
    """Needs you."""
    soft_amber: str
    red: str
    """Danger, and nothing else."""
    mark: str
    """Behind quoted words."""

    def colour(self, name: ColourName) -> str:
        """Return a colour by its name."""
        value: str = getattr(self, name)
        return value


LIGHT = Tokens(
    dark=False,
    background="#f6f7f7",
    surface="#ffffff",
    sunken="#f0f2f2",
    line="#e2e6e7",
    text="#15191b",
    muted="#5c676d",
    faint="#8a959b",
    accent="#0f766e",
    on_accent="#ffffff",
    soft_accent="#e5f3f1",
    amber="#92560b",
    soft_amber="#fdf3e0",
    red="#b3261e",
    mark="#fff1b8",
)
DARK = Tokens(
    dark=True,
    background="#101315",
    surface="#171b1e",
    sunken="#1e2327",
    line="#2a3035",
    text="#e7ebed",
    muted="#9aa5ab",
    faint="#6f7a80",
    accent="#2dd4bf",
    on_accent="#06201d",
    soft_accent="#10302c",
    amber="#f0b656",
    soft_amber="#2d2413",
    red="#ff8a80",
    mark="#4a3f12",
)

ON_AVATAR = "#ffffff"
AVATARS = ("#2a5caa", "#0f766e", "#7b3f7a", "#a3600c", "#a33a33", "#3f772a", "#4b5a9b", "#6b5b2a")
"""Backgrounds of initials, the same in light and dark; white on each reads at 4.5:1 or more."""
PAPER = "#ffffff"
"""A page's picture is paper in both appearances: its own ink is dark."""
PAPER_MARK = "#fff1b8"

# Pixels.
BODY, SECONDARY, SECTION, PAGE_TITLE, RAIL_LABEL = 13, 12, 15, 20, 11
GAP, INSIDE, BETWEEN, ROUND_PAGE = 4, 8, 16, 24
CORNER, CONTROL_HEIGHT, RAIL_WIDTH, TEXT_COLUMN = 8, 32, 72, 720
LINE_HEIGHT = 1.45
MOTION_MS = 150
"""The longest that anything moves."""
