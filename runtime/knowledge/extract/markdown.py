"""Markdown: kept as it is written, front matter included; headings are found in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from satchel.runtime.knowledge.documents import ExtractedText, Heading
from satchel.runtime.knowledge.extract.plain_text import decode_visible
from satchel.runtime.knowledge.extract.protocol import Source, Step

MEDIA_TYPE = "text/markdown"

_FRONT_MATTER = re.compile(r"(---|\+\+\+)[ \t]*\n(?P<body>.*?)^(?:\1|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(?P<quote>[\"']?)(?P<title>.+?)(?P=quote)[ \t]*$", re.MULTILINE)
_LINE = re.compile(r"[^\n]+|(?<=\n)(?=\n)")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")
# CommonMark 0.31, sections 4.2 and 4.3.
_ATX = re.compile(r" {0,3}(?P<marks>#{1,6})(?=[ \t]|$)")
_SETEXT = re.compile(r" {0,3}(?P<marks>=+|-+)[ \t]*")
_NO_PARAGRAPH = re.compile(r"\s*$|\s{4}|\t| {0,3}(?:[-*+>|]|\d{1,9}[.)]\s)")


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the Markdown as it is written."""
    decoded = decode_visible(source)
    headings = find_headings(decoded.text)
    step(1, 1)
    return ExtractedText(MEDIA_TYPE, decoded.text, headings=headings, notes=decoded.notes)


def find_headings(text: str) -> tuple[Heading, ...]:
    """Return headings in both of Markdown's spellings, the range being the line; none inside code or front matter.

    A title in the front matter counts as a heading of level 1.
    """
    headings: list[Heading] = []
    start = 0
    if front := _FRONT_MATTER.match(text):
        start = front.end()
        if title := _TITLE.search(text, front.start("body"), front.end("body")):
            headings.append(Heading(title.start("title"), title.end("title"), 1))
    headings += _headings_of_body(text, start)
    return tuple(headings)


def _headings_of_body(text: str, start: int) -> Iterator[Heading]:
    fence = ""
    paragraph: tuple[int, int] | None = None
    for line in _LINE.finditer(text, start):
        content = line[0]
        fenced = _FENCE.fullmatch(content)
        if fence:
            if fenced and fenced["fence"].startswith(fence) and not fenced["info"].strip():
                fence = ""
        elif fenced and not (fenced["fence"][0] == "`" and "`" in fenced["info"]):
            fence, paragraph = fenced["fence"], None
        elif atx := _ATX.match(content):
            if content.strip("# \t"):
                yield Heading(line.start(), line.end(), len(atx["marks"]))
            paragraph = None
        elif paragraph and (underline := _SETEXT.fullmatch(content)):
            yield Heading(*paragraph, 1 if underline["marks"][0] == "=" else 2)
            paragraph = None
        elif paragraph and content.strip():
            paragraph = (paragraph[0], line.end())
        else:
            paragraph = None if _NO_PARAGRAPH.match(content) else line.span()
