"""Signing in: a browser that comes back, a code that is typed elsewhere, tokens that end; against a real server."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from helpers.web_server import page, redirect, serving

from satchel.runtime.errors import CancelledError
from satchel.runtime.permissions.places import parse_address
from satchel.runtime.tools.base import CallContext, Cancellation
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.oauth import OAuth, OAuthService, SignInError, Tokens, access_token, secret_of_tokens
from satchel.runtime.tools.secret_store import EncryptedFileStore

CODE = {"device_code": "d", "user_code": "W", "verification_uri": "https://example.org/"}


def context(cancellation=None):
    return CallContext(time.monotonic() + 30, 30, cancellation or Cancellation())


def answer_json(document, status="200 OK"):
    return page(json.dumps(document), status=status, media_type="application/json")


class Service:
    """An authorization server; keeps the forms that it was sent."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.forms = []

    def __call__(self, _request, body):
        self.forms.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        return self.answers.pop(0)


def oauth(server, **rest):
    at = {name: parse_address(f"{server.place}/{name}") for name in ("authorization", "token", "device")}
    return OAuth(OAuthService("client-1", scopes=("boats", "tides"), **(at | rest)), Egress([server.place]))


def browser(answers):
    """A person's browser that comes back with these answers, one request each; returns what it was shown."""
    shown, threads = {}, []

    def come_back():
        for query in answers(shown):
            try:
                with urllib.request.urlopen(f"{shown['redirect_uri']}{query}", timeout=10) as response:
                    shown["page"] = response.read().decode()
            except urllib.error.HTTPError as error:
                shown["refused"] = error.code
                error.close()

    def show(address):
        shown.update({name: values[0] for name, values in parse_qs(urlsplit(address).query).items()})
        threads.append(threading.Thread(target=come_back))
        threads[0].start()

    return shown, show, lambda: [one.join() for one in threads]


def test_a_browser_that_comes_back_with_our_state_brings_tokens():
    service = Service(
        [answer_json({"access_token": "a-1", "refresh_token": "r-1", "expires_in": 3600, "token_type": "Bearer"})]
    )
    shown, show, join = browser(lambda seen: [f"?state={seen['state']}&code=code-1"])
    with serving(service) as server:
        tokens = oauth(server).with_browser(show, context())
    join()
    assert (tokens.access_token, tokens.refresh_token, tokens.is_over) == ("a-1", "r-1", False)
    assert shown["page"] == "You are signed in. You may close this page."
    [form] = service.forms
    assert (form["grant_type"], form["code"], form["client_id"]) == ("authorization_code", "code-1", "client-1")
    assert form["redirect_uri"] == shown["redirect_uri"]
    assert shown["scope"] == "boats tides"
    digest = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert (shown["code_challenge"], shown["code_challenge_method"]) == (digest, "S256")


def test_whoever_comes_without_our_state_is_sent_away():
    service = Service([answer_json({"access_token": "a-1"})])
    shown, show, join = browser(lambda seen: ["?code=evil", "?state=x&code=evil", f"?state={seen['state']}&code=good"])
    with serving(service) as server:
        oauth(server).with_browser(show, context())
    join()
    assert shown["refused"] == 404
    assert service.forms[0]["code"] == "good"


def test_a_no_of_the_person_is_told():
    _, show, join = browser(lambda seen: [f"?state={seen['state']}&error=access_denied"])
    with serving(Service([])) as server, pytest.raises(SignInError, match="access_denied"):
        oauth(server).with_browser(show, context())
    join()


def test_waiting_for_a_browser_can_be_cancelled():
    cancellation = Cancellation()
    with serving(Service([])) as server, pytest.raises(CancelledError):
        oauth(server).with_browser(lambda _address: cancellation.cancel(), context(cancellation))


def test_a_device_code_is_asked_about_until_it_was_typed():
    service = Service([
        answer_json({"device_code": "d-1", "user_code": "WXYZ", "verification_uri": "https://example.org/device",
                     "interval": 0, "expires_in": 60}),
        answer_json({"error": "authorization_pending"}, "400 Bad Request"),
        answer_json({"access_token": "a-1"}),
    ])  # fmt: skip
    shown = []
    with serving(service) as server:
        tokens = oauth(server).with_device(lambda *what: shown.append(what), context())
    assert tokens == Tokens("a-1")
    assert shown == [("https://example.org/device", "WXYZ")]
    assert service.forms[1]["device_code"] == "d-1"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([answer_json({"error": "access_denied"}, "400 Bad Request")], "access_denied"),
        ([answer_json({"error": "expired_token", "error_description": "Too late"}, "400 Bad Request")], "Too late"),
        ([page("no json")], "no JSON"),
        ([answer_json({"access_token": ""})], "no bearer token"),
        ([answer_json({"access_token": "a", "token_type": "mac"})], "no bearer token"),
        ([redirect("https://evil.example/token")], "status 302"),
    ],
)
def test_a_device_code_that_comes_to_nothing_is_told(answers, reason):
    first = answer_json({**CODE, "interval": 0})
    with serving(Service([first, *answers])) as server, pytest.raises(SignInError, match=reason):
        oauth(server).with_device(lambda *_what: None, context())


@pytest.mark.parametrize(
    "first",
    [{}, {"user_code": "W"}, {**CODE, "verification_uri": "javascript:1"}, {**CODE, "interval": "soon"}],
)
def test_what_is_no_device_code_is_told(first):
    words = r"no device code|no web address"
    with serving(Service([answer_json(first)])) as server, pytest.raises(SignInError, match=words):
        oauth(server).with_device(lambda *_what: None, context())


def test_tokens_that_are_over_are_renewed_and_kept(tmp_path):
    store = EncryptedFileStore(tmp_path / "secrets", tmp_path / "key")
    store.put("harbour/oauth", secret_of_tokens(Tokens("old", "r-1", time.time() - 1)))
    service = Service([answer_json({"access_token": "new", "expires_in": 3600})])
    with serving(service) as server:
        assert access_token(store, "harbour/oauth", oauth(server), context()) == "new"
        assert access_token(store, "harbour/oauth", oauth(server), context()) == "new"
    assert service.forms == [
        {"grant_type": "refresh_token", "refresh_token": "r-1", "client_id": "client-1"},
    ]


def test_tokens_that_cannot_be_renewed_ask_for_a_new_sign_in():
    with serving(Service([answer_json({"error": "invalid_grant"}, "400 Bad Request")])) as server:
        with pytest.raises(SignInError, match="sign in again"):
            oauth(server).renewed(Tokens("old", "", 1.0), context())
        with pytest.raises(SignInError, match="invalid_grant"):
            oauth(server).renewed(Tokens("old", "r", 1.0), context())


def test_without_a_sign_in_there_is_no_token(tmp_path):
    store = EncryptedFileStore(tmp_path / "secrets", tmp_path / "key")
    store.put("harbour/odd", "no tokens")
    with serving(Service([])) as server:
        assert access_token(store, "harbour/oauth", oauth(server), context()) is None
        assert access_token(store, "harbour/odd", oauth(server), context()) is None


def test_a_service_without_a_page_or_device_codes_says_so():
    with serving(Service([])) as server:
        with pytest.raises(SignInError, match="no page"):
            oauth(server, authorization=None).with_browser(lambda _address: None, context())
        with pytest.raises(SignInError, match="without a browser"):
            oauth(server, device=None).with_device(lambda *_what: None, context())
