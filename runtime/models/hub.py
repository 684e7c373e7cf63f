"""What a hub says of a model's files: exact names, sizes, SHA-256, licence and the commit that they belong to.

Source: the hub's API as `huggingface_hub` 2.4 uses it: `/api/models/ID/revision/main?blobs=true`,
`/ID/resolve/COMMIT/FILE`, the header X-Error-Code; a missing repository is 401 to those who are not logged in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from satchel.runtime.errors import SatchelError
from satchel.runtime.models.catalogue import nearest
from satchel.runtime.models.errors import (
    GatedModelError,
    HubFailedError,
    NotOnHubError,
    UnverifiableFileError,
    WrongReferenceError,
)
from satchel.runtime.models.file_names import is_later_part, is_projector, part_names
from satchel.runtime.models.transfer import Endpoint, Refusal, get, reason_of

PREFIX = "hub:"
_ANSWER_BYTES = 32 << 20
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# A file's name becomes one on this disk: nothing that another system takes for a path, a device or a command.
_FOLDER_OR_FILE = re.compile(r"[^\x00-\x1f\x7f\\/:*?\"<>|]{1,200}")
_ADDRESS = re.compile(r"/(?P<repository>[^/]+/[^/]+)/(?:blob|resolve)/[^/]+/(?P<file>.+)")
_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class HubReference:
    """A file of a repository, as a person names it; any part of a split model stands for all."""

    repository: str
    file: str
    """Empty where only a repository was named."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file, as the hub describes it."""

    repository: str
    commit: str
    name: str
    size: int
    sha256: str

    @property
    def path(self) -> str:
        """Where it is below an endpoint."""
        return f"/{self.repository}/resolve/{self.commit}/{quote(self.name)}"


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model's files, several for a split one, and what the hub says of them."""

    repository: str
    commit: str
    licence: str
    """The hub's identifier; empty where the repository names none."""
    files: tuple[RemoteFile, ...]
    endpoint: Endpoint
    """Which answered."""

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(file.size for file in self.files)

    @property
    def page(self) -> str:
        """Where a person can read about it."""
        return f"{self.endpoint.url.rstrip('/')}/{self.repository}"


class _Lfs(msgspec.Struct, frozen=True):
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, msgspec.Meta(ge=0, lt=1 << 50)]


class _Sibling(msgspec.Struct, frozen=True):
    rfilename: str
    lfs: _Lfs | None = None


class _Repository(msgspec.Struct, frozen=True, rename="camel"):
    """Of the hub's answer, what is used; it has dozens of other keys and gets new ones."""

    id: str
    sha: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{7,64}$")]
    siblings: tuple[_Sibling, ...]
    tags: tuple[str, ...] = ()
    card_data: Any = None


def parse_reference(text: str) -> HubReference:
    """Return what `hub:OWNER/REPOSITORY/FILE.gguf` names, or the address of a file's page on a hub.

    Raises:
        WrongReferenceError: it is none, or holds what cannot be a name.
    """
    rest = text.removeprefix(PREFIX)
    if text.startswith(("http://", "https://")):
        found = _ADDRESS.fullmatch(urlsplit(text).path)
        if found is None:
            raise WrongReferenceError(reference=text, reason="it is no address of one file")
        rest = f"{found['repository']}/{unquote(found['file'])}"
    parts = rest.split("/")
    repository, file = "/".join(parts[:2]), "/".join(parts[2:])
    if not _REPOSITORY.fullmatch(repository) or ".." in repository:
        raise WrongReferenceError(reference=text, reason=f"{repository!r} is no OWNER/REPOSITORY")
    if file and not file.casefold().endswith(".gguf"):
        raise WrongReferenceError(reference=text, reason="only .gguf files can be used")
    for part in parts[2:]:
        if not _FOLDER_OR_FILE.fullmatch(part) or part.strip(" .") != part:
            raise WrongReferenceError(reference=text, reason=f"{part!r} cannot be a name")
    return HubReference(repository, file)


