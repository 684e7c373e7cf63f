"""An assistant's own tools: its OpenAPI documents and MCP servers, in whole chats and before any grant."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.project_folders import write_files
from helpers.tool_chats import ID, allow_everything, assistant_in, call, scripted, shown, tool_chat
from helpers.web_server import page, serving

from satchel.runtime.commands.build import build_pack
from satchel.runtime.commands.opening import open_assistant
from satchel.runtime.sandbox.probes import find_sandbox
from satchel.runtime.session.events import Progress
from satchel.runtime.session.tool_files import ToolFiles

SERVER = Path(__file__).parents[1] / "tools/mcp_servers/harbour.py"
BOATS = {
    "openapi": "3.1.0",
    "info": {"title": "Harbour", "version": "1"},
    "paths": {
        "/boats": {
            "get": {"operationId": "listBoats", "summary": "List boats.", "security": [{"key": []}]},
            "post": {
                "operationId": "addBoat",
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
            },
        },
    },
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
}


def write_boats(folder, place, name="harbour", **changed):
    write_files(folder, {f"actions/{name}.openapi.json": json.dumps(BOATS | {"servers": [{"url": place}]} | changed)})


@pytest.fixture(scope="module")
def sandbox():
    state = find_sandbox()
    if state.confinement is None:
        pytest.skip(state.in_words)
    return state


def spawning(folder, *readable):
    command = [sys.executable, "-I", "-B", str(SERVER)]
    entry = {"command": command[0], "args": command[1:], "readable": [str(SERVER), *map(str, readable)]}
    write_files(folder, {"mcp.json": json.dumps({"mcpServers": {"harbour": entry}})})
    return f"mcp.spawn {' '.join(command)}"


def test_an_operation_of_the_projects_document_is_called_in_a_chat(tmp_path, home):
    boats = page('["Wilma"]', media_type="application/json")
    with serving(lambda _head, _body: boats) as service:
        write_boats(tmp_path, service.place, paths={"/boats": {"get": {"operationId": "listBoats"}}})
        assistant = assistant_in(tmp_path, {"http_action": [f"net.call {service.place}"]})
        with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", call("listBoats"))) as chat:
            turn = chat.turn("Which boats are there?")
        assert [head.split("\r\n")[0] for head in service.requests] == ["GET /boats HTTP/1.1"]
    assert (turn.decisions, turn.results) == (["allow"], ['[\n "Wilma"\n]'])


def test_what_changes_something_is_asked_about_because_the_document_is_somebodys_text(tmp_path, home):
    with serving(lambda _head, _body: page("{}")) as service:
        write_boats(tmp_path, service.place)
        assistant = assistant_in(tmp_path, {"http_action": [f"net.call {service.place}"]})
        model = scripted(tmp_path / "m.gguf", call("addBoat", body={"name": "Wilma"}))
        with tool_chat(assistant, home, model) as chat:
            alone = chat.turn("Add the boat Wilma.")
        assert (alone.decisions, service.requests) == (["deny"], [])
        with tool_chat(assistant, home, model, answer="once") as chat:
            asked = chat.turn("Add the boat Wilma.")
        assert service.bodies == [b'{"name": "Wilma"}']
    [request] = asked.requests
    assert "other people may have written" in request["why"]
    assert request["destinations"] == [service.place]


def test_a_document_that_is_none_is_named_and_the_others_work(tmp_path, home):
    write_files(tmp_path, {"actions/broken.openapi.json": "{"})
    write_boats(tmp_path, "https://api.example.org", "good")
    assistant = assistant_in(tmp_path, {"http_action": []})
    with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", ("Hello.",))) as chat:
        [told] = chat.turn("Hi").warnings
        assert [one["function"]["name"] for one in chat.session._acting.descriptions] == ["listBoats", "addBoat"]
    assert "broken.openapi.json" in told
    assert "it is no JSON" in told


def test_two_documents_and_our_own_tools_share_no_name(tmp_path, home):
    operations = {"/x": {"get": {"operationId": "calculator"}}}
    for name in ("one", "two"):
        write_boats(tmp_path, f"https://{name}.example.org", name, paths=operations)
    assistant = assistant_in(tmp_path, {"http_action": [], "calculator": []})
    with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", ("Hello.",))) as chat:
        names = [one["function"]["name"] for one in chat.session._acting.descriptions]
    assert names == ["calculator", "one_calculator", "two_calculator"]


def test_a_link_out_of_the_project_is_not_followed(tmp_path, home):
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps({"mcpServers": {}}))
    folder = tmp_path / "guide"
    folder.mkdir()
    (folder / "mcp.json").symlink_to(outside)
    with tool_chat(assistant_in(folder, {"mcp": []}), home, scripted(tmp_path / "m.gguf", ("Hello.",))) as chat:
        [told] = chat.turn("Hi").warnings
    assert "leads out of the assistant's folder" in told


def test_a_packs_documents_and_servers_are_those_of_its_project(tmp_path, home):
    folder = tmp_path / "guide"
    spawning(folder, "/home")
    write_boats(folder, "https://api.example.org")
    write_files(folder, {"assistant.toml": f'id = "{ID}"\nname = "Guide"\n[tools.http_action]\n[tools.mcp]\n'})
    built = build_pack(folder, None, home)
    files = open_assistant(built.path, home).tool_files
    [action] = files.actions()
    assert (action.name, [one.function for one in action.operations]) == ("harbour", ["listBoats", "addBoat"])
    [server] = files.servers()
    assert server.command[0] == sys.executable
    assert server.readable == (), "a pack does not say which of the person's folders a program may read"


def test_without_files_there_are_none():
    assert ToolFiles().actions() == ToolFiles().servers() == ()


def test_a_server_is_started_where_the_tick_grants_it_and_its_call_is_asked_about(tmp_path, home, sandbox):
    power = spawning(tmp_path)
    model = scripted(tmp_path / "m.gguf", call("harbour_add", a=1, b=2))
    with tool_chat(assistant_in(tmp_path, {"mcp": [power]}), home, model, answer="once") as chat:
        turn = chat.turn("What is 1 and 2?")
    [request] = turn.requests
    assert (turn.decisions, turn.results) == (["allow"], ["3"]), sandbox
    assert request["destinations"] == ["mcp:harbour"]


def test_nothing_is_started_before_the_person_allows_the_whole_command(tmp_path, home, sandbox):
    ran = tmp_path / "ran"
    command = f"touch {ran}"
    write_files(tmp_path, {"mcp.json": json.dumps({"mcpServers": {"x": {"command": "touch", "args": [str(ran)]}}})})
    assistant = assistant_in(tmp_path, {"mcp": [f"mcp.spawn {command}"]})
    received = replace(assistant, pack_id="c" * 64)
    model = scripted(tmp_path / "m.gguf", ("Hello.",))
    with tool_chat(received, home, model) as chat:
        [told] = chat.turn("Hi").warnings
    assert "The MCP server x is not connected: you have not allowed it yet" in told
    with tool_chat(received, home, model, answer="deny") as chat:
        first, second = chat.turn("Hi"), chat.turn("Hi again")
    [request] = first.requests
    assert command in shown(request)
    assert second.requests == [], "a person is asked once in a session"
    assert not ran.exists(), sandbox


def test_a_server_that_cannot_start_is_a_sentence_and_the_chat_goes_on(tmp_path, home, sandbox):
    write_files(tmp_path, {"mcp.json": '{"mcpServers": {"x": {"command": "no-such-program"}}}'})
    assistant = assistant_in(tmp_path, {"mcp": ["mcp.spawn no-such-program"]})
    with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", ("Hello.",))) as chat:
        turn = chat.turn("Hi")
    assert turn.warnings == ["The MCP server x: there is no program no-such-program."], sandbox


def test_a_server_that_never_answers_is_given_up_when_the_person_cancels(tmp_path, home, sandbox):
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    entry = {"command": command[0], "args": command[1:]}
    write_files(tmp_path, {"mcp.json": json.dumps({"mcpServers": {"x": entry}})})
    assistant = assistant_in(tmp_path, {"mcp": [f"mcp.spawn {shlex.join(command)}"]})
    with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", ("Hello.",))) as chat:
        events = []
        for event in chat.session.turn("Hi"):
            events.append(event)
            if isinstance(event, Progress) and event.stage == "connecting x":
                # After the turn goes on; how far it has come then makes no difference.
                threading.Timer(0.2, chat.session.cancel).start()
    assert events[-1].reason == "cancelled", sandbox


def test_a_published_server_answers_in_a_whole_chat(tmp_path, home, sandbox):
    pytest.importorskip("mcp_server_time", reason="needs the extra `dev`")
    command = [sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"]
    write_files(
        tmp_path, {"mcp.json": json.dumps({"mcpServers": {"time": {"command": command[0], "args": command[1:]}}})}
    )
    assistant = assistant_in(tmp_path, {"mcp": [f"mcp.spawn {' '.join(command)}"]})
    asked = call("time_convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo")
    with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", asked), answer="once") as chat:
        turn = chat.turn("What time is it in Tokyo at noon UTC?")
    [result] = turn.results
    assert json.loads(result)["target"]["datetime"].endswith("T21:00:00+09:00"), sandbox


def test_an_image_comes_from_the_endpoint_in_the_persons_settings(tmp_path, home):
    picture = json.dumps({"data": [{"b64_json": "iVBORw0KGgo="}]})
    with serving(lambda _head, _body: page(picture, media_type="application/json")) as painter:
        write_files(home.settings, {"settings.toml": f'[image]\naddress = "{painter.place}/v1/images/generations"\n'})
        assistant = assistant_in(tmp_path, {"image": [f"net.call {painter.place}"]})
        model = scripted(tmp_path / "m.gguf", call("image", description="A lock at dawn"))
        with tool_chat(assistant, home, model) as chat:
            turn = chat.turn("Paint a lock at dawn")
        assert [json.loads(body)["prompt"] for body in painter.bodies] == ["A lock at dawn"]
    assert turn.results == ["The picture is shown to the person."]


def test_without_an_endpoint_the_image_tool_is_off(tmp_path, home):
    with tool_chat(assistant_in(tmp_path, {"image": []}), home, scripted(tmp_path / "m.gguf", ("Hello.",))) as chat:
        [told] = chat.turn("Hi").warnings
    assert told.startswith("The tool image is off: no image endpoint is set")


def test_all_tools_of_a_chat_count_what_they_send_together(tmp_path, home):
    with serving(lambda _head, _body: page("<p>The gate closes at 3.2 metres.</p>")) as service:
        write_boats(tmp_path, service.place, paths={"/boats": {"get": {"operationId": "listBoats"}}})
        tools = {"http_action": [f"net.call {service.place}"], "web_fetch": [f"net.fetch {service.place}"]}
        fetch = scripted(tmp_path / "m.gguf", call("web_fetch", address=f"{service.place}/a"))
        with tool_chat(assistant_in(tmp_path, tools), home, fetch) as chat:
            chat.turn(f"Read {service.place}/a")
            ways = {tool._egress for tool in chat.session._acting._runner.tools}
    assert len(ways) == 1
    assert next(iter(ways)).traffic[service.place].requests == 1


def test_everything_granted_always_changes_nothing_of_what_is_asked(tmp_path, home, sandbox):
    power = spawning(tmp_path)
    assistant = assistant_in(tmp_path, {"mcp": [power]})
    allow_everything(assistant, home)
    with tool_chat(assistant, home, scripted(tmp_path / "m.gguf", call("harbour_add", a=1, b=2))) as chat:
        turn = chat.turn("What is 1 and 2?")
    assert turn.decisions == ["deny"], sandbox
