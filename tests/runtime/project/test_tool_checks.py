"""What a build says of a project's tools that cannot be."""

from __future__ import annotations

import json

import pytest
from helpers.project_folders import write_files

from satchel.runtime.errors import SatchelError
from satchel.runtime.project.folder import load_project
from satchel.runtime.project.tool_checks import check_tools

SETTINGS = 'id = "0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b"\nname = "Guide"\n'


def check(folder, tools="", **files):
    write_files(folder, {"assistant.toml": SETTINGS + tools, **files})
    check_tools(load_project(folder))


def test_known_capabilities_pass(tmp_path):
    check(tmp_path, '[tools.web_fetch]\nrequests = ["net.fetch example.org", "net.fetch *.example.org"]\n')


@pytest.mark.parametrize("request_line", ["rockets", "net.fetch example.org/a", "fs.read ../secrets", "code.run A B"])
def test_an_unknown_capability_is_named_with_its_key(tmp_path, request_line):
    with pytest.raises(SatchelError) as raised:
        check(tmp_path, f'[tools.web_fetch]\nrequests = ["net.fetch example.org", "{request_line}"]\n')
    assert "assistant.toml: tools.web_fetch.requests[1]: " in raised.value.message
    assert request_line in raised.value.message
    assert raised.value.exit_code == 11


def test_a_document_that_is_no_openapi_is_named(tmp_path):
    with pytest.raises(SatchelError, match=r"actions/harbour\.openapi\.json: it does not say that it is OpenAPI 3"):
        check(tmp_path, **{"actions/harbour.openapi.json": "{}"})


def test_a_wrong_mcp_file_is_named(tmp_path):
    with pytest.raises(SatchelError, match=r"mcp\.json: .*shell"):
        check(tmp_path, **{"mcp.json": '{"mcpServers": {"x": {"shell": "sh"}}}'})


@pytest.mark.parametrize(
    ("server", "key"),
    [
        ({"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer sk-1"}}, "headers.Authorization"),
        ({"command": "server", "env": {"GITHUB_TOKEN": "ghp_1"}}, "env.GITHUB_TOKEN"),
    ],
)
def test_a_secret_in_plain_is_refused_because_it_would_go_into_the_pack(tmp_path, server, key):
    with pytest.raises(SatchelError, match=f"mcpServers.x.{key}: a secret would go into the pack") as raised:
        check(tmp_path, **{"mcp.json": json.dumps({"mcpServers": {"x": server}})})
    assert "satchel keys" in raised.value.message
    assert "sk-1" not in raised.value.message
    assert "ghp_1" not in raised.value.message


def test_a_placeholder_for_a_secret_passes(tmp_path):
    server = {"url": "https://example.org/mcp", "headers": {"Authorization": "Bearer ${token}"}}
    check(tmp_path, **{"mcp.json": json.dumps({"mcpServers": {"x": server}})})
