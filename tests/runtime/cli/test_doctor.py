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
        *("sandbox", "problems"),
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
