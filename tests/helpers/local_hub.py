"""A hub of models on this machine: the API, the redirect to a CDN on another host, ranges, and all that goes wrong.

It answers as the Hugging Face hub does: `/api/models/ID/revision/REV?blobs=true`, then `/ID/resolve/COMMIT/FILE`, which
redirects to a signed address of the CDN. `LocalHub.rules` says what is to go wrong.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

REPOSITORY = "maker/Tiny-GGUF"


@dataclass
class Rules:
    """What the hub does otherwise than well; changed by a test at any time."""

    cut_after: list[int] = field(default_factory=list)
    """Bytes after which the CDN breaks each of its next answers off."""
    ignores_ranges: bool = False
    wrong_range: bool = False
    """It sends the part after the one that was asked for."""
    corrupts: bool = False
    length: int | None = None
    """What the CDN says of the length, in place of the truth."""
    error: tuple[int, str] | None = None
    """Status and X-Error-Code of every answer."""
    file_error: tuple[int, str] | None = None
    """The same, of the files alone."""
    answer: bytes | None = None
    """In place of the API's JSON."""
    redirect: str | None = None
    """Where files lie, in place of the CDN."""
    renamed_to: str | None = None
    """The repository's new name, to which its old one redirects."""
    etag: str | None = None
    """In place of one made from the file's bytes."""
    tells_no_hash: bool = False
    token: str | None = None
    """Without it, files are gated."""
    stall_after: int | None = None
    """Bytes after which the CDN sends no more, until `LocalHub.release`."""


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    server: str
    path: str
    headers: dict[str, str]


class LocalHub:
    """Repositories in memory, served by two servers: the hub, and the CDN that holds the bytes."""

    def __init__(self) -> None:
        self.rules = Rules()
        self.asked: list[Asked] = []
        self.files: dict[str, dict[str, bytes]] = {}
        self.card: dict[str, Any] = {"license": "apache-2.0"}
        self._released = threading.Event()
        self._hub = self._serve("hub", _Hub)
        self._cdn = self._serve("cdn", _Cdn)

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._hub.server_port}"

    @property
    def cdn_url(self) -> str:
        """Another host by name, so that what is sent to the one must not reach the other."""
        return f"http://localhost:{self._cdn.server_port}"

    def add(self, name: str, content: bytes, repository: str = REPOSITORY) -> str:
        """Put a file into a repository and return its SHA-256."""
        self.files.setdefault(repository, {})[name] = content
        return hashlib.sha256(content).hexdigest()

    def commit(self, repository: str = REPOSITORY) -> str:
        """Return the commit of a repository as it is now."""
        names = json.dumps({name: hashlib.sha256(held).hexdigest() for name, held in self.files[repository].items()})
        return hashlib.sha1(names.encode()).hexdigest()

    def paths(self, server: str) -> list[str]:
        """Return what a server was asked for, in order."""
        return [asked.path for asked in self.asked if asked.server == server]

    def stall(self) -> None:
        """Wait as a server does that hangs."""
        self._released.wait(60)

    def release(self) -> None:
        """End all waiting."""
        self._released.set()

    def close(self) -> None:
        """End both servers."""
        self.release()
        for server in (self._hub, self._cdn):
            server.shutdown()
            server.server_close()

    def _serve(self, name: str, handler: type[_Handler]) -> _Server:
        bound = type(handler.__name__, (handler,), {"hub": self, "server_name": name})
        server = _Server(("127.0.0.1", 0), bound)
        server.daemon_threads = False
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server


