"""An HTML tree to paragraphs, headings, list items and table rows; HTML pages and EPUB chapters share it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from satchel.runtime.knowledge.errors import DamagedDocumentError
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.cleaning import one_line
from satchel.runtime.knowledge.extract.grid import Grid
from satchel.runtime.knowledge.extract.tables import describe_rows

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_DEEPEST = 5000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements that end by themselves when the next one starts, and elements without an end.
_SHALLOW = frozenset(
    """
    p li dt dd tr td th thead tbody tfoot option optgroup colgroup rt rp area base br col embed hr img input link meta
    param source track wbr
    """.split()  # noqa: SIM905 - words, easier to read in a row
)

_DROPPED = frozenset(
    """
    script style template noscript head nav aside form button select textarea svg iframe object canvas audio video
    dialog menu map rt rp annotation annotation-xml
    """.split()  # noqa: SIM905 - words, easier to read in a row
)
_DROPPED_ROLES = frozenset(
    ("navigation", "banner", "contentinfo", "search", "complementary", "menu", "menubar", "alert")
)
_PARAGRAPHS = frozenset(
    """
    p div section article main header footer blockquote figure figcaption address details summary fieldset center
    ul ol dl hr table caption tr td th tbody thead tfoot body html hgroup legend
    """.split()  # noqa: SIM905 - words, easier to read in a row
)
_LINES = frozenset({"li", "dt", "dd"})
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_BREAKING = _PARAGRAPHS | _LINES | _HEADINGS.keys() | {"pre"}
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity)\s*:\s*0(?![.\d]*[1-9])",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\n\r\f\xa0]+")
_LONGEST_CELL = 600


def parse_html(html: str, *, file: str) -> LexborHTMLParser:
    """Parse a page as browsers do.

    Raises:
        DamagedDocumentError: thousands of elements inside one another; the parser's time grows with the square of it.
    """
    depth = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _SHALLOW:
            depth = max(0, depth - 1) if closing else depth + 1
            if depth > _DEEPEST:
                raise DamagedDocumentError(file=file, reason=f"its elements are nested more than {_DEEPEST} deep")
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(html)


def add_blocks(builder: TextBuilder, root: LexborNode) -> None:
    """Add what a reader sees of the tree below `root` to the text, in document order."""
    walker = _Walker(builder)
    # Along the tree's own links: recursion would end at a thousand levels.
    node = root
    while True:
        entered = walker.enter(node)
        child = node.child if entered else None
        if child is not None:
            node = child
            continue
        while True:
            if entered:
                walker.leave(node)
            if node.mem_id == root.mem_id:
                walker.finish()
                return
            following, parent = node.next, node.parent
            if following is not None:
                node = following
                break
            assert parent is not None
            node, entered = parent, True


def is_hidden(node: LexborNode) -> bool:
    """Tell whether an element hides itself from readers by its own attributes."""
    attributes = node.attributes
    if not attributes:
        return False
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    style = attributes.get("style")
    return bool(style and _HIDDEN_STYLE.search(style))


class _Walker:
    """Gathers inline text until a block ends."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._text: list[str] = []
        self._prefix = ""
        self._as_line = False
        self._preformatted = 0
        self._hidden = 0
        self._numbers: list[int | None] = []

    def enter(self, node: LexborNode) -> bool:
        """Begin a node; False skips what is below it."""
        tag = node.tag or ""
        if tag == "-text":
            self._text.append(self._inline(node.text_content or ""))
            return False
        if tag.startswith(("-", "!")) or tag in _DROPPED or self._is_left_out(node):
            return False
        if tag == "br":
            self._text.append("\n")
        elif tag in _BREAKING:
            self._flush()
        if tag == "table":
            return not self._add_table(node)
        self._begin(node, tag)
        return True

    def _is_left_out(self, node: LexborNode) -> bool:
        if is_hidden(node):
            self._hidden += bool(node.text(strip=True))
            return True
        return node.attributes.get("role") in _DROPPED_ROLES

    def _begin(self, node: LexborNode, tag: str) -> None:
        if tag == "pre":
            self._preformatted += 1
        elif tag in {"ul", "ol"}:
            self._numbers.append(_start(node) if tag == "ol" else None)
        elif tag in _LINES:
            self._begin_item(tag)

    def leave(self, node: LexborNode) -> None:
        """End a node that was entered."""
        tag = node.tag or ""
        if tag in _HEADINGS:
            title = one_line("".join(self._text))
            self._text.clear()
            self._builder.heading(title, _HEADINGS[tag])
        elif tag == "pre":
            self._flush()
            self._preformatted -= 1
        elif tag in {"ul", "ol"}:
            self._flush()
            self._numbers.pop()
            self._as_line = bool(self._numbers)
        elif tag in _LINES or tag in _PARAGRAPHS:
            self._flush()

    def finish(self) -> None:
        """Add what is left, and say what was hidden."""
        self._flush()
        if self._hidden:
            self._builder.note(f"hidden text left out ({self._hidden} elements)")

    def _inline(self, text: str) -> str:
        return text if self._preformatted else _SPACES.sub(" ", text)

    def _begin_item(self, tag: str) -> None:
        number = self._numbers[-1] if self._numbers else None
        if tag != "li":
            self._prefix = ""
        elif number is None:
            self._prefix = "- "
        else:
            self._prefix = f"{number}. "
            self._numbers[-1] = number + 1

    def _flush(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        if not self._preformatted:
            text = "\n".join(line.strip() for line in re.sub(" +", " ", text).split("\n")).strip()
        if not text.strip():
            return
        add = self._builder.line if self._prefix or self._as_line else self._builder.paragraph
        add(self._prefix + text)
        self._prefix = ""

    def _add_table(self, table: LexborNode) -> bool:
        """Add a table of data as lines; False: it only lays out a page, and its cells are read like paragraphs."""
        if table.attributes.get("role") in {"presentation", "none"}:
            return False
        # The search finds the table itself as well.
        if any(inner.mem_id != table.mem_id for inner in table.css("table, h1, h2, h3, h4, h5, h6")):
            return False
        grid = Grid()
        for row in table.css("tr"):
            if is_hidden(row):
                continue
            grid.start_row()
            cell = row.child
            while cell is not None:
                if cell.tag in {"td", "th"}:
                    text = one_line(cell.text(separator=" "))
                    if len(text) > _LONGEST_CELL:
                        return False
                    grid.add(text, columns=_span(cell, "colspan"), rows=_span(cell, "rowspan"))
                cell = cell.next
        if caption := table.css_first("caption"):
            self._builder.paragraph(one_line(caption.text()))
        self._builder.rows(describe_rows(grid.rows()))
        return True


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or ""
    return int(value) if value.isdecimal() and len(value) < 5 else 1  # noqa: PLR2004 - no table is 10,000 cells wide


def _start(node: LexborNode) -> int:
    value = node.attributes.get("start") or ""
    return int(value) if value.isdecimal() and len(value) < 9 else 1  # noqa: PLR2004 - a number, not an attack
