"""What one knowledge file may cost. Larger ones are refused with the sums; nothing is cut off in silence."""

from __future__ import annotations

MIB = 1 << 20

MAX_FILE_BYTES = 512 * MIB
"""Size of any file. The largest textbooks in PDF, pictures included, stay below 400 MiB."""

MAX_TEXT_BYTES = 64 * MIB
"""Text that one file may give, in UTF-8: about 10 million words, the Encyclopædia Britannica being 44 MiB."""

MAX_EXPANDED_BYTES = 256 * MIB
"""What the parts read from one ZIP container (DOCX, PPTX, XLSX, EPUB) may come to, all together."""

MAX_TREE_BYTES = 64 * MIB
"""One XML or HTML part that is held as a tree, which takes about ten times its size."""

MAX_ARCHIVE_ENTRIES = 65_535
"""Files in one ZIP container; past it only ZIP64 could count them."""

MAX_PAGES = 50_000

READER_MEMORY_BYTES = 3 << 30
"""Address space of the document reader: the largest file twice, while it arrives, and 2 GiB beyond."""


def in_mib(size: int) -> str:
    """Return a size for people: `64 MiB`, `1.5 MiB`."""
    return f"{size / MIB:.1f}".removesuffix(".0") + " MiB"
