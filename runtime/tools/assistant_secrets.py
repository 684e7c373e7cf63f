"""The secrets that one assistant's services want, and how its actions prove with them who calls.

A person sees a secret as `harbour/key`: the document or server, and what that calls it. It is kept under the assistant
whose file wants it, so that no other assistant's file of the same name gets it, and under the places that it goes to,
so that a document which comes to name another server wants it anew.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from satchel.runtime.permissions.places import parse_address
from satchel.runtime.tools.base import CallContext
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.errors import ToolError
from satchel.runtime.tools.http_action import SecretOf
from satchel.runtime.tools.mcp import RemoteServer, SpawnedServer
from satchel.runtime.tools.mcp_file import secrets_of
from satchel.runtime.tools.oauth import OAuth, OAuthService, Tokens
from satchel.runtime.tools.openapi import Operation, SecurityScheme
from satchel.runtime.tools.secret_store import SecretStore

_OAUTH = frozenset({"oauth2", "openidconnect"})
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_RENEWAL_SECONDS = 30.0


class SignedIn(msgspec.Struct, frozen=True):
    """What is kept of a sign-in: the tokens, and as whom they are renewed."""

    client_id: str
    tokens: Tokens
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class WantedSecret:
    """One secret that an assistant's files want."""

    name: str
    """As the person sees it: `harbour/key`."""
    kind: str
    """What it is: `API key`, `name:password`, `token`, `sign-in`, or `for an MCP server`."""
    places: tuple[str, ...]
    """Where it goes."""
    scheme: SecurityScheme | None = field(default=None, compare=False)

    @property
    def is_sign_in(self) -> bool:
        """Whether the person signs in, instead of typing it."""
        return self.scheme is not None and self.scheme.kind in _OAUTH

    def kept_as(self, subject: str) -> str:
        """Return its name in the store; `subject` is whose it is (`grants_file.Subject.key`)."""
        digest = hashlib.sha256(" ".join(self.places).encode()).hexdigest()[:12]
        words = _UNSAFE.sub("-", self.name.replace("/", "--"))[:80]
        # A signed assistant's key is longer than a name may be.
        owner = _UNSAFE.sub("-", subject)
        owner = owner if len(owner) <= 100 else hashlib.sha256(owner.encode()).hexdigest()  # noqa: PLR2004 - the store's limit
        return f"{owner}/{words}.{digest}"


def wanted_by_actions(document: str, operations: Iterable[Operation]) -> tuple[WantedSecret, ...]:
    """Return the secrets that a document's operations take; `document` is its short name."""
    places = dict[SecurityScheme, set[str]]()
    for operation in operations:
        for scheme in operation.security:
            places.setdefault(scheme, set()).add(operation.server.place)
    return tuple(
        WantedSecret(f"{document}/{scheme.name}", _kind_in_words(scheme), tuple(sorted(found)), scheme)
        for scheme, found in places.items()
    )


def wanted_by_server(server: SpawnedServer | RemoteServer) -> tuple[WantedSecret, ...]:
    """Return the secrets that an MCP server's entry in `mcp.json` has placeholders for."""
    place = str(server.capability)
    return tuple(WantedSecret(f"{server.name}/{name}", "for an MCP server", (place,)) for name in secrets_of(server))


class ServerSecrets:
    """A store in which `mcp_file.with_secrets` finds one assistant's secrets under their short names."""

    def __init__(self, store: SecretStore, subject: str, wanted: Iterable[WantedSecret]) -> None:
        self._store = store
        self._kept = {one.name: one.kept_as(subject) for one in wanted}

    def get(self, name: str) -> str | None:
        """Return a secret by its short name."""
        return self._store.get(self._kept[name])


def secret_finder(
    wanted: Iterable[WantedSecret], subject: str, open_store: Callable[[], SecretStore], egress: Egress
) -> SecretOf:
    """Return what finds a scheme's secret when a call needs it; the store is opened then, and tokens are renewed."""
    by_scheme = {one.scheme: one for one in wanted}

    def find(scheme: SecurityScheme) -> str | None:
        if (one := by_scheme.get(scheme)) is None:
            return None
        store, name = open_store(), one.kept_as(subject)
        kept = store.get(name)
        return _access_token(store, name, kept, scheme, egress) if kept is not None and one.is_sign_in else kept

    return find


def oauth_of(scheme: SecurityScheme, client_id: str, client_secret: str, egress: Egress) -> OAuth:
    """Return what signs in at a scheme's service.

    Raises:
        ToolError: its document does not say where.
    """
    token = parse_address(scheme.token)
    if token is None:
        raise ToolError(reason=f"The document does not say where {scheme.name} gives out its tokens")
    service = OAuthService(
        client_id,
        token,
        parse_address(scheme.authorization),
        parse_address(scheme.device),
        scheme.scopes,
        client_secret,
    )
    return OAuth(service, egress)


def _access_token(store: SecretStore, name: str, kept: str, scheme: SecurityScheme, egress: Egress) -> str | None:
    try:
        signed_in = msgspec.json.decode(kept, type=SignedIn)
    except msgspec.DecodeError:
        return kept  # a token that the person has from elsewhere
    oauth = oauth_of(scheme, signed_in.client_id, signed_in.client_secret, egress)
    context = CallContext(time.monotonic() + _RENEWAL_SECONDS, _RENEWAL_SECONDS)
    tokens = oauth.renewed(signed_in.tokens, context)
    if tokens is not signed_in.tokens:
        store.put(name, msgspec.json.encode(msgspec.structs.replace(signed_in, tokens=tokens)).decode())
    return tokens.access_token


def _kind_in_words(scheme: SecurityScheme) -> str:
    if scheme.kind in _OAUTH:
        return "sign-in"
    return {"apiKey": "API key", "basic": "name:password"}.get(scheme.kind, "token")
