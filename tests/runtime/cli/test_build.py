"""`satchel build`."""

from __future__ import annotations

import json

import pytest

from satchel.runtime.cli.main import main

pytestmark = pytest.mark.usefixtures("warm_home")


def test_the_pack_is_told_with_its_size_and_id(capsys, harbour, tmp_path):
    assert main(["build", str(harbour.folder), "-o", str(tmp_path / "a.pack")]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith(f"{tmp_path / 'a.pack'}: ")
    assert lines[-2].endswith(", 5 passages")
    assert lines[-1] == f"  pack id {harbour.pack_id}"
    assert (tmp_path / "a.pack").read_bytes() == harbour.pack.read_bytes()


def test_json_holds_the_same(capsys, harbour, tmp_path):
    assert main(["build", str(harbour.folder), "-o", str(tmp_path / "a.pack"), "--without-sources", "--json"]) == 0

    built = json.loads(capsys.readouterr().out)
    assert sorted(built) == ["files", "notes", "pack_id", "passages", "path", "size"]
    assert built["path"] == str(tmp_path / "a.pack")
    assert built["size"] == (tmp_path / "a.pack").stat().st_size < harbour.pack.stat().st_size


def test_strict_names_what_cannot_be_read(capsys, harbour_folder):
    (harbour_folder / "knowledge" / "empty.txt").write_text("")

    assert main(["build", str(harbour_folder), "--strict"]) == 21
    assert "1 of the knowledge files cannot be read: empty.txt: empty.txt is empty" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_an_error(capsys, harbour, tmp_path):
    (tmp_path / "file").write_text("x")

    assert main(["build", str(harbour.folder), "-o", str(tmp_path / "file" / "a.pack"), "--json"]) == 61
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "save"


def test_a_folder_in_the_place_of_the_pack_is_an_error_and_stays(capsys, harbour, tmp_path):
    (tmp_path / "a.pack").mkdir()

    assert main(["build", str(harbour.folder), "-o", str(tmp_path / "a.pack"), "--json"]) == 61

    assert json.loads(capsys.readouterr().out)["error"]["message"].startswith(f"{tmp_path / 'a.pack'} could not be")
    assert (tmp_path / "a.pack").is_dir()
