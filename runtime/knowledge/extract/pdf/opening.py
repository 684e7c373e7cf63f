"""Opening a PDF with pdfium, and saying why it does not open."""

from __future__ import annotations

import io
from typing import Any

from satchel.runtime.knowledge.errors import DamagedDocumentError, EncryptedDocumentError, TooLargeError
from satchel.runtime.knowledge.extract.limits import MAX_PAGES
from satchel.runtime.knowledge.extract.pdf.encryption import describe_encryption
from satchel.runtime.knowledge.extract.protocol import Source, Step


def open_document(source: Source, step: Step) -> Any:
    """Return the `pypdfium2.PdfDocument` of a file.

    Raises:
        EncryptedDocumentError: a password is needed, or the one given is wrong, or something else than a password.
        DamagedDocumentError: no page is found.
        TooLargeError: there are too many.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        document = pypdfium2.PdfDocument(source.content, password=source.password)
    except pypdfium2.PdfiumError as error:
        if error.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}:
            raise _encrypted(source, step, password=error.err_code == pdfium.FPDF_ERR_PASSWORD) from error
        raise DamagedDocumentError(file=source.name, reason="no PDF can be found in it") from error
    pages = len(document)
    if 0 < pages <= MAX_PAGES:
        return document
    document.close()
    if pages:
        raise TooLargeError(file=source.name, reason=f"it has {pages} pages, more than {MAX_PAGES}")
    raise DamagedDocumentError(file=source.name, reason="it has no pages")


def decrypted(document: Any, content: bytes) -> bytes:
    """Return the bytes of an open document, without its encryption where it has one.

    pypdf decrypts AES only with a further library; pdfium has done it already.
    """
    import pypdfium2.raw as pdfium

    if pdfium.FPDF_GetSecurityHandlerRevision(document) < 0:
        return content
    plain = io.BytesIO()
    document.save(plain, flags=pdfium.FPDF_REMOVE_SECURITY)
    return plain.getvalue()


def _encrypted(source: Source, step: Step, *, password: bool) -> EncryptedDocumentError:
    encryption = describe_encryption(source.content, lambda: step(0, None))
    if password:
        cipher = f" ({encryption.cipher})" if encryption.cipher else ""
        given = "the password given does not open it" if source.password else "it needs a password to open"
        reason = f"{given}{cipher}"
        advice = "Open it with its user or owner password in a PDF viewer, and print it to a new PDF without one."
    elif encryption.by_certificate:
        reason = "only the holders of certain certificates can open it"
        advice = "Open it in a viewer that has your certificate, and print it to a new PDF."
    else:
        reason = f"it is protected in a way that only {encryption.maker or 'one program'} opens"
        advice = "Print it to a new PDF in the program that opens it."
    return EncryptedDocumentError(file=source.name, reason=reason, advice=advice)
