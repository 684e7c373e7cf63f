"""HTML: main text, headings, lists and tables.

Dropped: scripts, styles, navigation, page headers and footers, asides, forms, and what an element hides from readers
by its own attributes (`hidden`, `aria-hidden`, an inline `display: none` and the like, `template`, `noscript`). Text
that a person does not see is not what they meant to add, and a known way to slip instructions to a model; a note says
how many elements it were. What a style sheet hides is kept: pages hide tabs and folded sections that way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import TooLargeError
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.blocks import add_blocks, is_hidden, parse_html
from satchel.runtime.knowledge.extract.limits import MAX_TREE_BYTES, in_mib
from satchel.runtime.knowledge.extract.plain_text import decode_visible
from satchel.runtime.knowledge.extract.protocol import Source, Step

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MEDIA_TYPE = "text/html"

_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_HEAD_BYTES = 4096
_LEAST_SHARE = 0.2


def extract(source: Source, step: Step) -> ExtractedText:
    """Return what a reader sees of the page."""
    if len(source.content) > MAX_TREE_BYTES:
        raise TooLargeError(file=source.name, reason=f"a page may have {in_mib(MAX_TREE_BYTES)}")
    charset = _CHARSET.search(source.content[:_HEAD_BYTES])
    decoded = decode_visible(source, declared=charset[1].decode() if charset else None)
    tree = parse_html(decoded.text, file=source.name)
    step(0, 1)
    builder = TextBuilder(source.name)
    for note in decoded.notes:
        builder.note(note)
    root = main_text(tree)
    title = tree.css_first("head > title")
    if title is not None and not root.css_first("h1"):
        builder.heading(title.text(), 1)
    add_blocks(builder, root)
    step(1, 1)
    return builder.build(MEDIA_TYPE)


def main_text(tree: LexborHTMLParser) -> LexborNode:
    """Return the element that holds the page's own text: `main`, else the only `article`, else the whole body.

    Outside of those, page headers without a title and page footers are taken out of the tree.
    """
    body = tree.body or tree.root
    assert body is not None
    everything = len(body.text())
    for selector in ("main, [role=main]", "article"):
        found = [node for node in tree.css(selector) if not is_hidden(node)]
        if len(found) == 1 and len(found[0].text()) >= everything * _LEAST_SHARE:
            return found[0]
    for node in body.css("header, footer"):
        if not _inside_article(node) and not (node.tag == "header" and node.css_first("h1")):
            node.decompose()
    return body


def _inside_article(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag in {"article", "main", "section", "blockquote"}:
            return True
        parent = parent.parent
    return False
