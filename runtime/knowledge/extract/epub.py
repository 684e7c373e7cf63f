"""EPUB books: the items of the spine are the pages, labelled by their titles in the table of contents."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import DamagedDocumentError, EncryptedDocumentError
from satchel.runtime.knowledge.extract.archive import Archive
from satchel.runtime.knowledge.extract.assembly import TextBuilder
from satchel.runtime.knowledge.extract.blocks import add_blocks, parse_html
from satchel.runtime.knowledge.extract.cleaning import one_line
from satchel.runtime.knowledge.extract.decoding import decode_text
from satchel.runtime.knowledge.extract.markup import Element, attribute, children, descendants, parse_xml, resolve
from satchel.runtime.knowledge.extract.protocol import Source, Step

MEDIA_TYPE = "application/epub+zip"

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
# XHTML may close any element at once; the HTML parser would take `<title/>` for an open one and swallow the page.
_CLOSED_AT_ONCE = re.compile(r"<([a-zA-Z][\w:-]*)(\s[^<>]*?)?/>")
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905 - words, easier to read in a row
_XML_ENCODING = re.compile(rb"""<\?xml[^>]{0,100}encoding\s*=\s*["']([\w.-]{1,40})""")


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the book's text in reading order."""
    archive = Archive(source.content, file=source.name)
    package = _package_name(archive, source.name)
    root = parse_xml(archive.read(package), file=source.name, part=package, allow_doctype=True)
    folder = posixpath.dirname(package)
    manifest = {
        attribute(item, "id"): (resolve(folder, attribute(item, "href")), item)
        for item in descendants(root, "item")
        if attribute(item, "href")
    }
    spine = [
        manifest[reference][0]
        for item in descendants(root, "itemref")
        if (reference := attribute(item, "idref")) in manifest and _is_page(manifest[reference][1])
    ]
    if not spine:
        raise DamagedDocumentError(file=source.name, reason="its reading order is empty")
    _refuse_protected(archive, spine, source.name)
    titles = _titles(archive, manifest, source.name)
    builder = TextBuilder(source.name)
    missing = 0
    for number, part in enumerate(spine):
        step(number, len(spine))
        builder.start_page(titles.get(part, ""))
        if part not in archive:
            missing += 1
            continue
        tree = parse_html(_xhtml(archive.read(part), source.name), file=source.name)
        if tree.body is not None:
            add_blocks(builder, tree.body)
    step(len(spine), len(spine))
    if missing:
        builder.note(f"{missing} of {len(spine)} chapters are missing from the file")
    return builder.build(MEDIA_TYPE)


def _package_name(archive: Archive, file: str) -> str:
    root = parse_xml(archive.read(_CONTAINER), file=file, part=_CONTAINER, allow_doctype=True)
    for item in descendants(root, "rootfile"):
        if name := attribute(item, "full-path"):
            return resolve("", name)
    raise DamagedDocumentError(file=file, reason=f"its part {_CONTAINER} names no book")


def _is_page(item: Element) -> bool:
    return attribute(item, "media-type") in {"application/xhtml+xml", "text/html", "application/x-dtbook+xml", ""}


def _refuse_protected(archive: Archive, spine: list[str], file: str) -> None:
    """Fonts are often scrambled, which is no protection of the text; chapters never are but by DRM."""
    if _ENCRYPTION not in archive:
        return
    root = parse_xml(archive.read(_ENCRYPTION), file=file, part=_ENCRYPTION, allow_doctype=True)
    encrypted = {resolve("", attribute(item, "URI")) for item in descendants(root, "CipherReference")}
    if encrypted & set(spine):
        raise EncryptedDocumentError(
            file=file, reason="its chapters are protected by DRM", advice="Add a copy without copy protection."
        )


def _titles(archive: Archive, manifest: dict[str, tuple[str, Element]], file: str) -> dict[str, str]:
    """Return the title of each part that the table of contents names, the first one where there are several."""
    titles: dict[str, str] = {}
    for part, item in manifest.values():
        if part not in archive:
            continue
        if "nav" in attribute(item, "properties").split():
            entries = _nav_entries(archive, part, file)
        elif attribute(item, "media-type") == "application/x-dtbncx+xml":
            entries = _ncx_entries(archive, part, file)
        else:
            continue
        for address, title in entries:
            titles.setdefault(resolve(posixpath.dirname(part), address), title)
    return titles


def _nav_entries(archive: Archive, part: str, file: str) -> Iterator[tuple[str, str]]:
    tree = parse_html(_xhtml(archive.read(part), file), file=file)
    # The others are lists of pages and landmarks.
    for navigation in tree.css("nav"):
        if navigation.attributes.get("epub:type", "toc") == "toc":
            for link in navigation.css("a"):
                yield link.attributes.get("href") or "", one_line(link.text())


def _ncx_entries(archive: Archive, part: str, file: str) -> Iterator[tuple[str, str]]:
    root = parse_xml(archive.read(part), file=file, part=part, allow_doctype=True)
    for point in descendants(root, "navPoint"):
        label = next((one_line("".join(text.itertext())) for text in children(point, "navLabel")), "")
        address = next((attribute(content, "src") for content in children(point, "content")), "")
        yield address, label


def _xhtml(content: bytes, file: str) -> str:
    declared = _XML_ENCODING.match(content)
    text = decode_text(content, file=file, declared=declared[1].decode() if declared else None).text
    return _CLOSED_AT_ONCE.sub(_opened, text)


def _opened(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name.lower() in _VOID else f"<{name}{match[2] or ''}></{name}>"
