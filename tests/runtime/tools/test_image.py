"""Pictures from an OpenAI-compatible endpoint."""

from __future__ import annotations

import base64
import json

import pytest
from helpers.tool_conformance import CHECKS, Specimen
from helpers.web_server import page, redirect, serving

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.permissions.labels import result_of
from satchel.runtime.permissions.places import parse_address
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.image import Image, ImageEndpoint
from satchel.runtime.tools.runner import ToolRunner

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
ANSWER = page(json.dumps({"data": [{"b64_json": base64.b64encode(PNG).decode()}]}), media_type="application/json")


def image(server, key=None):
    address = parse_address(f"{server.place}/v1/images/generations")
    return Image(ImageEndpoint(address, "painter", lambda: key), Egress([server.place]))


def paint(answer, key=None, **arguments):
    with serving(lambda _request, _body: answer) as server:
        runner = ToolRunner([image(server, key)])
        call = ToolCall("image", {"description": "a lighthouse", **arguments})
        return runner.run(runner.prepare(call), Allow("a test says so")), server


def test_a_picture_comes_back_as_an_artefact():
    outcome, server = paint(ANSWER, "key-1234", size="512x512")
    [picture] = outcome.result.artefacts
    assert (picture.name, picture.media_type, picture.content) == ("picture.png", "image/png", PNG)
    assert json.loads(server.bodies[0]) == {
        "prompt": "a lighthouse", "n": 1, "response_format": "b64_json", "size": "512x512", "model": "painter",
    }  # fmt: skip
    assert "Authorization: Bearer key-1234" in server.requests[0]
    assert outcome.label == result_of(server.place)


@pytest.mark.parametrize(
    "body",
    ["", "[]", '{"data": []}', '{"data": [{"url": "http://evil.example/x.png"}]}', '{"data": [{"b64_json": "!"}]}',
     '{"data": [{"b64_json": "PGh0bWw+"}]}', '{"data": [{"b64_json": 3}]}', "[" * 50_000],
)  # fmt: skip
def test_an_answer_without_a_picture_is_said(body):
    outcome, _ = paint(page(body, media_type="application/json"))
    assert outcome.failure == "tool"
    assert outcome.result.artefacts == ()


def test_a_refusal_is_told_without_the_secret():
    outcome, _ = paint(page("key-1234 is wrong", status="401 No"), "key-1234")
    assert outcome.result.text == "Error: The image service answered with status 401: [secret] is wrong."


def test_a_redirect_elsewhere_is_not_followed():
    assert "status 302" in paint(redirect("https://evil.example/"))[0].result.text


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("_"))
def test_the_image_tool_passes_the_suite(check):
    with serving(lambda _request, _body: ANSWER) as server:
        check(Specimen(image(server), {"image": [{"description": "a lighthouse"}]}))
