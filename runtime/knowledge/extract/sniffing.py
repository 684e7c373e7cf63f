"""What a file is, by its content."""

from __future__ import annotations

import re
from dataclasses import dataclass

from satchel.runtime.knowledge.errors import DamagedDocumentError
from satchel.runtime.knowledge.extract.archive import Archive
from satchel.runtime.knowledge.extract.markup import local_name, parse_xml
from satchel.runtime.knowledge.extract.protocol import Source
from satchel.runtime.knowledge.extract.word import main_part

HEAD_BYTES = 1 << 16
_PDF = b"%PDF-"
_PDF_WITHIN = 1024  # what Acrobat allows before the header
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,4000}?-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
# UTF-16 text of these entries' names stands in the directory of an OLE container.
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_KINDS = (
    ("WordDocument".encode("utf-16-le"), "an old Word document (.doc): save it as .docx"),
    ("Workbook".encode("utf-16-le"), "an old Excel workbook (.xls): save it as .xlsx"),
    ("PowerPoint Document".encode("utf-16-le"), "an old PowerPoint presentation (.ppt): save it as .pptx"),
)

_UNREADABLE = (
    (b"{\\rtf", "it is an RTF document: save it as .docx"),
    (b"\x89PNG", "it is a picture"),
    (b"\xff\xd8\xff", "it is a picture"),
    (b"GIF8", "it is a picture"),
    (b"II*\0", "it is a picture"),
    (b"MM\0*", "it is a picture"),
    (b"BM", "it is a picture"),
    (b"ID3", "it is a sound"),
    (b"OggS", "it is a sound"),
    (b"fLaC", "it is a sound"),
    (b"\x1f\x8b", "it is a compressed file: unpack it first"),
    (b"BZh", "it is a compressed file: unpack it first"),
    (b"\xfd7zXZ\0", "it is a compressed file: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is a compressed file: unpack it first"),
    (b"7z\xbc\xaf", "it is an archive: unpack it first"),
    (b"Rar!", "it is an archive: unpack it first"),
    (b"\x7fELF", "it is a program"),
    (b"MZ", "it is a program"),
    (b"\xca\xfe\xba\xbe", "it is a program"),
    (b"SQLite format 3\0", "it is a database"),
    (b"GGUF", "it is a language model, not a document"),
    (b"%!PS", "it is PostScript: convert it to PDF"),
    (b"AT&TFORM", "it is a DjVu document: convert it to PDF"),
    (b"ITOLITLS", "it is a Microsoft e-book"),
    (b"Kaydara", "it is a model of a scene"),
)
_ZIP_KINDS = (
    ("xl/workbook.bin", "it is a binary Excel workbook (.xlsb): save it as .xlsx"),
    ("content.xml", "it is an OpenDocument file: save it as .docx, .xlsx or .pptx"),
    ("Index/Document.iwa", "it is an Apple iWork document: export it as PDF or an Office file"),
    ("AndroidManifest.xml", "it is a program"),
    ("META-INF/MANIFEST.MF", "it is a program"),
)


@dataclass(frozen=True, slots=True)
class Guess:
    """What the content says: a kind of readable binary format, or why it cannot be read, or neither for text."""

    kind: str = ""
    """`pdf`, `docx`, `pptx`, `xlsx`, `epub`, `encrypted-office`, `html`."""
    refusal: str = ""


def is_pdf(head: bytes) -> bool:
    """Tell a PDF, whose beginning may look like text."""
    return _PDF in head[:_PDF_WITHIN]


def guess_kind(source: Source) -> Guess:  # noqa: PLR0911 - one kind, one return
    """Return what the bytes are."""
    content = source.content
    if is_pdf(content):
        return Guess("pdf")
    if content.startswith(_ZIP):
        return _guess_zip(source)
    if content.startswith(_OLE):
        return _guess_ole(content)
    for magic, refusal in _UNREADABLE:
        # Two letters may begin any text.
        if content.startswith(magic) and (len(magic) > 2 or b"\0" in content[:HEAD_BYTES]):  # noqa: PLR2004 - see above
            return Guess(refusal=refusal)
    if content[4:8] == b"ftyp":
        return Guess(refusal="it is a film or a sound")
    if content.startswith(b"RIFF"):
        return Guess(refusal="it is a sound, film or picture")
    return Guess("html" if _HTML.match(content[:HEAD_BYTES]) else "")


def _guess_zip(source: Source) -> Guess:
    archive = Archive(source.content, file=source.name)
    if "META-INF/container.xml" in archive:
        return Guess("epub")
    for name, refusal in _ZIP_KINDS:
        if name in archive:
            return Guess(refusal=refusal)
    if "[Content_Types].xml" in archive:
        main = main_part(archive, file=source.name)
        if main in archive:
            root = local_name(parse_xml(archive.read(main), file=source.name, part=main))
            kinds = {"document": "docx", "presentation": "pptx", "workbook": "xlsx"}
            if root in kinds:
                return Guess(kinds[root])
        raise DamagedDocumentError(file=source.name, reason="it is an Office container without a document in it")
    return Guess(refusal="it is an archive: unpack it first")


def _guess_ole(content: bytes) -> Guess:
    if _OLE_ENCRYPTED in content:
        return Guess("encrypted-office")
    return Guess(
        refusal=next((refusal for name, refusal in _OLE_KINDS if name in content), "it is an old Office document")
    )