@contextlib.contextmanager
def local_hub() -> Iterator[LocalHub]:
    """Run a hub for a block."""
    hub = LocalHub()
    try:
        yield hub
    finally:
        hub.close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent about readers who went away, as many a test's does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    server_name: str
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        self.hub.asked.append(Asked(self.server_name, self.path, dict(self.headers)))
        self.close_connection = True
        self.give(unquote(urlsplit(self.path).path))

    def give(self, path: str) -> None:
        raise NotImplementedError

    def send(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output clean."""


class _Hub(_Handler):
    def give(self, path: str) -> None:
        rules = self.hub.rules
        if rules.error is not None:
            self.send(rules.error[0], b"no", X_Error_Code=rules.error[1])
        elif path.startswith("/api/models/"):
            self._tell(path.removeprefix("/api/models/").removesuffix("/revision/main"))
        else:
            owner, name, _, commit, file = path.lstrip("/").split("/", 4)
            self._redirect(f"{owner}/{name}", commit, file)

    def _tell(self, repository: str) -> None:
        rules = self.hub.rules
        if rules.renamed_to is not None and repository != rules.renamed_to:
            self.send(307, Location=f"/api/models/{rules.renamed_to}/revision/main?blobs=true")
        elif repository not in self.hub.files:
            self.send(401, b'{"error":"Invalid username or password."}', X_Error_Code="RepoNotFound")
        elif rules.answer is not None:
            self.send(200, rules.answer)
        else:
            self.send(200, json.dumps(self._description(repository)).encode(), Content_Type="application/json")

    def _description(self, repository: str) -> dict[str, Any]:
        siblings: list[dict[str, Any]] = [{"rfilename": "README.md", "size": 3, "blobId": "0" * 40}]
        for name, content in self.hub.files[repository].items():
            lfs = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
            sibling = {"rfilename": name, "size": len(content), "blobId": "1" * 40, "lfs": lfs}
            siblings.append({"rfilename": name} if self.hub.rules.tells_no_hash else sibling)
        return {
            "id": repository,
            "modelId": repository,
            "sha": self.hub.commit(repository),
            "private": False,
            "gated": "auto" if self.hub.rules.token else False,
            "downloads": 7,
            "tags": ["gguf", "license:mit"],
            "cardData": self.hub.card,
            "siblings": siblings,
        }

    def _redirect(self, repository: str, commit: str, file: str) -> None:
        rules = self.hub.rules
        if rules.token is not None and self.headers.get("Authorization") != f"Bearer {rules.token}":
            self.send(401, b"Access to this model is restricted.", X_Error_Code="GatedRepo")
        elif rules.file_error is not None:
            self.send(rules.file_error[0], b"no", X_Error_Code=rules.file_error[1])
        elif file not in self.hub.files.get(repository, {}) or commit != self.hub.commit(repository):
            self.send(404, b"Entry not found", X_Error_Code="EntryNotFound")
        else:
            content = self.hub.files[repository][file]
            sha256 = hashlib.sha256(content).hexdigest()
            address = rules.redirect or f"{self.hub.cdn_url}/{repository}/{file}?signature=s3cret"
            self.send(302, b"", Location=address, X_Linked_Etag=f'"{sha256}"', X_Repo_Commit=commit)


class _Cdn(_Handler):
    def give(self, path: str) -> None:
        rules = self.hub.rules
        owner, name, file = path.lstrip("/").split("/", 2)
        content = self.hub.files[f"{owner}/{name}"][file]
        etag = rules.etag or f'"{hashlib.md5(content).hexdigest()}"'
        if rules.corrupts:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = self._start(etag)
        if start is None or start >= len(content):
            return self.send(416, b"", Content_Range=f"bytes */{len(content)}")
        headers = {"ETag": etag, "Accept_Ranges": "bytes"}
        status = 200
        if start:
            start += int(rules.wrong_range)
            status = 206
            headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        rest = content[start:]
        headers["Content_Length"] = str(len(rest) if rules.length is None else rules.length)
        if rules.stall_after is not None:
            self.send(status, rest[: rules.stall_after], **headers)
            return self.hub.stall()
        return self.send(status, rest[: rules.cut_after.pop(0)] if rules.cut_after else rest, **headers)

    def _start(self, etag: str) -> int | None:
        wanted = self.headers.get("Range", "")
        unchanged = self.headers.get("If-Range", etag) == etag
        if not wanted or self.hub.rules.ignores_ranges or not unchanged:
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))
