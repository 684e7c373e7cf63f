"""`satchel install`, `list`, `inspect`, `verify`, `rollback` and `remove`: a pack's life in the store."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from helpers.packs import IDENTITY, write_knowing_pack, write_plain_pack

from satchel.runtime.cli.main import main
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.paths import find_home
from satchel.runtime.session.history import History, Part


@pytest.fixture
def packs(tmp_path: Path) -> tuple[Path, Path]:
    """Two versions of one assistant."""
    first, second = (msgspec.structs.replace(IDENTITY, version=version) for version in ("1.0", "2.0"))
    return (
        write_plain_pack(tmp_path / "one.pack", identity=first),
        write_plain_pack(tmp_path / "two.pack", identity=second),
    )


def pack_id(path: Path) -> str:
    with open_pack(path, verify=True) as pack:
        return pack.pack_id


def ran(capsys: pytest.CaptureFixture[str], *given: object) -> str:
    """Return what a command printed that ended well."""
    assert main([str(word) for word in given]) == 0
    return capsys.readouterr().out


def test_installing_says_how_to_run_and_what_was_replaced(capsys, packs):
    assert ran(capsys, "install", packs[0]) == (
        "installed: Tide tutor 1.0\n  Next: satchel run 'Tide tutor' \"your question\"\n"
    )
    assert "  in the place of 1.0; `satchel rollback` brings that back\n" in ran(capsys, "install", packs[1])
    assert ran(capsys, "install", packs[1]).startswith("was installed already: Tide tutor 2.0\n")


def test_the_list_marks_the_current_version(capsys, packs):
    for pack in packs:
        ran(capsys, "install", pack)

    current, other = ran(capsys, "list").splitlines()

    assert current.startswith(f"* {pack_id(packs[1])[:12]}  Tide tutor 2.0  ")
    assert other.startswith(f"  {pack_id(packs[0])[:12]}  Tide tutor 1.0  ")


def test_an_empty_store_says_how_to_fill_it(capsys):
    assert main(["list"]) == 0

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "No packs are installed yet. `satchel install FILE.pack` adds one.\n"
    assert json.loads(ran(capsys, "list", "--json")) == {"packs": []}


def test_rolling_back_and_removing_tell_which_version_the_name_stands_for(capsys, packs):
    for pack in packs:
        ran(capsys, "install", pack)

    assert ran(capsys, "rollback", "tide-tutor") == (
        "Tide tutor stands for version 1.0 again, instead of 2.0, which stays installed\n"
    )
    assert ran(capsys, "remove", "tide-tutor", "--keep-chats") == (
        "removed: Tide tutor 1.0\n  its name stands for version 2.0 now\n"
    )
    assert ran(capsys, "remove", pack_id(packs[1])[:8], "--with-chats") == "removed: Tide tutor 2.0, and 0 chats\n"
    assert json.loads(ran(capsys, "list", "--json")) == {"packs": []}


def test_removing_asks_about_chats_and_without_anybody_there_it_is_wrong_use(capsys, packs):
    ran(capsys, "install", packs[0])
    with History(find_home().history) as history:
        chat = history.create_chat(IDENTITY.id, "t")
        history.add_message(chat.id, None, "user", (Part("text", "x"),), pack_id=pack_id(packs[0]))

    assert main(["remove", "tide-tutor"]) == 2
    assert "it had 1 chat: say --with-chats or --keep-chats" in capsys.readouterr().err
    assert "Tide tutor" in ran(capsys, "list")
    assert ran(capsys, "remove", "tide-tutor", "--with-chats") == "removed: Tide tutor 1.0, and 1 chat\n"


def test_removing_a_pack_without_chats_asks_nothing_and_one_that_is_not_there_is_told_first(capsys, packs):
    ran(capsys, "install", packs[0])

    assert ran(capsys, "remove", "tide-tutor") == "removed: Tide tutor 1.0\n"
    assert main(["remove", "tide-tutor"]) == 36


def test_rolling_back_the_only_version_is_an_error(capsys, packs):
    ran(capsys, "install", packs[0])

    assert main(["rollback", "tide-tutor", "--json"]) == 19
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "nothing-to-roll-back"


def test_rolling_back_shows_how_to_get_to_the_other_versions(capsys, packs, tmp_path):
    third = write_plain_pack(tmp_path / "three.pack", identity=msgspec.structs.replace(IDENTITY, version="3.0"))
    for pack in (*packs, third):
        ran(capsys, "install", pack)

    said = ran(capsys, "rollback", "tide-tutor")

    assert said.splitlines()[1:] == [f"  also installed: version 1.0, `satchel rollback {pack_id(packs[0])[:12]}`"]
    assert ran(capsys, "rollback", pack_id(packs[0])[:12]).startswith("Tide tutor stands for version 1.0 again")


def test_verifying_says_that_it_is_sound_and_what_it_is(capsys, packs):
    assert ran(capsys, "verify", packs[0]).splitlines()[0].startswith("sound: Tide tutor 1.0, ")
    assert json.loads(ran(capsys, "verify", packs[0], "--json"))["pack_id"] == pack_id(packs[0])


def test_an_installed_pack_is_inspected_verified_and_unpacked_by_its_name(capsys, packs, tmp_path):
    ran(capsys, "install", packs[0])

    assert "Tide tutor 1.0" in ran(capsys, "inspect", "tide-tutor")
    assert ran(capsys, "verify", pack_id(packs[0])[:8]).startswith("sound: Tide tutor 1.0")
    assert ran(capsys, "unpack", "Tide tutor", tmp_path / "again").startswith(f"{tmp_path / 'again'} is ready")
    assert main(["verify", "nobody"]) == 35


def test_a_damaged_pack_is_refused_by_every_verb(capsys, packs):
    packs[0].write_bytes(packs[0].read_bytes()[:-1])

    for verb in ("verify", "install", "inspect"):
        assert main([verb, str(packs[0]), "--json"]) == 31
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "damaged-pack"


def test_inspecting_shows_what_a_pack_knows_and_asks_for(capsys, tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")

    said = ran(capsys, "inspect", path)
    found = json.loads(ran(capsys, "inspect", path, "--json"))

    assert said.startswith("Tide tutor ")
    assert f"pack id    {pack_id(path)}" in said
    assert all(file["name"] in said for file in found["files"])
    assert found["pack_id"] == pack_id(path)


def test_inspecting_says_that_it_did_not_read_every_byte(capsys, packs):
    assert f"every byte: satchel verify {packs[0]}\n" in ran(capsys, "inspect", packs[0])


def test_a_files_text_is_printed_whole(capsys, tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    name = json.loads(ran(capsys, "inspect", path, "--json"))["files"][0]["name"]

    text = json.loads(ran(capsys, "inspect", path, "--text", name, "--json"))["text"]

    assert ran(capsys, "inspect", path, "--text", name).rstrip("\n") == text.rstrip("\n")
    assert main(["inspect", str(path), "--text", "none.md"]) == 39


def test_the_path_of_a_pack_cannot_steer_the_terminal(capsys, packs):
    hostile = packs[0].rename(packs[0].with_name("\x1b]0;evil\x07.pack"))

    assert "\\u001b]0;evil\\u0007.pack, " in ran(capsys, "inspect", hostile)


def test_a_pack_that_nobody_signed_is_called_so(capsys, packs):
    assert "unsigned" in ran(capsys, "inspect", packs[0])
