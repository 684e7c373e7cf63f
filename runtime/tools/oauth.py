"""OAuth 2.0 for services: authorization codes with PKCE over a loopback redirect, and device codes without a browser.

RFC 6749, 7636, 8252 and 8628. Tokens are renewed, and kept as one secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from satchel.runtime.permissions.places import Address, parse_address
from satchel.runtime.tools.base import CallContext
from satchel.runtime.tools.egress import Egress, Request
from satchel.runtime.tools.errors import ToolError
from satchel.runtime.tools.secret_store import SecretStore

_MOST_REQUEST = 16_384
_RENEW_SECONDS = 60
"""Before it ends."""
_WAIT_SECONDS = 0.25
_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: 43\r\n\r\n"
    b"You are signed in. You may close this page."
)
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class SignInError(ToolError):
    """Signing in at {place} failed: {reason}."""

    remedy = "Try again; check the client id and that the service lets this application in."


class Tokens(msgspec.Struct, frozen=True):
    """What a service gave; kept as one secret."""

    access_token: str
    refresh_token: str = ""
    expires_at: float = 0.0
    """Seconds since 1970; 0: it did not say."""

    @property
    def is_over(self) -> bool:
        """Whether it should be renewed."""
        return 0 < self.expires_at < time.time() + _RENEW_SECONDS


@dataclass(frozen=True, slots=True)
class OAuthService:
    """A service, and what it knows this application as."""

    client_id: str
    token: Address
    authorization: Address | None = None
    device: Address | None = None
    scopes: tuple[str, ...] = ()
    client_secret: str = ""


class OAuth:
    """Signs in at one service, through the egress layer."""

    def __init__(self, service: OAuthService, egress: Egress) -> None:
        self._service, self._egress = service, egress

    def with_browser(self, show: Callable[[str], None], context: CallContext) -> Tokens:
        """Have the person sign in in their browser; `show` opens an address there.

        Raises:
            SignInError: the service or the person said no.
            CancelledError, OutOfTimeError: as the context says.
        """
        service = self._service
        if service.authorization is None:
            raise SignInError(place=service.token.place, reason="it has no page to sign in at")
        verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            redirect = f"http://127.0.0.1:{listener.getsockname()[1]}/callback"
            query = {
                "response_type": "code", "client_id": service.client_id, "redirect_uri": redirect, "state": state,
                "code_challenge": challenge, "code_challenge_method": "S256", **_scope(service),
            }  # fmt: skip
            separator = "&" if "?" in service.authorization.path else "?"
            show(f"{service.authorization.text}{separator}{urlencode(query)}")
            answer = self._come_back(listener, state, context)
        if "code" not in answer:
            reason = answer.get("error_description") or answer.get("error") or "no code came back"
            raise SignInError(place=service.authorization.place, reason=reason[:200])
        return self._tokens(
            {
                "grant_type": "authorization_code",
                "code": answer["code"],
                "redirect_uri": redirect,
                "code_verifier": verifier,
            },
            context,
        )

    def with_device(self, show: Callable[[str, str], None], context: CallContext) -> Tokens:
        """Have the person sign in elsewhere; `show` tells them an address and the code to type there.

        Raises:
            SignInError: the service or the person said no, or the code ran out.
            CancelledError, OutOfTimeError: as the context says.
        """
        service = self._service
        if service.device is None:
            raise SignInError(place=service.token.place, reason="it cannot be signed in to without a browser")
        given = self._post(service.device, {"client_id": service.client_id, **_scope(service)}, context)
        try:
            code, user_code, page = (str(given[key]) for key in ("device_code", "user_code", "verification_uri"))
            interval, ends = float(given.get("interval", 5)), time.monotonic() + float(given.get("expires_in", 900))
        except (KeyError, TypeError, ValueError) as error:
            raise SignInError(place=service.device.place, reason="it answered with what is no device code") from error
        if (address := parse_address(page)) is None:
            raise SignInError(place=service.device.place, reason="it names no web address to sign in at")
        show(address.text, user_code)
        wanted = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": code}
        while time.monotonic() < ends:
            _pause(interval, context)
            answer = self._post(service.token, self._with_client(wanted), context, may_refuse=True)
            refusal = answer.get("error")
            if refusal is None:
                return _tokens(answer, service.token.place)
            if refusal == "slow_down":
                interval += 5
            elif refusal != "authorization_pending":
                raise SignInError(
                    place=service.token.place, reason=str(answer.get("error_description") or refusal)[:200]
                )
        raise SignInError(place=service.token.place, reason="the code ran out before it was typed")

    def renewed(self, tokens: Tokens, context: CallContext) -> Tokens:
        """Return tokens that hold for a while: these, or new ones.

        Raises:
            SignInError: they ended and cannot be renewed; the person has to sign in again.
        """
        if not tokens.is_over:
            return tokens
        if not tokens.refresh_token:
            raise SignInError(place=self._service.token.place, reason="the sign-in ended; sign in again")
        new = self._tokens({"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}, context)
        # A service that sends no new one lets the old one stand (RFC 6749, 6).
        return new if new.refresh_token else msgspec.structs.replace(new, refresh_token=tokens.refresh_token)

    def _tokens(self, wanted: Mapping[str, str], context: CallContext) -> Tokens:
        answer = self._post(self._service.token, self._with_client(wanted), context)
        return _tokens(answer, self._service.token.place)

    def _with_client(self, wanted: Mapping[str, str]) -> dict[str, str]:
        secret = {"client_secret": self._service.client_secret} if self._service.client_secret else {}
        return {**wanted, "client_id": self._service.client_id, **secret}

    def _post(
        self, address: Address, form: Mapping[str, str], context: CallContext, *, may_refuse: bool = False
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        response = self._egress.fetch(Request(address, "POST", headers, urlencode(form).encode()), context)
        try:
            answer = json.loads(response.body)
        except (ValueError, RecursionError):
            answer = None
        if response.redirect is not None or not isinstance(answer, dict):
            raise SignInError(place=address.place, reason=f"it answered with status {response.status} and no JSON")
        if response.status != 200 and not (may_refuse and "error" in answer):  # noqa: PLR2004 - HTTP's OK
            reason = answer.get("error_description") or answer.get("error") or f"status {response.status}"
            raise SignInError(place=address.place, reason=str(reason)[:200])
        return answer

    def _come_back(self, listener: socket.socket, state: str, context: CallContext) -> dict[str, str]:
        """Wait for the browser to come back with our state; whatever else knocks is sent away."""
        listener.settimeout(_WAIT_SECONDS)
        while True:
            context.check()
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                try:
                    answer = _asked(connection)
                    ours = answer is not None and hmac.compare_digest(answer.get("state", "").encode(), state.encode())
                    connection.sendall(_PAGE if ours else _NOT_FOUND)
                except OSError:
                    continue
            if ours and answer is not None:
                return answer


def secret_of_tokens(tokens: Tokens) -> str:
    """Return tokens as one secret."""
    return msgspec.json.encode(tokens).decode()


def tokens_of_secret(secret: str) -> Tokens | None:
    """Return what `secret_of_tokens` made; None for anything else."""
    try:
        return msgspec.json.decode(secret, type=Tokens)
    except msgspec.DecodeError:
        return None


def access_token(store: SecretStore, name: str, oauth: OAuth, context: CallContext) -> str | None:
    """Return the access token that is kept under `name`, renewed where it is over; None: nobody signed in.

    Raises:
        SignInError: it is over and cannot be renewed.
        SecretStoreError: the store cannot be read.
    """
    secret = store.get(name)
    tokens = tokens_of_secret(secret) if secret is not None else None
    if tokens is None:
        return None
    if (new := oauth.renewed(tokens, context)) is not tokens:
        store.put(name, secret_of_tokens(new))
    return new.access_token


def _asked(connection: socket.socket) -> dict[str, str] | None:
    """Return the parameters of a request for the callback; None for any other."""
    received = b""
    while b"\r\n" not in received and len(received) < _MOST_REQUEST:
        if not (chunk := connection.recv(4096)):
            return None
        received += chunk
    method, _, rest = received.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    target = urlsplit(rest.partition(" ")[0])
    if method != "GET" or target.path != "/callback":
        return None
    return {name: values[0] for name, values in parse_qs(target.query).items()}


def _tokens(answer: Mapping[str, Any], place: str) -> Tokens:
    access, refresh, seconds = answer.get("access_token"), answer.get("refresh_token", ""), answer.get("expires_in", 0)
    kind = str(answer.get("token_type", "bearer")).lower()
    if not isinstance(access, str) or not access or kind != "bearer":
        raise SignInError(place=place, reason="it gave no bearer token")
    try:
        ends = time.time() + float(seconds) if seconds else 0.0
    except (TypeError, ValueError):
        ends = 0.0
    return Tokens(access, refresh if isinstance(refresh, str) else "", ends)


def _scope(service: OAuthService) -> dict[str, str]:
    return {"scope": " ".join(service.scopes)} if service.scopes else {}


def _pause(seconds: float, context: CallContext) -> None:
    """Wait as the service asks, but no longer than until somebody cancels."""
    woken = threading.Event()
    context.cancellation.when_cancelled(woken.set)
    woken.wait(min(max(0.0, seconds), context.seconds_left))
    context.check()
