"""Actions: an OpenAPI document's operations become functions, calls become requests, secrets stay ours."""

from __future__ import annotations

import base64
import json

import pytest
from helpers.tool_conformance import CHECKS, Specimen
from helpers.web_server import page, redirect, serving

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.permissions.labels import result_of
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.errors import BadCallError, ToolError
from satchel.runtime.tools.http_action import HttpAction
from satchel.runtime.tools.openapi import OpenApiError, parse_openapi
from satchel.runtime.tools.runner import ToolRunner

ALLOWED = Allow("a test says so")
SHORT = {"type": "string", "maxLength": 40}


def document(server="https://api.example.org/v1", **rest):
    """A service that keeps boats."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Harbour", "version": "1"},
        "servers": [{"url": server}],
        "paths": {
            "/boats": {
                "get": {
                    "operationId": "listBoats", "summary": "List boats.",
                    "parameters": [
                        {"$ref": "#/components/parameters/Limit"},
                        {"name": "kind", "in": "query", "schema": {"type": "array", "items": SHORT, "maxItems": 3}},
                        {"name": "berths", "in": "query", "explode": False,
                         "schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 3}},
                        {"name": "X-Trace", "in": "header", "schema": SHORT},
                    ],
                },
                "post": {
                    "operationId": "addBoat", "description": "Add a boat.",
                    "requestBody": {"required": True, "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Boat"}}}},
                },
            },
            "/boats/{name}/log": {
                "parameters": [{"name": "name", "in": "path", "required": True, "schema": SHORT}],
                "get": {"summary": "Read a boat's log."},
                "put": {"operationId": "writeLog", "requestBody": {"content": {
                    "application/x-www-form-urlencoded": {"schema": {
                        "type": "object", "properties": {"line": SHORT}, "additionalProperties": False}}}}},
            },
        },
        "components": {
            "parameters": {"Limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}}},
            "schemas": {"Boat": {
                "type": "object", "required": ["name"], "additionalProperties": False,
                "properties": {"name": SHORT, "length": {"type": "number", "example": 3}}}},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                "query": {"type": "apiKey", "in": "query", "name": "key"},
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "oauth": {"type": "oauth2", "flows": {}},
            },
        },
        **rest,
    }  # fmt: skip


class Harbour:
    """The service's tool over a real server."""

    def __init__(self, server, secret_of=lambda _scheme: None, **rest):
        self.server = server
        operations = parse_openapi(json.dumps(document(f"{server.place}/v1", **rest)), "harbour")
        self.tool = HttpAction("harbour", operations, Egress([server.place]), secret_of)
        self.runner = ToolRunner([self.tool])

    def run(self, function, /, **arguments):
        return self.runner.run(self.runner.prepare(ToolCall(function, arguments)), ALLOWED)


@pytest.fixture
def server():
    def answer(request, body):
        head = request.splitlines()
        return page(json.dumps({"line": head[0], "head": head, "body": body.decode()}), media_type="application/json")

    with serving(answer) as one:
        yield one


def test_operations_become_functions_with_their_schemas():
    operations = {one.function: one for one in parse_openapi(json.dumps(document()), "harbour")}
    assert set(operations) == {"listBoats", "addBoat", "get_boats_name_log", "writeLog"}
    assert operations["addBoat"].schema == {
        "type": "object",
        "properties": {"body": {
            "type": "object", "required": ["name"], "additionalProperties": False,
            "properties": {"name": SHORT, "length": {"type": "number"}}}},
        "required": ["body"],
        "additionalProperties": False,
    }  # fmt: skip
    assert operations["listBoats"].description == "List boats. (GET /boats)"
    assert operations["listBoats"].is_reading
    assert not operations["addBoat"].is_reading


