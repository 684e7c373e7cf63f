"""Plain text: kept as it is written."""

from __future__ import annotations

from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.errors import EmptyDocumentError
from satchel.runtime.knowledge.extract.decoding import DecodedText, decode_text
from satchel.runtime.knowledge.extract.protocol import Source, Step

MEDIA_TYPE = "text/plain"


def extract(source: Source, step: Step) -> ExtractedText:
    """Return the text of the file."""
    decoded = decode_visible(source)
    step(1, 1)
    return ExtractedText(MEDIA_TYPE, decoded.text, notes=decoded.notes)


def decode_visible(source: Source, *, declared: str | None = None) -> DecodedText:
    """Decode a text file.

    Raises:
        EmptyDocumentError: it holds nothing but white space.
        TooLargeError: its text is past the limit.
    """
    decoded = decode_text(source.content, file=source.name, declared=declared)
    if not decoded.text.strip():
        raise EmptyDocumentError(file=source.name, reason="it holds nothing but white space")
    return decoded
