"""XML out of untrusted files: no entities, no DTD, no network, no file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any, TypeAlias
from urllib.parse import unquote

from satchel.runtime.knowledge.errors import DamagedDocumentError
from satchel.runtime.knowledge.extract.archive import Archive

Element: TypeAlias = Any
"""An element of lxml's, which ships no annotations."""

_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)|<\0!\0(?:D\0O\0C\0T|E\0N\0T)|\0<\0!\0(?:D\0O\0C|E\0N\0T)")


def parse_xml(content: bytes, *, file: str, part: str, allow_doctype: bool = False) -> Element:
    """Return the root of an XML part.

    A document type declaration is refused where the format forbids one (Office Open XML), because entities live
    there; elsewhere it is skipped, and entities stay unresolved. libxml2 itself refuses more than 256 levels.

    Raises:
        DamagedDocumentError: it is not well formed, or declares what it must not.
    """
    from lxml import etree

    if not allow_doctype:
        refuse_declarations(content, file=file, part=part)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if isinstance(error, etree.XMLSyntaxError) and error.code == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise DamagedDocumentError(file=file, reason=f"its part {part} is not well-formed XML ({error})") from error
    if root is None:
        raise DamagedDocumentError(file=file, reason=f"its part {part} has no XML element")
    return root


def refuse_declarations(content: bytes, *, file: str, part: str) -> None:
    """Raise `DamagedDocumentError` where XML of a format without document types has one."""
    if _DECLARATION.search(content):
        raise DamagedDocumentError(file=file, reason=f"its part {part} declares XML entities, which the format forbids")


def local_name(element: Element) -> str:
    """Return a tag without its namespace: the two dialects of Office Open XML differ in nothing else."""
    tag = element.tag
    # A comment's or an entity's tag is a function.
    name: str = "" if callable(tag) else tag.rpartition("}")[2]
    return name


def attribute(element: Element, name: str) -> str:
    """Return an attribute by its name without namespace, or an empty string."""
    direct = element.get(name)
    if direct is not None:
        return str(direct)
    return str(next((value for key, value in element.items() if key.rpartition("}")[2] == name), ""))


def children(element: Element, *names: str) -> Iterator[Element]:
    """Yield the direct children with one of these local names."""
    return (child for child in element if local_name(child) in names)


def descendants(element: Element, *names: str) -> Iterator[Element]:
    """Yield the elements below with one of these local names, in document order."""
    return (child for child in element.iter("{*}*") if local_name(child) in names and child is not element)


def related_parts(archive: Archive, part: str, *, file: str) -> dict[str, tuple[str, str]]:
    """Return the parts that an Office part refers to: id -> (kind, part name); links out of the file are left out."""
    folder, name = posixpath.split(part)
    listing = posixpath.join(folder, "_rels", f"{name}.rels")
    if listing not in archive:
        return {}
    related: dict[str, tuple[str, str]] = {}
    for entry in descendants(parse_xml(archive.read(listing), file=file, part=listing), "Relationship"):
        if entry.get("TargetMode", "").lower() == "external":
            continue
        kind = entry.get("Type", "").rpartition("/")[2]
        related[entry.get("Id", "")] = (kind, resolve(folder, entry.get("Target", "")))
    return related


def resolve(folder: str, target: str) -> str:
    """Return the part name of a relative address; it cannot leave the archive, which has nothing above its root."""
    path = unquote(target.split("#", 1)[0])
    joined = path if path.startswith("/") else posixpath.join("/", folder, path)
    return posixpath.normpath(joined).lstrip("/")
