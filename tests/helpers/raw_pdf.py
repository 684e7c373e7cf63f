"""Writes PDFs object by object, for structures that no program writes by itself."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping

CATALOG, PAGES, FONT = 1, 2, 3
FIRST_FREE = 10


def page_objects(texts: Iterable[str], *, first: int = FIRST_FREE, catalog: str = "") -> dict[int, bytes]:
    """Return the objects of a document with one line a page: page n is object `first` + 2n, its content the next one.

    `catalog` is what its dictionary says beyond the page tree.
    """
    texts = list(texts)
    kids = " ".join(f"{first + 2 * place} 0 R" for place in range(len(texts)))
    objects = {
        CATALOG: f"<</Type/Catalog/Pages {PAGES} 0 R {catalog}>>".encode(),
        PAGES: f"<</Type/Pages/Kids[{kids}]/Count {len(texts)}/MediaBox[0 0 600 800]>>".encode(),
        FONT: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    for place, text in enumerate(texts):
        number = first + 2 * place
        resources = f"/Resources<</Font<</F1 {FONT} 0 R>>>>"
        objects[number] = f"<</Type/Page/Parent {PAGES} 0 R{resources}/Contents {number + 1} 0 R>>".encode()
        objects[number + 1] = stream(f"BT /F1 12 Tf 100 700 Td ({text}) Tj ET".encode())
    return objects


def stream(content: bytes, dictionary: str = "") -> bytes:
    """Return a stream object."""
    return f"<<{dictionary}/Length {len(content)}>>stream\n".encode() + content + b"\nendstream"


def pdf_of(objects: Mapping[int, bytes], *, trailer: str = "") -> bytes:
    """Return a file of these objects, in this order, with a table of their places."""
    body, places = _body(objects)
    size = max(objects) + 1
    table = b"".join(_table_line(places.get(number)) for number in range(1, size))
    return b"%sxref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        body, size, table, size, CATALOG, trailer.encode(), len(body),
    )  # fmt: skip


def packed_pdf_of(objects: Mapping[int, bytes], packed: Collection[int]) -> bytes:
    """Return a file as PDF 1.5 and later have it: `packed` objects lie in one compressed stream, the table in another.

    The stream of objects stands where the first packed object would.
    """
    holder, table = max(objects) + 1, max(objects) + 2
    inner = [objects[number] for number in packed]
    starts = [sum(len(value) + 1 for value in inner[:place]) for place in range(len(inner))]
    head = " ".join(f"{number} {start}" for number, start in zip(packed, starts, strict=True)).encode() + b" "
    kind = f"/Type/ObjStm/N {len(inner)}/First {len(head)}/Filter/FlateDecode"
    packing = stream(zlib.compress(head + b" ".join(inner)), kind)
    outer: dict[int, bytes] = {}
    for number, value in objects.items():
        if number in packed:
            outer.setdefault(holder, packing)
        else:
            outer[number] = value
    body, places = _body(outer)
    rows = bytearray()
    for number in range(table + 1):
        if number in packed:
            rows += _row(2, holder, list(packed).index(number))
        else:
            at = len(body) if number == table else places.get(number)
            rows += _row(0, 0, 0) if at is None else _row(1, at, 0)
    kind = f"/Type/XRef/W[1 4 2]/Size {table + 1}/Root {CATALOG} 0 R/Filter/FlateDecode"
    last, _ = _body({table: stream(zlib.compress(bytes(rows)), kind)}, head=b"")
    return b"%s%sstartxref\n%d\n%%%%EOF\n" % (body, last, len(body))


def _body(objects: Mapping[int, bytes], head: bytes = b"%PDF-1.7\n") -> tuple[bytes, dict[int, int]]:
    pieces, at, places = [head], len(head), {}
    for number, value in objects.items():
        places[number] = at
        pieces.append(b"%d 0 obj\n%s\nendobj\n" % (number, value))
        at += len(pieces[-1])
    return b"".join(pieces), places


def _table_line(place: int | None) -> bytes:
    return b"0000000000 00001 f \n" if place is None else b"%010d 00000 n \n" % place


def _row(kind: int, value: int, more: int) -> bytes:
    return bytes([kind]) + value.to_bytes(4, "big") + more.to_bytes(2, "big")
