from __future__ import annotations

import re
from pathlib import Path

import pytest

from satchel.builder.theme.glyphs import FOLDER
from satchel.builder.theme.style import style_sheet
from satchel.builder.theme.tokens import AVATARS, DARK, LIGHT, ON_AVATAR, Tokens

BUILDER = Path(__file__).parents[2] / "builder"
SOURCES = sorted(BUILDER.rglob("*.py"))
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|QColor\(\s*\d|GlobalColor\.(?!transparent)")


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """WCAG 2.2, 1.4.3."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "grounds"),
    [
        ("text", ("background", "surface", "sunken", "soft_accent", "soft_amber", "mark")),
        ("muted", ("background", "surface", "sunken")),
        ("accent", ("background", "surface", "soft_accent")),
        ("on_accent", ("accent",)),
        ("amber", ("background", "surface", "soft_amber", "sunken")),
        ("red", ("background", "surface")),
    ],
)
def test_words_can_be_read_on_every_ground_that_they_stand_on(tokens, ink, grounds):
    for ground in grounds:
        assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 4.5, ground


def test_initials_can_be_read_on_every_avatar():
    assert min(contrast(colour, ON_AVATAR) for colour in AVATARS) >= 4.5


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(BUILDER)))
def test_colours_are_written_in_the_tokens_alone(path):
    if path.name != "tokens.py":
        assert not COLOUR.findall(path.read_text(encoding="utf-8"))


def test_the_style_sheet_takes_its_colours_from_the_tokens():
    for tokens in (LIGHT, DARK):
        known = {getattr(tokens, name) for name in Tokens.__slots__ if name != "dark"}
        assert set(re.findall(r"#[0-9a-f]{6}", style_sheet(tokens))) <= known


def test_every_icon_that_is_named_is_carried_and_every_one_carried_is_named():
    carried = {path.stem for path in FOLDER.glob("*.svg")}
    words = set()
    for path in SOURCES:
        words |= set(re.findall(r"\"([a-z0-9-]+)\"", path.read_text(encoding="utf-8")))
    assert carried - words == set()
    assert (FOLDER / "LICENSE").read_text(encoding="utf-8").startswith("ISC License")
