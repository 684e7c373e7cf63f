"""`satchel doctor`."""

from __future__ import annotations

import json

from helpers.project_folders import write_files
from helpers.tiny_gguf import TinyModel, write_gguf

from satchel.runtime.cli.main import main


def test_json_has_every_key_of_the_report(capsys, home):
    assert main(["doctor", "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert list(report) == [
        *("version", "engine_version", "machine", "backends", "gpu_hint", "gpu_reason", "extras", "models"),
        *("sandbox", "sandbox_ways", "tools", "problems"),
    ]
    assert report["machine"]["cores"] >= 1
    assert report["extras"]["starter"] is True
    (starter,) = report["models"]
    assert starter["name"] == "starter"
    assert starter["problem"] == ""
    assert starter["layers"] == 30
    assert starter["plan"]
    assert report["problems"] == []
    assert not home.data.exists()


def test_the_sandbox_and_every_tool_are_told_with_their_reasons(capsys):
    assert main(["doctor", "reader", "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["sandbox"].startswith(("on: ", "off: "))
    assert all(way.keys() == {"way", "problem"} for way in report["sandbox_ways"])
    tools = {tool["name"]: tool for tool in report["tools"]}
    assert {"calculator", "files", "http_action", "image", "mcp", "memory", "python", "web_fetch"} < tools.keys()
    assert tools["calculator"] == {"name": "calculator", "off": "", "limited": ""}
    assert "settings.toml" in tools["image"]["off"]
    assert bool(tools["python"]["off"]) == report["sandbox"].startswith("off")


def test_a_machine_without_a_sandbox_says_what_that_switches_off(capsys, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    assert main(["doctor", "reader"]) == 0

    said = capsys.readouterr().out
    assert "sandbox: off: there is none for darwin; it needs Linux\n" in said
    assert "documents are read in a plain child process, with limits" in said
    assert "python is off: the sandbox is off: there is none for darwin" in said
    assert "mcp, but servers over HTTP only" in said


def test_an_image_endpoint_in_the_settings_switches_its_tool_on(capsys, home):
    write_files(home.settings, {"settings.toml": '[image]\naddress = "http://127.0.0.1:7860/v1/images/generations"\n'})
    assert main(["doctor", "reader", "--json"]) == 0
    tools = {tool["name"]: tool for tool in json.loads(capsys.readouterr().out)["tools"]}
    assert tools["image"]["off"] == ""


def test_models_are_planned_with_their_sums(capsys, tmp_path):
    model = write_gguf(tmp_path / "tiny.gguf", TinyModel())

    assert main(["doctor", str(model), "--context", "256"]) == 0

    said = capsys.readouterr().out
    assert "model tiny: " in said
    assert "KV cache, 256 tokens" in said
    assert "GPU: " in said


def test_what_is_no_model_is_a_line_and_no_error(capsys, tmp_path):
    write_files(tmp_path, {"no.gguf": "hello"})

    assert main(["doctor", str(tmp_path / "no.gguf"), "missing", "reader", "--json"]) == 0

    broken, missing, reader = json.loads(capsys.readouterr().out)["models"]
    assert "is not a GGUF model" in broken["problem"]
    assert "There is no model 'missing'" in missing["problem"]
    assert reader["problem"] == "quotes exactly and needs no plan"


def test_a_wrong_number_of_layers_is_wrong_use(capsys):
    assert main(["doctor", "--context", "-5", "--json"]) == 2
    assert "--context takes a number from 0 to" in capsys.readouterr().out
    assert main(["doctor", "--gpu-layers", "many", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"
