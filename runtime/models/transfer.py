"""HTTP to a hub: one opener that follows redirects safely, with the errors of the network in words.

The standard library does it, and `huggingface_hub` does not: version 2.4 imports in 0.43 s against 0.2 s, brings eight
packages (httpx2, hf-xet, fsspec, PyYAML, …), reads the person's token file by itself, keeps files in its own cache of
links, and offers no check of the bytes against the hub's SHA-256. What is needed of HTTP here is a GET with a range.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import IO, TypeAlias
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from satchel.runtime.models.errors import HubFailedError, HubUnreachableError

Response: TypeAlias = http.client.HTTPResponse
TIMEOUT_SECONDS = 30.0
"""For connecting and for each piece of an answer."""
_AGENT = "satchel-assistants"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A hub or one of its mirrors."""

    url: str
    token: str | None = None
    """Sent to this address alone, never to where it redirects to."""

    @property
    def host(self) -> str:
        """What errors call it."""
        return urlsplit(self.url).netloc


class Refusal(Exception):  # noqa: N818 - an answer like another, which each caller turns into its own error
    """An answer with a status that is no success."""

    def __init__(self, status: int, headers: Message, host: str) -> None:
        super().__init__(f"{host} answered {status}")
        self.status = status
        self.headers = headers
        self.host = host

    @property
    def code(self) -> str:
        """The hub's own name of what is wrong, such as `GatedRepo`; empty from servers that give none."""
        return str(self.headers.get("X-Error-Code", ""))


@contextlib.contextmanager
def get(endpoint: Endpoint, path: str, headers: Mapping[str, str] | None = None) -> Iterator[Response]:
    """Ask for a path below an endpoint, redirects followed, and close the answer at the end of the block.

    Raises:
        Refusal: the answer is none of 200 and 206.
        HubUnreachableError: no answer came.
        HubFailedError: it redirects to where no file may come from.
    """
    request = Request(  # noqa: S310 - settings take http and https alone, and so do redirects
        endpoint.url.rstrip("/") + path, headers={"User-Agent": _AGENT, **(headers or {})}
    )
    if endpoint.token:
        request.add_unredirected_header("Authorization", f"Bearer {endpoint.token}")
    try:
        response = _opener().open(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        with error:
            raise Refusal(error.code, error.headers, endpoint.host) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise HubUnreachableError(host=endpoint.host, reason=reason_of(error)) from error
    with response:
        yield response


def reason_of(error: Exception) -> str:
    """Return what went wrong on the network in words."""
    cause = error.reason if isinstance(error, URLError) else error
    match cause:
        case socket.gaierror():
            reason = "its name cannot be resolved, so there is no network, or the address is wrong"
        case ssl.SSLCertVerificationError():
            reason = f"its certificate is not trusted ({cause.verify_message})"
        case TimeoutError():
            reason = f"no answer within {TIMEOUT_SECONDS:.0f} s"
        case ConnectionRefusedError():
            reason = "it refuses the connection"
        case http.client.HTTPException() | ConnectionError():
            reason = "it broke the connection off"
        case OSError():
            reason = (cause.strerror or str(cause)).lower()
        case _:
            reason = str(cause)
    return reason


def _opener() -> OpenerDirector:
    opener = OpenerDirector()  # not `build_opener`, which also opens file: and ftp: addresses
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        _SafeRedirects(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


class _SafeRedirects(HTTPRedirectHandler):
    """Hubs send large files' readers to another host, and renamed repositories' to another path of their own."""

    def redirect_request(  # noqa: PLR0917 - the standard library's own parameters
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme != "https" and not (new.scheme == old.scheme == "http"):
            fp.close()
            raise HubFailedError(
                host=old.netloc, reason=f"it redirects to {new.scheme}://{new.netloc}, which is not safe"
            )
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        token = req.unredirected_hdrs.get("Authorization")
        if request is not None and token and (old.scheme, old.netloc) == (new.scheme, new.netloc):
            request.add_unredirected_header("Authorization", token)
        return request
