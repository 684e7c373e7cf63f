"""`mcp.json`: which servers a project has."""

from __future__ import annotations

import json

import pytest

from satchel.runtime.tools.mcp import RemoteServer, SpawnedServer
from satchel.runtime.tools.mcp_file import McpFileError, load_mcp_file, with_secrets
from satchel.runtime.tools.secret_store import EncryptedFileStore


def load(tmp_path, servers):
    path = tmp_path / "mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}))
    return load_mcp_file(path)


def test_spawned_and_remote_servers_are_read_in_the_usual_form(tmp_path):
    spawned, remote = load(
        tmp_path,
        {
            "time": {"command": "uvx", "args": ["mcp-server-time"], "env": {"TZ": "UTC"}, "readable": ["data"]},
            "web": {"type": "http", "url": "https://Example.org/mcp", "headers": {"X-Key": "${key}"}},
        },
    )
    assert spawned == SpawnedServer("time", ("uvx", "mcp-server-time"), (tmp_path / "data",), {"TZ": "UTC"})
    assert str(spawned.capability) == "mcp.spawn uvx mcp-server-time"
    assert remote == RemoteServer("web", "https://example.org/mcp", {"X-Key": "${key}"})
    assert str(remote.capability) == "mcp.connect https://example.org/mcp"


def test_without_a_file_there_are_no_servers(tmp_path):
    assert load_mcp_file(tmp_path / "mcp.json") == ()


def test_a_placeholder_is_filled_with_the_persons_secret(tmp_path):
    [server] = load(
        tmp_path, {"web": {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer ${token}"}}}
    )
    store = EncryptedFileStore(tmp_path / "secrets", tmp_path / "key")
    with pytest.raises(McpFileError, match="web wants the secret token"):
        with_secrets(server, store)
    store.put("web/token", "t-1")
    assert with_secrets(server, store).headers == {"Authorization": "Bearer t-1"}
    assert server.headers == {"Authorization": "Bearer ${token}"}


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({}, "needs a `command` or a `url`"),
        ({"command": "x", "url": "https://example.org"}, "not both"),
        ({"url": "ftp://example.org"}, "no web address"),
        ({"url": "https://user:pw@example.org/"}, "no web address"),
        ({"url": "https://example.org", "args": ["x"]}, "another kind"),
        ({"url": "https://example.org", "type": "sse"}, "another kind"),
        ({"command": "x", "headers": {"a": "b"}}, "another kind"),
        ({"command": "x", "shell": True}, "shell"),
        ({"command": "x\n"}, "command"),
        ({"command": 3}, "command"),
    ],
)
def test_what_is_no_server_is_named(tmp_path, server, reason):
    with pytest.raises(McpFileError, match=rf"mcp\.json: .*{reason}"):
        load(tmp_path, {"odd": server})


@pytest.mark.parametrize("name", ["", "Upper", "a b", "../x", "x" * 40])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(McpFileError):
        load(tmp_path, {name: {"command": "x"}})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"servers": {}}', "\xff", "[" * 100_000])
def test_a_file_that_is_none_is_named(tmp_path, text):
    (tmp_path / "mcp.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(McpFileError, match=r"mcp\.json"):
        load_mcp_file(tmp_path / "mcp.json")
