"""`satchel keys`: the secrets that an assistant's services want; kept, taken back, or got by signing in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from satchel.runtime.commands.opening import open_settings
from satchel.runtime.errors import UsageError
from satchel.runtime.paths import Home
from satchel.runtime.permissions.audit import AuditLog
from satchel.runtime.permissions.capabilities import parse_requests
from satchel.runtime.permissions.grants_file import GrantsFile
from satchel.runtime.session.assistant import LoadedAssistant
from satchel.runtime.session.authority import Authority, subject_of
from satchel.runtime.session.chat_files import audit_folder
from satchel.runtime.tools.assistant_secrets import (
    SignedIn,
    WantedSecret,
    oauth_of,
    wanted_by_actions,
    wanted_by_server,
)
from satchel.runtime.tools.base import CallContext
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.oauth import Tokens
from satchel.runtime.tools.secret_store import SecretStore, find_secret_store

_SIGN_IN_SECONDS = 900.0
"""As long as most services let a code wait."""


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A secret that an assistant wants, without the secret."""

    name: str
    kind: str
    places: tuple[str, ...]
    """Where it goes."""
    is_kept: bool


@dataclass(frozen=True, slots=True)
class AssistantKeys:
    """The secrets of one assistant."""

    name: str
    store: str
    """Where they are kept, in words."""
    secrets: tuple[KeptSecret, ...]
    problems: tuple[str, ...] = ()
    """Documents that cannot be read, and operations that cannot be called from here."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a person signs in."""

    client_id: str
    """What the service knows this application as."""
    client_secret: str = ""
    show_page: Callable[[str], None] | None = None
    """Opens an address in a browser that comes back to this machine; None: there is no such browser."""
    show_code: Callable[[str, str], None] = lambda _address, _code: None
    """Tells an address, and the code to type there."""


def list_keys(reference: str, home: Home) -> AssistantKeys:
    """Return which secrets an assistant wants and which are kept.

    Raises:
        MissingExtraError: nothing that keeps secrets is installed.
    """
    return _shown(open_settings(reference, home), home)


def set_key(reference: str, home: Home, name: str, ask: Callable[[], str]) -> AssistantKeys:
    """Keep a secret in place of what had that name; `ask` is called once it is known that one of that name is wanted.

    Raises:
        UsageError: the assistant wants none of this name, or nothing was given.
        SecretStoreError: it cannot be kept.
    """
    assistant = open_settings(reference, home)
    wanted = _wanted(assistant, name)
    store = _store(home)
    if not (secret := ask()):
        raise UsageError(reason="no secret was given; nothing was changed")
    store.put(wanted.kept_as(subject_of(assistant).key), secret)
    return _shown(assistant, home)


def remove_key(reference: str, home: Home, name: str) -> AssistantKeys:
    """Forget a secret; one that is not there is no error.

    Raises:
        UsageError: the assistant wants none of this name.
        SecretStoreError: it cannot be taken back.
    """
    assistant = open_settings(reference, home)
    _store(home).revoke(_wanted(assistant, name).kept_as(subject_of(assistant).key))
    return _shown(assistant, home)


def sign_in(reference: str, home: Home, name: str, how: SignIn) -> AssistantKeys:
    """Have the person sign in, in a browser or by a code that they type elsewhere, and keep what comes of it.

    Raises:
        UsageError: the assistant wants no such sign-in.
        SignInError: the service or the person said no.
    """
    assistant = open_settings(reference, home)
    wanted = _wanted(assistant, name)
    if wanted.scheme is None or not wanted.is_sign_in:
        raise UsageError(reason=f'"{name}" is no sign-in ({wanted.kind}); give it with --set')
    store = _store(home)  # before the person takes the trouble
    oauth = oauth_of(wanted.scheme, how.client_id, how.client_secret, Egress(_named_places(assistant, home)))
    context = CallContext(time.monotonic() + _SIGN_IN_SECONDS, _SIGN_IN_SECONDS)
    by_browser = how.show_page if wanted.scheme.authorization or not wanted.scheme.device else None
    tokens: Tokens
    if by_browser is not None:
        tokens = oauth.with_browser(by_browser, context)
    else:
        tokens = oauth.with_device(how.show_code, context)
    kept = SignedIn(how.client_id, tokens, how.client_secret)
    store.put(wanted.kept_as(subject_of(assistant).key), msgspec.json.encode(kept).decode())
    return _shown(assistant, home)


def _store(home: Home) -> SecretStore:
    return find_secret_store(home.settings)


def _all(assistant: LoadedAssistant) -> tuple[list[WantedSecret], list[str]]:
    wanted, problems = list[WantedSecret](), list[str]()
    for file in assistant.tool_files.actions():
        wanted += wanted_by_actions(file.name, file.operations)
        problems += [file.problem] if file.problem else [f"{file.name}: {reason}" for reason in file.left_out]
    for server in assistant.tool_files.servers():
        wanted += wanted_by_server(server)
    return wanted, problems


def _wanted(assistant: LoadedAssistant, name: str) -> WantedSecret:
    wanted, _ = _all(assistant)
    for one in wanted:
        if one.name == name:
            return one
    # Not what was asked for: it may be a secret that was typed in the wrong place.
    known = ", ".join(one.name for one in wanted) or "none"
    raise UsageError(reason=f"the assistant wants no secret of that name; it wants {known}")


def _named_places(assistant: LoadedAssistant, home: Home) -> frozenset[str]:
    requests = parse_requests((name, tool.requests) for name, tool in assistant.tools.items())
    log = AuditLog(audit_folder(home.data))
    authority = Authority(requests, subject_of(assistant), assistant.name, grants=GrantsFile(home.settings), audit=log)
    return authority.grants.named_places


def _shown(assistant: LoadedAssistant, home: Home) -> AssistantKeys:
    store, subject = _store(home), subject_of(assistant).key
    kept = set(store.names())
    wanted, problems = _all(assistant)
    return AssistantKeys(
        assistant.name,
        store.in_words,
        tuple(KeptSecret(one.name, one.kind, one.places, one.kept_as(subject) in kept) for one in wanted),
        tuple(problems),
    )
