"""MCP servers: spawned in the sandbox and reached over HTTP, real ones and ones that misbehave."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("mcp", reason="needs the extra `mcp`")

from helpers.tool_conformance import (
    _a_cancelled_call_ends_soon,
    _good_calls_end_well_and_within_their_caps,
    _results_are_labelled_as_the_table_says,
    _what_a_call_needs_and_reaches_agrees_with_its_row,
)

from satchel.runtime.engine.base import ToolCall
from satchel.runtime.permissions.broker import Allow
from satchel.runtime.permissions.labels import result_of
from satchel.runtime.sandbox.probes import SandboxState, find_sandbox
from satchel.runtime.tools.base import Cancellation
from satchel.runtime.tools.egress import Egress
from satchel.runtime.tools.errors import EgressError, ToolOffError
from satchel.runtime.tools.mcp import Mcp, RemoteServer, SpawnedServer
from satchel.runtime.tools.mcp_connection import McpError
from satchel.runtime.tools.runner import ToolRunner

ALLOWED = Allow("a test says so")
SERVER = Path(__file__).parent / "mcp_servers/harbour.py"


@pytest.fixture(scope="module")
def sandbox():
    state = find_sandbox()
    if state.confinement is None:
        pytest.skip(state.in_words)
    return state


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    (folder / "given.txt").write_text("given")
    return folder


def connected(sandbox, *readable):
    spawned = SpawnedServer("harbour", (sys.executable, "-I", "-B", str(SERVER)), (SERVER, *readable))
    tool = Mcp(spawned, sandbox, Egress())
    tool.connect()
    return tool


@pytest.fixture(scope="module")
def harbour(sandbox, given):
    with ToolRunner([connected(sandbox, given)]) as runner:
        yield runner


def run(runner, name, cancellation=None, **arguments):
    return runner.run(runner.prepare(ToolCall(name, arguments)), ALLOWED, cancellation=cancellation)


def test_a_servers_tools_become_functions_named_after_it(harbour):
    add = next(one for one in harbour.functions if one.name == "harbour_add")
    assert add.description == "Add two lengths."
    assert set(add.parameters["properties"]) == {"a", "b"}


def test_a_call_is_answered_and_labelled_as_the_servers(harbour):
    outcome = run(harbour, "harbour_add", a=1, b=2.5)
    assert (outcome.failure, outcome.result.text) == ("", "3.5")
    assert outcome.label == result_of("mcp:harbour")


def test_what_a_call_needs_is_the_whole_command(harbour):
    asked = harbour.prepare(ToolCall("harbour_add", {"a": 1, "b": 2})).asked
    assert str(asked.needs[0]).startswith(f"mcp.spawn {sys.executable} -I -B ")
    assert asked.effect.sends_to == ("mcp:harbour",)
    assert asked.effect.changes_state


def test_a_picture_comes_back_as_an_artefact(harbour):
    [picture] = run(harbour, "harbour_picture").result.artefacts
    assert (picture.name, picture.media_type, picture.content) == ("picture-0.png", "image/png", b"\x89PNG")


def test_a_failure_is_told_in_the_servers_words(harbour):
    outcome = run(harbour, "harbour_fail")
    assert outcome.failure == "tool"
    assert "the tide is out" in outcome.result.text


def test_a_long_answer_is_cut(harbour):
    outcome = run(harbour, "harbour_long")
    assert outcome.failure == ""
    assert outcome.result.text.endswith("[cut: 20,000 of 5,000,000 characters are shown]")


def test_a_call_that_hangs_can_be_cancelled_and_the_next_one_works(harbour):
    cancellation = Cancellation()
    timer = threading.Timer(0.2, cancellation.cancel)
    timer.start()
    assert run(harbour, "harbour_hang", cancellation).failure == "cancelled"
    timer.join()
    assert run(harbour, "harbour_add", a=1, b=1).result.text == "2"


def test_a_server_that_dies_is_an_error_and_so_are_later_calls(sandbox):
    with ToolRunner([connected(sandbox)]) as runner:
        outcome = run(runner, "harbour_die")
        assert outcome.failure == "mcp"
        assert "the harbour is on fire" in outcome.result.text
        assert run(runner, "harbour_add", a=1, b=1).failure == "mcp"


def test_a_server_reads_what_it_was_given_and_nothing_else(harbour, given):
    assert run(harbour, "harbour_look", path=str(given / "given.txt")).result.text == "given"
    for path in ("/etc/passwd", str(Path(__file__)), "/etc/shadow"):
        assert "No such file" in run(harbour, "harbour_look", path=path).result.text


def test_a_server_sees_nothing_of_our_environment(harbour):
    names = set(run(harbour, "harbour_environment").result.text.split(","))
    assert names <= {"PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE"}


def test_nothing_is_spawned_before_it_is_connected(sandbox):
    tool = Mcp(SpawnedServer("harbour", ("/nothing/of/that/name",)), sandbox, Egress())
    assert tool.functions == ()
    with pytest.raises(McpError, match="no program"):
        tool.connect()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit('no such harbour')", "no such harbour"),
        ("print('this is no JSON', flush=True)", "harbour: "),
        ("import sys; sys.stdout.write('x' * 10_000_000)", "harbour: "),
    ],
)
def test_a_server_that_speaks_no_mcp_is_an_error(sandbox, code, words):
    tool = Mcp(SpawnedServer("harbour", (sys.executable, "-I", "-c", code)), sandbox, Egress())
    with pytest.raises(McpError, match=words):
        tool.connect()
    tool.close()


def test_without_a_sandbox_a_spawned_server_is_off_and_a_remote_one_is_not():
    state = SandboxState((), "there is none for darwin; it needs Linux")
    tool = Mcp(SpawnedServer("harbour", ("x",)), state, Egress())
    with pytest.raises(ToolOffError, match="needs Linux"):
        tool.connect()
    assert Mcp(RemoteServer("harbour", "https://example.org/mcp"), state, Egress()).problem == ""


@pytest.mark.parametrize(
    "check",
    [
        _a_cancelled_call_ends_soon,
        _good_calls_end_well_and_within_their_caps,
        _results_are_labelled_as_the_table_says,
        _what_a_call_needs_and_reaches_agrees_with_its_row,
    ],
)
def test_a_servers_tools_keep_the_contract(sandbox, check):
    """Those parts of it that do not depend on a stranger's schema."""
    from helpers.tool_conformance import Specimen

    tool = connected(sandbox)
    try:
        good = {one.name: [] for one in tool.functions} | {"harbour_add": [{"a": 1, "b": 2}]}
        check(Specimen(tool, good))
    finally:
        tool.close()


