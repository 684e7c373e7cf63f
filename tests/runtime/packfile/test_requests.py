from __future__ import annotations

import pytest

from satchel.runtime.packfile.requests import request_in_words


@pytest.mark.parametrize(
    ("request_text", "words"),
    [
        ("net.fetch example.org", "read web pages from example.org"),
        ("net.fetch", "read web pages from anywhere"),
        ("fs.read", "read files on this computer"),
        ("mcp.spawn npx server --all", "start this program on this computer: npx server --all"),
        ("code.run", "run code that it writes, inside the sandbox"),
        ("net.fetch {0.__class__}", "read web pages from {0.__class__}"),
        ("quantum.leap far", 'use "quantum.leap far"'),
    ],
)
def test_a_request_is_said_in_plain_words(request_text, words):
    assert request_in_words(request_text) == words
