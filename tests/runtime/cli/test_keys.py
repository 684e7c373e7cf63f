"""`satchel keys`: secrets are asked for unseen, kept apart for each assistant, and never in a pack or an argument."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from helpers.project_folders import write_files
from helpers.tool_chats import assistant_in, call, scripted, tool_chat
from helpers.web_server import page, serving

from satchel.runtime.cli.main import main

pytest.importorskip("keyring", reason="needs the extra `signin`")

ID, OTHER = "0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b", "0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7c"
SECRET = "a-secret-of-mine"


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch):
    """As on a machine without one: the secrets go into the encrypted file of this test's own home."""
    import keyring
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)


def document(place, **schemes):
    return json.dumps(
        {
            "openapi": "3.1.0", "info": {"title": "Harbour", "version": "1"}, "servers": [{"url": place}],
            "paths": {"/boats": {"get": {"operationId": "listBoats", "security": [{name: []} for name in schemes]}}},
            "components": {"securitySchemes": schemes},
        }
    )  # fmt: skip


KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}


def write_guide(folder, place="https://api.example.org", assistant_id=ID, **schemes):
    tools = f'[tools.http_action]\nrequests = ["net.call {place}"]\n[tools.mcp]\n'
    servers = {"web": {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer ${token}"}}}
    write_files(
        folder,
        {
            "assistant.toml": f'id = "{assistant_id}"\nname = "Guide"\n{tools}',
            "actions/harbour.openapi.json": document(place, **(schemes or {"key": KEY})),
            "mcp.json": json.dumps({"mcpServers": servers}),
        },
    )
    return str(folder)


def listed(folder, capsys):
    capsys.readouterr()
    assert main(["keys", folder, "--list", "--json"]) == 0
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)["secrets"]}


def test_what_is_wanted_is_listed_with_where_it_goes(tmp_path, capsys):
    wanted = listed(write_guide(tmp_path / "guide"), capsys)
    assert wanted["harbour/key"] == {
        "name": "harbour/key", "kind": "API key", "places": ["https://api.example.org"], "is_kept": False
    }  # fmt: skip
    assert wanted["web/token"]["places"] == ["mcp.connect https://example.org/mcp"]


def test_a_secret_comes_from_standard_input_and_goes_into_the_request_alone(tmp_path, capsys, type_in, home):
    with serving(lambda head, _body: page(f"you sent {head}", media_type="text/plain")) as service:
        folder = write_guide(tmp_path / "guide", service.place)
        type_in(f"{SECRET}\n")
        assert main(["keys", folder, "--set", "harbour/key"]) == 0
        said = capsys.readouterr()
        assert "kept     harbour/key (API key)" in said.out
        assistant = assistant_in(tmp_path / "guide", {"http_action": [f"net.call {service.place}"]})
        with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", call("listBoats"))) as chat:
            [result] = chat.turn("Which boats are there?").results
        assert f"X-Key: {SECRET}" in service.requests[0]
    assert SECRET not in said.out + said.err + result
    assert "X-Key: [secret]" in result


def test_a_secret_is_in_no_pack_and_in_no_file_in_plain(tmp_path, capsys, type_in, home):
    folder = write_guide(tmp_path / "guide")
    type_in(SECRET)
    assert main(["keys", folder, "--set", "harbour/key"]) == 0
    assert main(["build", folder, "-o", str(tmp_path / "guide.pack")]) == 0
    places = [tmp_path / "guide.pack", *(path for path in home.settings.rglob("*") if path.is_file())]
    assert len(places) >= 3
    for path in [*places, *(path for path in (tmp_path / "guide").rglob("*") if path.is_file())]:
        assert SECRET.encode() not in path.read_bytes(), path
    assert not listed(str(tmp_path / "guide.pack"), capsys)["harbour/key"]["is_kept"], "a pack is another assistant"


def test_another_assistant_or_another_server_does_not_get_it(tmp_path, capsys, type_in):
    folder = write_guide(tmp_path / "guide")
    type_in(SECRET)
    main(["keys", folder, "--set", "harbour/key"])
    assert listed(folder, capsys)["harbour/key"]["is_kept"]
    assert not listed(write_guide(tmp_path / "other", assistant_id=OTHER), capsys)["harbour/key"]["is_kept"]
    write_guide(tmp_path / "guide", "https://elsewhere.example.org")
    assert not listed(folder, capsys)["harbour/key"]["is_kept"], "the document names another server now"


def test_a_secret_is_taken_back(tmp_path, capsys, type_in):
    folder = write_guide(tmp_path / "guide")
    type_in(SECRET)
    main(["keys", folder, "--set", "harbour/key"])
    assert main(["keys", folder, "--remove", "harbour/key"]) == 0
    assert not listed(folder, capsys)["harbour/key"]["is_kept"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--set", f"harbour/key={SECRET}"], "takes a name alone"),
        (["--set", SECRET], "wants no secret of that name; it wants harbour/key, web/token"),
        (["--remove", "rocket/key"], "wants no secret of that name"),
        (["--sign-in", "harbour/key"], "needs --client-id"),
        (["--sign-in", "harbour/key", "--client-id", "x"], "is no sign-in (API key)"),
    ],
)
def test_wrong_use_is_told_without_repeating_what_may_be_a_secret(tmp_path, capsys, type_in, given, says):
    type_in(SECRET)
    assert main(["keys", write_guide(tmp_path / "guide"), *given]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert SECRET not in said


def test_an_empty_secret_changes_nothing(tmp_path, capsys, type_in):
    type_in("")
    assert main(["keys", write_guide(tmp_path / "guide"), "--set", "harbour/key"]) == 2
    assert "nothing was changed" in capsys.readouterr().err


def test_signing_in_by_a_code_gives_later_calls_their_token(tmp_path, capsys, home):
    def answer(head, body):
        given = parse_qs(body.decode())
        if head.startswith("POST /device "):
            told = {
                "device_code": "d",
                "user_code": "ABCD",
                "verification_uri": "https://example.org/go",
                "interval": 0,
            }
            return page(json.dumps(told), media_type="application/json")
        if head.startswith("POST /token "):
            assert given["client_id"] == ["satchel-test"]
            return page(json.dumps({"access_token": "t-1", "token_type": "bearer"}), media_type="application/json")
        return page("boats", media_type="text/plain")

    with serving(answer) as service:
        flow = {"deviceAuthorizationUrl": f"{service.place}/device", "tokenUrl": f"{service.place}/token"}
        flows = {"deviceAuthorization": flow | {"scopes": {"read": ""}}}
        folder = write_guide(tmp_path / "guide", service.place, oauth={"type": "oauth2", "flows": flows})
        assert main(["keys", folder, "--sign-in", "harbour/oauth", "--client-id", "satchel-test", "--code"]) == 0
        said = capsys.readouterr()
        assert "Open https://example.org/go on any device and type ABCD" in said.err
        assert "kept     harbour/oauth (sign-in)" in said.out
        assistant = assistant_in(tmp_path / "guide", {"http_action": [f"net.call {service.place}"]})
        with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", call("listBoats"))) as chat:
            assert chat.turn("Which boats are there?").results == ["boats"]
        assert "Authorization: Bearer t-1" in service.requests[-1]
    assert "t-1" not in said.out + said.err
