"""A document that we did not write, against a service that plays it: the Petstore, and all of it that can be called.

`petstore.openapi.json` is 3.1/json/petstore.json of the npm package @readme/oas-examples 8.2.2 (MIT), the OpenAPI
Initiative's and SmartBear's own example (Apache-2.0), unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from helpers.project_folders import write_files
from helpers.tool_chats import assistant_in, call, scripted, tool_chat
from helpers.web_server import WebServer, page, serving

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.errors import ToolError
from satchel.runtime.tools.http_action import HttpAction
from satchel.runtime.tools.openapi import read_openapi
from satchel.runtime.tools.runner import ToolRunner

DOCUMENT = (Path(__file__).parent / "petstore.openapi.json").read_text()
PET = {"name": "Wilma", "photoUrls": [], "status": "available"}


class Petstore:
    """Keeps pets and wants a key, as the document says."""

    def __init__(self) -> None:
        self.pets: dict[int, dict] = {}

    def __call__(self, head: str, body: bytes) -> bytes:
        line, _, headers = head.partition("\r\n")
        method, target, _ = line.split(" ")
        path, _, query = target.removeprefix("/v2").partition("?")
        if "\r\napi_key: special-key" not in f"\r\n{headers}" and "\r\nAuthorization: Bearer special" not in head:
            return page('{"message": "who are you?"}', status="401 Unauthorized", media_type="application/json")
        if (method, path) == ("POST", "/pet"):
            pet = json.loads(body) | {"id": len(self.pets) + 1}
            self.pets[pet["id"]] = pet
            return self._told(pet)
        if (method, path) == ("GET", "/pet/findByStatus"):
            wanted = set(parse_qs(query)["status"])
            return self._told([pet for pet in self.pets.values() if pet["status"] in wanted])
        if (found := re.fullmatch(r"/pet/(\d+)", path)) and int(found[1]) in self.pets:
            pet = self.pets[int(found[1])]
            if method == "POST":
                pet |= {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return self._told(self.pets.pop(pet["id"]) if method == "DELETE" else pet)
        return page('{"message": "not found"}', status="404 Not Found", media_type="application/json")

    @staticmethod
    def _told(value: object) -> bytes:
        return page(json.dumps(value), media_type="application/json")


@pytest.fixture
def store() -> Iterator[WebServer]:
    with serving(Petstore()) as server:
        yield server


def here(store: WebServer) -> str:
    return DOCUMENT.replace("http://petstore.swagger.io/v2", f"{store.place}/v2")


@pytest.fixture
def petstore(store) -> Iterator[ToolRunner]:
    secrets = {"api_key": "special-key", "petstore_auth": "special-token"}
    operations = read_openapi(here(store), "petstore").operations
    tool = HttpAction("http_action", operations, Egress([store.place]), lambda scheme: secrets[scheme.name])
    with ToolRunner([tool]) as runner:
        yield runner


def run(runner: ToolRunner, name: str, **arguments):
    return runner.run(runner.prepare(ToolCall(name, arguments)), Allow("a test says so"))


def test_all_of_it_is_read_but_the_one_operation_that_sends_a_picture():
    document = read_openapi(DOCUMENT, "petstore")
    assert len(document.operations) == 19
    [left_out] = document.left_out
    assert left_out.startswith("POST /pet/{petId}/uploadImage wants a body of application/octet-stream")
    assert {one.server.place for one in document.operations} == {"http://petstore.swagger.io"}


def test_pets_are_added_found_renamed_and_deleted(petstore):
    assert json.loads(run(petstore, "addPet", body=PET).result.text)["id"] == 1
    assert "Wilma" in run(petstore, "findPetsByStatus", status=["available", "sold"]).result.text
    assert (
        json.loads(run(petstore, "updatePetWithForm", petId=1, body={"name": "Betty"}).result.text)["name"] == "Betty"
    )
    assert json.loads(run(petstore, "getPetById", petId=1).result.text)["name"] == "Betty"
    assert run(petstore, "deletePet", petId=1).failure == ""
    gone = run(petstore, "getPetById", petId=1)
    assert gone.failure == "tool"
    assert "answered with status 404" in gone.result.text


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("getPetById", {}, "petId"),
        ("getPetById", {"petId": "../store/inventory"}, "petId"),
        ("findPetsByStatus", {"status": ["stolen"]}, "stolen"),
        ("addPet", {"body": {"name": 3}}, "body"),
    ],
)
def test_arguments_that_do_not_fit_the_document_are_refused_before_anything_is_sent(
    petstore, store, name, arguments, says
):

    with pytest.raises(ToolError) as raised:
        run(petstore, name, **arguments)
    assert says in raised.value.message
    assert store.requests == []


def test_a_whole_chat_calls_it_with_the_persons_key(tmp_path, home, store, monkeypatch, type_in):
    keyring = pytest.importorskip("keyring", reason="needs the extra `signin`")
    from keyring.backends.fail import Keyring

    from satchel.runtime.cli.main import main

    monkeypatch.setattr(keyring, "get_keyring", Keyring)
    requests = f'[tools.http_action]\nrequests = ["net.call {store.place}"]\n'
    settings = f'id = "0d5f1a52-8a3c-4d7e-9b1f-2c3d4e5f6a7b"\nname = "Guide"\n{requests}'
    write_files(tmp_path / "guide", {"actions/petstore.openapi.json": here(store), "assistant.toml": settings})
    type_in("special-key")
    assert main(["keys", str(tmp_path / "guide"), "--set", "petstore/api_key"]) == 0
    assistant = assistant_in(tmp_path / "guide", {"http_action": [f"net.call {store.place}"]})
    model = scripted(tmp_path / "m.gguf", call("getPetById", petId=1), context=32768)
    with tool_chat(assistant, home, model, context=32768) as chat:
        turn = chat.turn("Who is pet 1?")
    assert turn.decisions == ["allow"]
    assert "answered with status 404" in turn.results[0], "the key was right, and the shop is empty"
    assert "special-key" not in turn.results[0]