def test_a_call_becomes_the_request_that_the_document_describes(server):
    harbour = Harbour(server)
    harbour.run("listBoats", limit=3, kind=["sail & oar", "é"], berths=[1, 2], **{"X-Trace": "t"})
    assert server.requests[0].splitlines()[0] == (
        "GET /v1/boats?limit=3&kind=sail%20%26%20oar&kind=%C3%A9&berths=1%2C2 HTTP/1.1"
    )
    assert "X-Trace: t" in server.requests[0]
    harbour.run("addBoat", body={"name": "Möwe", "length": 3.5})
    assert json.loads(server.bodies[1]) == {"name": "Möwe", "length": 3.5}
    harbour.run("writeLog", name="a/b c", body={"line": "x & y"})
    assert server.requests[2].startswith("PUT /v1/boats/a%2Fb%20c/log HTTP/1.1")
    assert server.bodies[2] == b"line=x+%26+y"


@pytest.mark.parametrize("name", [".", "..", ""])
def test_a_value_that_would_climb_is_refused_before_anyone_is_asked(server, name):
    with pytest.raises(BadCallError):
        Harbour(server).run("get_boats_name_log", name=name)
    assert server.requests == []


@pytest.mark.parametrize("name", ["../../admin", "?x=1", "#", "a\r\nHost: evil", "@evil.example", "%2e%2e", "\\..\\"])
def test_no_value_changes_the_address_around_it(server, name):
    Harbour(server).run("get_boats_name_log", name=name)
    [line, *_] = server.requests[0].splitlines()
    assert line.startswith("GET /v1/boats/")
    assert line.endswith("/log HTTP/1.1")
    assert line.count("/") == 5


def test_reading_and_changing_are_told_apart_and_labelled_with_their_place(server):
    harbour = Harbour(server)
    reading = harbour.runner.prepare(ToolCall("listBoats", {})).asked
    changing = harbour.runner.prepare(ToolCall("addBoat", {"body": {"name": "x"}})).asked
    assert (reading.effect.changes_state, changing.effect.changes_state) == (False, True)
    assert [str(need) for need in reading.needs] == [f"net.call {server.place}"]
    assert harbour.run("listBoats").label == result_of(server.place)


@pytest.mark.parametrize(
    ("scheme", "secret", "expected"),
    [
        ("key", "k-12345", "X-Key: k-12345"),
        ("basic", "me:pass-word", f"Authorization: Basic {base64.b64encode(b'me:pass-word').decode()}"),
        ("bearer", "t-12345", "Authorization: Bearer t-12345"),
        ("oauth", "t-12345", "Authorization: Bearer t-12345"),
        ("query", "q&12345", "GET /v1/boats?key=q%2612345 HTTP/1.1"),
    ],
)
def test_the_persons_secret_goes_where_the_service_wants_it_and_never_comes_back(server, scheme, secret, expected):
    harbour = Harbour(server, lambda one: secret if one.name == scheme else None, security=[{scheme: []}])
    outcome = harbour.run("listBoats")
    assert expected in server.requests[0]
    for form in (secret, expected.split()[-1] if scheme == "basic" else secret):
        assert form not in outcome.result.text
    assert "[secret]" in outcome.result.text


def test_without_a_secret_that_is_wanted_nothing_is_sent(server):
    outcome = Harbour(server, security=[{"key": []}, {"bearer": []}]).run("listBoats")
    assert "wants key (apiKey) or bearer (bearer)" in outcome.result.text
    assert server.requests == []


def test_a_secret_does_not_follow_a_redirect_elsewhere():
    with serving(lambda _request, _body: page("caught")) as other, serving(
        lambda _request, _body: redirect(f"{other.place}/x")
    ) as server:  # fmt: skip
        outcome = Harbour(server, lambda _scheme: "secret-1", security=[{"key": []}]).run("listBoats")
        assert "another place" in outcome.result.text
        assert other.requests == []


def test_a_status_that_is_no_success_is_told_with_its_words():
    with serving(
        lambda _request, _body: page("No such boat", status="404 Not Found", media_type="text/plain")
    ) as server:
        outcome = Harbour(server).run("listBoats")
        assert outcome.failure == "tool"
        assert outcome.result.text == "Error: The service answered with status 404: No such boat."


