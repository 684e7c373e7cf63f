"""Fetches one file from a hub: resumed where it broke off, hashed while it comes, given its name only when it is whole.

What is wanted is known before the first byte (size and SHA-256, from the hub's API), so any mirror may send it, and a
file that changed on the hub between two runs is seen at once and begun again.
"""

from __future__ import annotations

import http.client
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from satchel.runtime.engine.sizes import in_words
from satchel.runtime.errors import SatchelError
from satchel.runtime.models.errors import (
    ChecksumMismatchError,
    HubFailedError,
    HubUnreachableError,
    InterruptedDownloadError,
    NotOnHubError,
)
from satchel.runtime.models.hub import RemoteFile, refused
from satchel.runtime.models.partial import PartialFile, PartialState, no_space
from satchel.runtime.models.transfer import Endpoint, Refusal, Response, get, reason_of
from satchel.runtime.progress import SILENT, Progress

_BLOCK = 1 << 20
_ATTEMPTS = 3
"""In a row without one new byte; then the person is told, who may run the command again."""
_SPARE_BYTES = 64 << 20
"""A disk is never filled to the brim."""
_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<total>\d+|\*)")
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416


@dataclass(frozen=True, slots=True)
class Fetched:
    """How a file came."""

    path: Path
    endpoint: str
    resumed_from: int
    """Bytes that an earlier run had left; 0 for a fresh start."""


@dataclass(frozen=True, slots=True)
class _Front:
    """Who is told what happens."""

    progress: Callable[[int], None]
    note: Callable[[str], None]
    pause: Callable[[float], None]


class _BrokenOffError(Exception):
    """An answer ended too early, or was not what was asked for; another attempt may do."""


