"""ZIP containers (DOCX, PPTX, XLSX, EPUB) opened so that a bomb stays small."""

from __future__ import annotations

import io
import zipfile
import zlib

from satchel.runtime.knowledge.errors import DamagedDocumentError, EncryptedDocumentError, TooLargeError
from satchel.runtime.knowledge.extract.limits import MAX_ARCHIVE_ENTRIES, MAX_EXPANDED_BYTES, MAX_TREE_BYTES, in_mib

_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError)


class Archive:
    """The parts of one ZIP container by name.

    Sizes are checked twice before bytes are spent: as declared, when a part is asked for, and as they come, because
    `zipfile` expands no more than the declared size and compares the checksum (a lying entry is a damaged one).
    All parts read count together, so that many entries over the same bytes (a bomb without nesting) are stopped too.
    """

    def __init__(self, content: bytes, *, file: str) -> None:
        self._file = file
        self._expanded = 0
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except _BROKEN as error:
            raise DamagedDocumentError(file=file, reason=f"its ZIP directory cannot be read ({error})") from error
        entries = self._zip.infolist()
        if len(entries) > MAX_ARCHIVE_ENTRIES:
            raise TooLargeError(file=file, reason=f"it holds {len(entries)} files, more than {MAX_ARCHIVE_ENTRIES}")
        self._entries = {entry.filename: entry for entry in entries}

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def names(self) -> list[str]:
        """Names of all parts, in the order of the directory."""
        return list(self._entries)

    def read(self, name: str, *, limit: int = MAX_TREE_BYTES) -> bytes:
        """Return one part.

        Raises:
            DamagedDocumentError: it is missing or broken.
            TooLargeError: it, or all parts read so far, is past the limits.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise DamagedDocumentError(file=self._file, reason=f"its part {name} is missing")
        self.spend(name, limit=limit)
        try:
            return self._zip.read(entry)
        except _BROKEN as error:
            raise DamagedDocumentError(file=self._file, reason=f"its part {name} is broken ({error})") from error

    def spend(self, name: str, *, limit: int = MAX_EXPANDED_BYTES) -> None:
        """Count a part that another library will expand, with the checks of `read`."""
        entry = self._entries[name]
        if entry.flag_bits & _ENCRYPTED:
            raise EncryptedDocumentError(
                file=self._file, reason=f"its part {name} needs a password", advice="Save a copy without a password."
            )
        self._expanded += entry.file_size
        if entry.file_size > limit:
            reason = f"its part {name} expands to {in_mib(entry.file_size)}, more than {in_mib(limit)}"
            raise TooLargeError(file=self._file, reason=reason)
        if self._expanded > MAX_EXPANDED_BYTES:
            reason = f"its parts expand to more than {in_mib(MAX_EXPANDED_BYTES)}"
            raise TooLargeError(file=self._file, reason=reason)