def without(key):
    made = document()
    del made[key]
    return made


BOAT = {"$ref": "#/components/schemas/Boat"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "not say that it is OpenAPI 3"),
        ('{"swagger": "2.0"}', "not say that it is OpenAPI 3"),
        (json.dumps(without("paths")), "no operation"),
        (json.dumps(without("servers")), "no server"),
        (json.dumps(document("/relative")), "no server"),
        (json.dumps(document("file:///etc")), "no server"),
        (json.dumps(document("https://user:pw@example.org")), "no server"),
        (json.dumps(document(paths={"/x/{y}": {"get": {}}})), "does not describe y"),
        (json.dumps(document(paths={"/x": {"get": {"$ref": "https://evil.example/p"}}})), "another document"),
        (json.dumps(document(paths={"/x": {"get": {"$ref": "#/no/where"}}})), "not there"),
        (json.dumps(document(paths={"/x": {"$ref": "#/paths/~1x"}})), "in a circle"),
        (json.dumps(document(paths={"/x": 3})), "no object|not built"),
        (json.dumps(document(paths={"/x": {"post": {"requestBody": {"content": {"image/png": {}}}}}})), "image/png"),
        (json.dumps(document(paths={f"/{n}": {"get": {}} for n in range(300)})), "more than 200"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_used_says_where(text, reason):
    with pytest.raises(OpenApiError, match=f"harbour: .*({reason})"):
        parse_openapi(text, "harbour")


def test_a_schema_that_holds_itself_goes_on_as_anything():
    made = document()
    made["components"]["schemas"]["Boat"]["properties"]["tender"] = BOAT
    boat = next(one for one in parse_openapi(json.dumps(made), "harbour") if one.function == "addBoat").schema
    assert boat["properties"]["body"]["properties"]["tender"] == {}


def test_schemas_that_double_at_each_step_are_refused_in_time():
    inner = [{key: {"$ref": f"#/components/schemas/S{n + 1}"} for key in "abcd"} for n in range(22)]
    schemas = {f"S{n}": {"type": "object", "properties": properties} for n, properties in enumerate(inner)}
    made = document()
    made["components"]["schemas"] |= schemas | {"Boat": {"$ref": "#/components/schemas/S0"}, "S22": {}}
    with pytest.raises(OpenApiError, match="too large"):
        parse_openapi(json.dumps(made), "harbour")


def test_old_forms_of_openapi_3_0_are_understood():
    made = document(openapi="3.0.3")
    made["components"]["schemas"]["Boat"]["properties"]["length"] = {
        "type": "number", "nullable": True, "minimum": 0, "exclusiveMinimum": True,
    }  # fmt: skip
    boat = next(one for one in parse_openapi(json.dumps(made), "harbour") if one.function == "addBoat").schema
    assert boat["properties"]["body"]["properties"]["length"] == {"type": ["number", "null"], "exclusiveMinimum": 0}


def test_what_is_no_way_of_telling_who_calls_is_said(server):
    schemes = {"odd": {"type": "http", "scheme": "digest"}}
    made = document(f"{server.place}/v1", security=[{"odd": []}])
    made["components"]["securitySchemes"] = schemes
    tool = HttpAction("harbour", parse_openapi(json.dumps(made), "h"), Egress([server.place]), lambda _scheme: "x")
    runner = ToolRunner([tool])
    outcome = runner.run(runner.prepare(ToolCall("listBoats", {})), ALLOWED)
    assert "not known here (digest)" in outcome.result.text


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("_"))
def test_actions_pass_the_suite(server, check):
    good = {
        "listBoats": [{}, {"limit": 2, "kind": ["sail"]}], "addBoat": [{"body": {"name": "x"}}],
        "get_boats_name_log": [{"name": "x"}], "writeLog": [{"name": "y", "body": {"line": "z"}}],
    }  # fmt: skip
    check(Specimen(Harbour(server).tool, good))


def test_tool_errors_are_of_one_root():
    assert issubclass(OpenApiError, ToolError)