def look_up(reference: HubReference, endpoints: Sequence[Endpoint]) -> RemoteModel:
    """Ask the first endpoint that answers what the files are.

    Raises:
        NotOnHubError, GatedModelError, UnverifiableFileError, WrongReferenceError: names what is not as it should be.
        HubUnreachableError, HubFailedError: none answered; says why the first did not.
    """
    first: SatchelError | None = None
    for endpoint in endpoints:
        try:
            return _model(reference, _ask(reference.repository, endpoint), endpoint)
        except (GatedModelError, WrongReferenceError):
            raise
        except SatchelError as error:
            # That a file is not there tells more than that a mirror is down.
            if first is None or (isinstance(error, NotOnHubError) and not isinstance(first, NotOnHubError)):
                first = error
    assert first is not None, "settings name at least one endpoint"
    raise first


def refused(refusal: Refusal, repository: str, endpoint: Endpoint) -> SatchelError:
    """Return the error that a refusal means."""
    if refusal.code == "GatedRepo" or (refusal.status == _FORBIDDEN and not refusal.code):
        page = f"{endpoint.url.rstrip('/')}/{repository}"
        return GatedModelError(host=endpoint.host, repository=repository, status=refusal.status, page=page)
    if refusal.status in {_UNAUTHORISED, _NOT_FOUND}:
        what = f"such file in {repository}" if refusal.code == "EntryNotFound" else f"public repository {repository}"
        near = "Compare the spelling with the hub's page; owner and repository are both needed."
        return NotOnHubError(host=endpoint.host, what=what, near=near)
    reason = f"it answered with the status {refusal.status}"
    if refusal.status // 100 == _REDIRECTS:
        reason = "it redirects in a circle, or to an address that is none of HTTP"
    return HubFailedError(host=endpoint.host, reason=reason)


def _ask(repository: str, endpoint: Endpoint) -> _Repository:
    try:
        with get(endpoint, f"/api/models/{repository}/revision/main?blobs=true") as response:
            content = response.read(_ANSWER_BYTES + 1)
    except Refusal as refusal:
        raise refused(refusal, repository, endpoint) from None
    except OSError as error:
        raise HubFailedError(host=endpoint.host, reason=reason_of(error)) from error
    try:
        if len(content) > _ANSWER_BYTES:
            raise HubFailedError(host=endpoint.host, reason=f"its answer is longer than {_ANSWER_BYTES >> 20} MiB")
        return msgspec.json.decode(content, type=_Repository)
    except (msgspec.DecodeError, RecursionError) as error:
        raise HubFailedError(host=endpoint.host, reason=f"its answer is not a hub's: {error}") from error


def _model(reference: HubReference, repository: _Repository, endpoint: Endpoint) -> RemoteModel:
    siblings = {sibling.rfilename: sibling for sibling in repository.siblings}
    models = [name for name in siblings if name.casefold().endswith(".gguf")]
    if not reference.file:
        first = sorted(name for name in models if not is_later_part(PurePosixPath(name)) and not is_projector(name))
        holds = f"which holds {', '.join(first[:40])}" if first else "which holds no .gguf file"
        text = f"{PREFIX}{reference.repository}"
        raise WrongReferenceError(reference=text, reason=f"it names a repository, {holds}")
    files = []
    for name in part_names(reference.file):
        if (sibling := siblings.get(name)) is None:
            known = nearest(name, sorted(models))
            near = f"Its models nearest to that name: {known}." if models else "It holds no .gguf file at all."
            raise NotOnHubError(host=endpoint.host, what=f"file {name} in {reference.repository}", near=near)
        if sibling.lfs is None:
            raise UnverifiableFileError(host=endpoint.host, file=name)
        files.append(RemoteFile(reference.repository, repository.sha, name, sibling.lfs.size, sibling.lfs.sha256))
    return RemoteModel(reference.repository, repository.sha, _licence(repository), tuple(files), endpoint)


def _licence(repository: _Repository) -> str:
    card = repository.card_data if isinstance(repository.card_data, dict) else {}
    named = card.get("license")
    if named == "other":
        named = card.get("license_name") or named
    if isinstance(named, list):
        named = ", ".join(str(item) for item in named)
    tagged = (tag.removeprefix("license:") for tag in repository.tags if tag.startswith("license:"))
    return named if isinstance(named, str) and named else next(tagged, "")
