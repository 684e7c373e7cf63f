"""What can go wrong with knowledge files: exit codes 20 to 29.

Every error about one file is a `DocumentError` and has the field `file`, so that an import of many files can go on and
list what it left out, with the reason.
"""

from __future__ import annotations

from satchel.runtime.errors import SatchelError


class KnowledgeError(SatchelError):
    """{reason}."""

    exit_code = 20


class DocumentError(KnowledgeError):
    """{file}: {reason}."""

    exit_code = 21


class DamagedDocumentError(DocumentError):
    """{file} is damaged or cut short: {reason}."""

    remedy = "Open {file} in the program that made it, save a new copy, and add that one."


class ReaderStoppedError(DocumentError):
    """{file} made the document reader stop: {reason}."""

    remedy = "Leave {file} out, or save it in another format; the other files are read all the same."


class EncryptedDocumentError(DocumentError):
    """{file} is encrypted: {reason}."""

    exit_code = 22
    remedy = "{advice}"


class NoTextError(DocumentError):
    """{file} has no text, only pictures (on {picture_pages} of {pages} pages): it was probably scanned."""

    exit_code = 24
    remedy = (
        "To have the pictures read, set `read_pictures = true` under [knowledge] in assistant.toml. "
        "This needs the extra `ocr`: in the checkout run pip install '.[ocr]'"
    )


class UnreadPicturesError(DocumentError):
    """{file} has no text, only pictures, and they could not be read: {reason}."""

    exit_code = 24
    remedy = "{advice}"


class NothingWrittenError(DocumentError):
    """{file} has no text, only pictures (on {picture_pages} of {pages} pages), and none could be made out on them."""

    exit_code = 24
    remedy = "Scan {file} anew, sharper, or leave it out. Latin, Chinese and Japanese script can be read."


class EmptyDocumentError(DocumentError):
    """{file} is empty: {reason}."""

    exit_code = 24
    remedy = "Leave {file} out, or add the copy that has the text."


class UnknownFormatError(DocumentError):
    """{file} cannot be read: {reason}. Readable are {readable}."""

    exit_code = 25
    remedy = "Save {file} in one of these formats."


class TooLargeError(DocumentError):
    """{file} is too large: {reason}."""

    exit_code = 26
    remedy = "Split {file} into smaller files."


class TooSlowError(DocumentError):
    """{file} took longer than the {seconds} s that one file may take."""

    exit_code = 26
    remedy = "Split {file} into smaller files."


class VanishedError(DocumentError):
    """{file} is not there (any more)."""

    exit_code = 27
    remedy = "Put it back, or take it out of the knowledge folder's list."


class ChangedWhileReadError(DocumentError):
    """{file} changed while it was read."""

    exit_code = 27
    remedy = "Run the command again when the program that writes {file} is done."


class UnreadableFileError(DocumentError):
    """{file} cannot be opened: {reason}."""

    exit_code = 27
    remedy = "Only ordinary files that you may read can be added."


class LinkedFileError(DocumentError):
    """{file} is a link to {target}, and links inside a project are not followed."""

    exit_code = 27
    remedy = "Add the file itself; a link in somebody else's project could point at anything on this machine."
