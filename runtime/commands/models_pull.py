"""`satchel models pull`: first what a model is and under which licence it stands, then its files, checked."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from satchel.runtime.engine.choice import READER, STARTER, GgufFile, find_elsewhere, list_models
from satchel.runtime.engine.known_hashes import KnownHashes
from satchel.runtime.engine.starter import find_starter
from satchel.runtime.errors import UsageError
from satchel.runtime.models.catalogue import find_in_catalogue, load_catalogue
from satchel.runtime.models.download import fetch, require_space
from satchel.runtime.models.errors import ForeignFileError, LicenceNotAcceptedError
from satchel.runtime.models.facts import read_facts
from satchel.runtime.models.file_names import model_name
from satchel.runtime.models.hub import PREFIX, RemoteFile, RemoteModel, look_up, parse_reference
from satchel.runtime.models.partial import SUFFIX
from satchel.runtime.models.pulled import PulledFile, PulledRecord, read_record, save_record
from satchel.runtime.models.transfer import Endpoint
from satchel.runtime.packfile.lock import locked
from satchel.runtime.paths import Home
from satchel.runtime.progress import SILENT, Progress
from satchel.runtime.settings import HUB, Settings

FREE_LICENCES = frozenset(
    {
        *("apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "isc", "mpl-2.0", "unlicense", "bsl-1.0"),
        *("cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0"),
    }
)
"""Anybody may use what stands under one of these, for anything. All others a person accepts by a word of their own."""
TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be pulled, and where to."""

    name: str
    """What `--model` takes afterwards."""
    model: RemoteModel
    paths: tuple[Path, ...]
    here: GgufFile | None
    """The very same file where it is already, of whichever program; then nothing is pulled."""

    @property
    def licence(self) -> str:
        """As people read it."""
        return self.model.licence or "none named"

    @property
    def is_free(self) -> bool:
        """Whether it stands under one of the usual free licences."""
        return self.model.licence.casefold() in FREE_LICENCES


class PulledReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `pull` did. Its JSON form is part of the command's contract."""

    name: str
    path: str
    paths: tuple[str, ...]
    bytes: int
    sha256: tuple[str, ...]
    licence: str
    repository: str
    commit: str
    endpoint: str
    already_here: bool = False
    resumed_from: int = 0
    """Bytes that an earlier run had left."""
    problem: str = ""
    """Why the model cannot be talked to, though it came whole; empty for one that can."""


def find_offer(reference: str, home: Home, settings: Settings, environment: Mapping[str, str] | None = None) -> Offer:
    """Ask the hub what a name of the catalogue or `hub:OWNER/REPOSITORY/FILE.gguf` is. Nothing is fetched yet.

    Raises:
        UnknownModelError, WrongReferenceError, NotOnHubError, GatedModelError: names what is not as it should be.
        HubUnreachableError, HubFailedError: no endpoint answered.
        MissingExtraError: it is the Starter, which is installed otherwise.
        ForeignFileError: another file has its place.
    """
    if reference.casefold() in {READER, STARTER}:
        raise UsageError(reason=_comes_otherwise(reference.casefold(), home))
    is_file = reference.startswith((PREFIX, "http://", "https://"))
    text = reference if is_file else find_in_catalogue(reference, load_catalogue()).reference
    model = look_up(parse_reference(text), _endpoints(settings, os.environ if environment is None else environment))
    folder = home.models.joinpath(*model.repository.split("/"))
    paths = tuple(folder / file.name for file in model.files)
    return Offer(model_name(paths[0]), model, paths, _already_here(model, paths, home))


