"""Accepts a pack in its one canonical form, and in no other.

Nothing that the file says about its own structure is believed: the manifest gives the table, the table gives every
header, and the bytes that lie there must be those. So there is nothing to parse but the manifest, and no two programs
can read the same file differently.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from satchel.runtime.packfile.canonical import SchemaError
from satchel.runtime.packfile.documents import NewerFormatError, decode_manifest, decode_signature
from satchel.runtime.packfile.errors import DamagedPackError, NewerPackError, NotAPackError
from satchel.runtime.packfile.layout import LOCAL_HEADER, MIMETYPE_CONTENT, Layout, lay_out, local_header
from satchel.runtime.packfile.limits import MANIFEST_BYTES, PACK_BYTES, SIGNATURE_BYTES
from satchel.runtime.packfile.names import MANIFEST, SIGNATURE
from satchel.runtime.packfile.pack import Pack
from satchel.runtime.packfile.reading import PackReader
from satchel.runtime.packfile.schema_v1 import FORMAT, Manifest, Signature
from satchel.runtime.packfile.verification import verify_content
from satchel.runtime.progress import SILENT, Progress

_START = lay_out(b"", ()).placements[0].header + MIMETYPE_CONTENT
"""How every pack begins: the whole entry `mimetype`."""
_ZIP_START = b"PK\3\4"
_SIZE_FIELD = slice(18, 22)
"""Of a local header: the stored size."""


def open_pack(path: Path, *, verify: bool, progress: Progress = SILENT) -> Pack:
    """Open a pack; with `verify`, read all of it and compare every checksum first.

    Without, the headers and the manifest alone are read and compared, at a cost that depends on the number of entries
    and not on their sizes; `Pack.read` still checks what it returns, and maps are as good as the last verification.

    Raises:
        UnreadablePackError, NotAPackError, DamagedPackError, NewerPackError, PackChangedError: by their docstrings.
    """
    reader = PackReader(path)
    try:
        pack = _accept(reader)
        if verify:
            verify_content(pack, progress=progress)
    except BaseException:
        reader.close()
        raise
    return pack


def _accept(reader: PackReader) -> Pack:
    _check_start(reader)
    content = _read_manifest(reader)
    manifest = _decoded(reader.path, content)
    layout, signature = _read_layout(reader, content, manifest)
    for placement in layout.placements:
        if reader.read_at(placement.offset, len(placement.header)) != placement.header:
            raise DamagedPackError(path=reader.path, reason=f"the header of {placement.name} is not as it must be")
    if reader.read_at(layout.tail_offset, len(layout.tail)) != layout.tail:
        raise DamagedPackError(path=reader.path, reason="its directory is not as it must be")
    return Pack(reader, manifest, layout, hashlib.sha256(content).hexdigest(), signature)


def _check_start(reader: PackReader) -> None:
    start = reader.read_at(0, min(len(_START), reader.size))
    if start == _START:
        if reader.size > PACK_BYTES:
            raise DamagedPackError(path=reader.path, reason="it is 4 GiB or larger")
        return
    if not start:
        reason = "it is empty"
    elif _START.startswith(start):
        reason = "it ends within its first entry"
    elif start.startswith(_ZIP_START):
        reason = "it is a ZIP file of another kind"
    else:
        reason = "it does not begin like one"
    raise NotAPackError(path=reader.path, reason=reason)


def _read_manifest(reader: PackReader) -> bytes:
    offset = len(_START)
    header_size = LOCAL_HEADER.size + len(MANIFEST)
    content = _read_self_described(reader, MANIFEST, offset, header_size, MANIFEST_BYTES)
    if content is None:
        raise DamagedPackError(path=reader.path, reason="manifest.json is not where it must be, or cut short")
    return content


def _decoded(path: Path, content: bytes) -> Manifest:
    try:
        return decode_manifest(content)
    except NewerFormatError as error:
        raise NewerPackError(path=path, format=error.found, known=FORMAT) from error
    except SchemaError as error:
        raise DamagedPackError(path=path, reason=f"manifest.json: {error}") from error


def _read_layout(reader: PackReader, content: bytes, manifest: Manifest) -> tuple[Layout, Signature | None]:
    """Return the layout that has the file's size, and the signature if it is the one with a signature."""
    layout = lay_out(content, manifest.entries)
    if layout.size == reader.size:
        return layout, None
    if layout.size < reader.size:
        offset = layout.tail_offset
        header_size = LOCAL_HEADER.size + len(SIGNATURE)
        signature = _read_self_described(reader, SIGNATURE, offset, header_size, SIGNATURE_BYTES)
        if signature is not None:
            layout = lay_out(content, manifest.entries, signature)
            if layout.size == reader.size:
                try:
                    return layout, decode_signature(signature)
                except SchemaError as error:
                    raise DamagedPackError(path=reader.path, reason=f"signature.json: {error}") from error
    reason = "it is cut short" if reader.size < layout.size else "it has bytes that belong to no entry"
    raise DamagedPackError(path=reader.path, reason=reason)


def _read_self_described(reader: PackReader, name: str, offset: int, header_size: int, most: int) -> bytes | None:
    """Return the content of an entry that no table describes, if its header is the one that this content has."""
    if offset + header_size > reader.size:
        return None
    header = reader.read_at(offset, header_size)
    size = int.from_bytes(header[_SIZE_FIELD], "little")
    if size > most or offset + header_size + size > reader.size:
        return None
    content = reader.read_at(offset + header_size, size)
    return content if local_header(name, content, offset) == header else None