@pytest.fixture
def remote(tmp_path):
    """A real server over HTTP, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-B", str(SERVER), "--http", str(port)], stdout=log, stderr=subprocess.PIPE
        )
    assert process.stderr is not None
    for line in process.stderr:
        if b"running on" in line:
            break
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.stderr.close()
    process.wait()


def test_a_remote_server_is_reached_through_the_egress_layer(remote):
    egress = Egress([remote])
    tool = Mcp(RemoteServer("harbour", f"{remote}/mcp"), SandboxState(()), egress)
    tool.connect()
    runner = ToolRunner([tool])
    try:
        outcome = run(runner, "harbour_add", a=1, b=2)
        assert (outcome.failure, outcome.result.text) == ("", "3")
        assert outcome.label == result_of(remote)
        asked = runner.prepare(ToolCall("harbour_add", {"a": 1, "b": 2})).asked
        assert [str(need) for need in asked.needs] == [f"mcp.connect {remote}/mcp"]
        assert egress.traffic[remote].requests >= 3
    finally:
        runner.close()


def test_a_remote_server_inside_is_refused_unless_granted_by_name(remote):
    tool = Mcp(RemoteServer("harbour", f"{remote}/mcp"), SandboxState(()), Egress())
    with pytest.raises((McpError, EgressError), match="granted by its name"):
        tool.connect()


def test_a_published_server_works_in_the_sandbox(sandbox):
    """`mcp-server-time` of the package index, as its page says to start it."""
    program = Path(sys.executable).with_name("mcp-server-time")
    if not program.exists() and shutil.which("mcp-server-time") is None:
        pytest.skip("mcp-server-time is not installed")
    tool = Mcp(SpawnedServer("time", (str(program), "--local-timezone", "UTC")), sandbox, Egress())
    tool.connect()
    runner = ToolRunner([tool])
    try:
        converted = run(runner, "time_convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo")
        assert "21:00:00+09:00" in converted.result.text
    finally:
        runner.close()