def pull_model(
    offer: Offer,
    home: Home,
    settings: Settings,
    *,
    accept_licence: bool = False,
    progress: Progress = SILENT,
    note: Callable[[str], None] = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> PulledReport:
    """Fetch what was offered, unless it is here already.

    Raises:
        LicenceNotAcceptedError: the licence is none of the usual free ones, and nobody accepted it.
        InterruptedDownloadError, HubUnreachableError, HubFailedError, GatedModelError: it did not come whole.
        ChecksumMismatchError: it came, and is something else.
        NotEnoughSpaceError, SaveError, BusyError: the disk is full, not writable, or another process pulls it.
    """
    model = offer.model
    first = offer.paths[0]
    if offer.here is not None:
        if offer.here.path == first and read_record(first) is None:
            save_record(first, _record(model))  # a run that was killed between naming the file and noting it
        return _report(offer, offer.here)
    if not offer.is_free and not accept_licence:
        raise LicenceNotAcceptedError(name=offer.name, licence=offer.licence, page=model.page)
    hashes = KnownHashes(home.cache)
    pairs = zip(model.files, offer.paths, strict=True)
    missing = [(file, path) for file, path in pairs if not _is_whole(file, path, hashes)]
    require_space(home.models, sum(file.size - _kept(path) for file, path in missing), offer.name)
    # Whoever answered knows this commit; the others may send the same bytes.
    endpoints = sorted(
        _endpoints(settings, os.environ if environment is None else environment),
        key=lambda endpoint: endpoint.url != model.endpoint.url,
    )
    resumed = 0
    with locked(first):
        for file, path in missing:
            resumed += fetch(file, path, endpoints, progress=progress, note=note).resumed_from
        save_record(first, _record(model))
    return _report(offer, None, resumed_from=resumed)


def _endpoints(settings: Settings, environment: Mapping[str, str]) -> list[Endpoint]:
    """Return where to ask; a person's token goes to the hub that gave it and to no mirror."""
    token = environment.get(TOKEN_VARIABLE, "").strip() or None
    return [Endpoint(url, token if url.rstrip("/") == HUB else None) for url in settings.hub_endpoints]


def _comes_otherwise(name: str, home: Home) -> str:
    if name == READER:
        return "the Reader is part of Satchel; `--model reader` uses it"
    return f"the Starter is installed already ({find_starter(home)}); `--model starter` uses it"


def _already_here(model: RemoteModel, paths: tuple[Path, ...], home: Home) -> GgufFile | None:
    """Return where the same bytes are, in their place here or with another program.

    Raises:
        ForeignFileError: another file is in their place, and Satchel did not pull it.
    """
    record = read_record(paths[0])
    pulled = {file.name: file.sha256 for file in record.record.files} if record is not None else {}
    hashes = KnownHashes(home.cache)
    for file, path in zip(model.files, paths, strict=True):
        if path.is_file() and hashes.sha256(path) not in {file.sha256, pulled.get(path.name)}:
            raise ForeignFileError(path=path)
    if all(_is_whole(file, path, hashes) for file, path in zip(model.files, paths, strict=True)):
        return GgufFile(paths[0], model_name(paths[0]))
    if len(model.files) > 1:
        return None
    (file,) = model.files
    own = (found for found in list_models(home) if _is_whole(file, found.path, hashes))
    others = (found for found in find_elsewhere(home) if found.sha256 == file.sha256)
    return next((found for found in (*own, *others)), None)


def _is_whole(file: RemoteFile, path: Path, hashes: KnownHashes) -> bool:
    return path.is_file() and path.stat().st_size == file.size and hashes.sha256(path) == file.sha256


def _kept(path: Path) -> int:
    partial = path.with_name(path.name + SUFFIX)
    return partial.stat().st_size if partial.is_file() else 0


def _record(model: RemoteModel) -> PulledRecord:
    return PulledRecord(
        repository=model.repository,
        commit=model.commit,
        licence=model.licence,
        endpoint=model.endpoint.url,
        day=dt.datetime.now(dt.UTC).date(),
        files=tuple(PulledFile(Path(file.name).name, file.size, file.sha256) for file in model.files),
    )


def _report(offer: Offer, here: GgufFile | None, *, resumed_from: int = 0) -> PulledReport:
    path = offer.paths[0] if here is None else here.path
    paths = offer.paths if path == offer.paths[0] else (path,)
    return PulledReport(
        name=offer.name if here is None else here.name,
        path=str(path),
        paths=tuple(map(str, paths)),
        bytes=offer.model.size,
        sha256=tuple(file.sha256 for file in offer.model.files),
        licence=offer.model.licence,
        repository=offer.model.repository,
        commit=offer.model.commit,
        endpoint=offer.model.endpoint.url,
        already_here=here is not None,
        resumed_from=resumed_from,
        problem=read_facts(path).problem,
    )