def fetch(
    file: RemoteFile,
    destination: Path,
    endpoints: Sequence[Endpoint],
    *,
    progress: Progress = SILENT,
    note: Callable[[str], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch a file; whatever ends it early, a kill included, the bytes that came are kept for the next call.

    `note` is told what a person should know and no error is; `pause` waits between attempts.

    Raises:
        InterruptedDownloadError, HubUnreachableError, HubFailedError, GatedModelError, NotOnHubError: no endpoint
            gave (all of) it.
        ChecksumMismatchError: it came whole and is something else; it was thrown away.
        NotEnoughSpaceError, SaveError: the disk is full or not writable.
    """
    wanted = PartialState(repository=file.repository, file=file.name, size=file.size, sha256=file.sha256)
    stage, total = f"pulling {destination.name}, MiB", file.size >> 20
    front = _Front(lambda done: progress(stage, done >> 20, total), note, pause)
    with PartialFile(destination, wanted) as partial:
        checking = f"checking what came of {destination.name}, MiB"
        if not partial.open(lambda done: progress(checking, done >> 20, total)):
            note(f"{file.name} has changed on the hub since its download began: it begins again.")
        resumed_from = partial.size
        require_space(destination.parent, file.size - partial.size, destination.name)
        source = _receive_all(file, partial, list(endpoints), front)
        found = partial.sha256()
        if found != file.sha256:
            partial.discard()
            raise ChecksumMismatchError(file=file.name, found=found, expected=file.sha256, source=source)
        partial.finish()
    return Fetched(destination, source, resumed_from)


def require_space(folder: Path, needed: int, file: str) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        NotEnoughSpaceError: says what is free and what is needed.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed + _SPARE_BYTES:
        raise no_space(folder, free, file, needed + _SPARE_BYTES)


def _receive_all(file: RemoteFile, partial: PartialFile, endpoints: list[Endpoint], front: _Front) -> str:
    """Ask until all is there, going on to the next endpoint after each failure; return which gave the last byte."""
    source = endpoints[0].host
    vain, waits = 0, 0
    most = partial.size
    while partial.size < file.size:
        endpoint = endpoints[0]
        try:
            source = endpoint.host
            _receive(file, partial, endpoint, front)
        except NotOnHubError:
            endpoints.remove(endpoint)
            if not endpoints:
                raise
        except (HubUnreachableError, HubFailedError, _BrokenOffError) as error:
            # More than ever before: of two servers, one may lose each time what the other brings.
            vain = 0 if partial.size > most else vain + 1
            most = max(most, partial.size)
            if vain >= _ATTEMPTS * len(endpoints):
                raise _gave_up(error, file, partial, endpoint) from error
            endpoints.append(endpoints.pop(0))
            if vain and vain % len(endpoints) == 0:
                front.pause(2.0**waits)
                waits += 1
    return source


def _gave_up(error: Exception, file: RemoteFile, partial: PartialFile, endpoint: Endpoint) -> SatchelError:
    reason = error.fields["reason"] if isinstance(error, SatchelError) else str(error)
    if partial.size:
        kept, total = in_words(partial.size), in_words(file.size)
        return InterruptedDownloadError(file=file.name, kept=kept, total=total, reason=f"{endpoint.host}: {reason}")
    return error if isinstance(error, SatchelError) else HubFailedError(host=endpoint.host, reason=reason)


def _receive(file: RemoteFile, partial: PartialFile, endpoint: Endpoint, front: _Front) -> None:
    """Append what one answer brings.

    Raises:
        _BrokenOffError: it ended early.
        HubUnreachableError, HubFailedError, GatedModelError, NotOnHubError: there was none.
    """
    try:
        with get(endpoint, file.path, _range_headers(partial, endpoint)) as response:
            _check_beginning(file, partial, endpoint, response, front.note)
            _copy(response, file, partial, endpoint, front.progress)
    except Refusal as refusal:
        if refusal.status == _RANGE_NOT_SATISFIABLE and partial.size:
            partial.restart()
            raise _BrokenOffError("it has no such part") from None
        raise refused(refusal, file.repository, endpoint) from None


def _range_headers(partial: PartialFile, endpoint: Endpoint) -> dict[str, str]:
    """Ask for the rest, and for the whole where that server's version of the file is another one by now (RFC 9110)."""
    if not partial.size:
        return {}
    headers = {"Range": f"bytes={partial.size}-"}
    etag = partial.state.etag
    if partial.state.endpoint == endpoint.url and etag.startswith('"'):  # a weak one may not be asked for
        headers["If-Range"] = etag
    return headers


def _check_beginning(
    file: RemoteFile, partial: PartialFile, endpoint: Endpoint, response: Response, note: Callable[[str], None]
) -> None:
    """See that an answer goes on where the partial file ends, or begin again with it."""
    etag = response.headers.get("ETag", "")
    if response.status == _PARTIAL_CONTENT:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found["start"]) != partial.size or found["total"] not in {"*", str(file.size)}:
            partial.restart()
            raise _BrokenOffError("it sends another part than the one that was asked for")
    else:
        if partial.size:
            note(
                f"{endpoint.host} sends {file.name} from its beginning again: it cannot go on, or has another version."
            )
            partial.restart()
        length = response.headers.get("Content-Length")
        if length is not None and length != str(file.size):
            reason = f"it sends {length} bytes as {file.name}, which has {file.size}"
            raise HubFailedError(host=endpoint.host, reason=reason)
    partial.name_source(endpoint.url, etag)


def _copy(
    response: Response, file: RemoteFile, partial: PartialFile, endpoint: Endpoint, progress: Callable[[int], None]
) -> None:
    progress(partial.size)
    while True:
        try:
            block = response.read1(_BLOCK)
        except (OSError, http.client.HTTPException) as error:
            raise _BrokenOffError(reason_of(error)) from error
        if not block:
            break
        if partial.size + len(block) > file.size:
            raise HubFailedError(host=endpoint.host, reason=f"it sends more than the {file.size} bytes of {file.name}")
        partial.append(block)
        progress(partial.size)
    if partial.size < file.size:
        raise _BrokenOffError("it broke the connection off")
