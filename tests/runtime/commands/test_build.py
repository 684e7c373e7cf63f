"""`satchel build`: the same folder gives the same bytes, and the old pack stays until the new one is whole."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from pathlib import Path

import pytest
from helpers.harbour import CASES, FILE_NAMES, INSTRUCTIONS, TIDES, embedded_here
from helpers.packs import contents_of
from helpers.project_folders import write_files, write_project
from helpers.python_processes import run_python, start_python, wait_until

from satchel.runtime.commands.build import build_pack, default_destination
from satchel.runtime.errors import BusyError, CancelledError, SaveError
from satchel.runtime.packfile.lock import locked
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.paths import HOME_VARIABLE, Home
from satchel.runtime.project.errors import UnreadableFilesError

BUILD = "import sys; from satchel.runtime.cli.main import main; sys.exit(main(['build', *sys.argv[1:]]))"
# Writing more than this many bytes to one file fails, as on a full disk; the worker inherits it.
ON_A_FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)); " + BUILD


def copied_in_another_order(source: Path, target: Path) -> Path:
    for path in sorted((path for path in source.rglob("*") if path.is_file()), reverse=True):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return target


def test_a_pack_holds_the_project_and_its_files(harbour):
    entries = contents_of(harbour.pack)

    assert entries["instructions.md"].decode() == INSTRUCTIONS
    assert entries["evals/cases.jsonl"].decode() == CASES
    files = json.loads(entries["knowledge/files.json"])
    assert [file["name"] for file in files] == list(FILE_NAMES)
    assert [file["source"] for file in files] == [
        f"knowledge/sources/{number:04d}{Path(name).suffix}" for number, name in enumerate(FILE_NAMES, 1)
    ]
    for file in files:
        assert entries[file["source"]] == (harbour.folder / "knowledge" / file["name"]).read_bytes()
    assert b"satchel run THIS_FILE" in entries["README.txt"]


def test_an_assistant_without_files_or_with_broken_cases_is_built_and_told_of(tmp_path, home):
    folder = write_project(tmp_path / "tutor", files={"evals/cases.jsonl": '{"id": "a", "question": 3}'})

    without_files, broken = build_pack(folder, tmp_path / "a.pack", home).notes

    assert without_files.startswith("It has no knowledge files")
    assert "cases.jsonl: line 1, question: expected `str`, got `int`. Mend the line" in broken
    write_files(folder, {"evals/cases.jsonl": CASES, "knowledge/tides.md": TIDES})
    assert build_pack(folder, tmp_path / "a.pack", home).notes == ()


def test_another_machine_builds_the_same_bytes(harbour, tmp_path):
    """Nothing cached, another file order, hash seed, locale, time zone and umask."""
    folder = copied_in_another_order(harbour.folder, tmp_path / "harbour")
    other = {
        HOME_VARIABLE: str(tmp_path / "other"),
        "PYTHONHASHSEED": "12345",
        "LC_ALL": "C",
        "LANG": "tr_TR.UTF-8",
        "TZ": "Pacific/Kiritimati",
    }

    built = run_python(f"import os; os.umask(0o077); {BUILD}", str(folder), "--json", extra=other)

    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout)["pack_id"] == harbour.pack_id
    assert (tmp_path / "harbour.pack").read_bytes() == harbour.pack.read_bytes()


def test_built_again_nothing_is_read_and_the_bytes_stay(harbour):
    before = harbour.pack.read_bytes()
    stages: set[str] = set()

    again = build_pack(harbour.folder, None, harbour.home, progress=lambda stage, _done, _total: stages.add(stage))

    assert again.pack_id == harbour.pack_id
    assert harbour.pack.read_bytes() == before
    assert stages == {"writing the pack"}


def test_changed_instructions_embed_nothing(harbour_folder, stranger, harbour):
    shutil.copyfile(harbour.pack, harbour_folder.parent / "harbour.pack")
    write_files(harbour_folder, {"instructions.md": "Be kind."})

    built = build_pack(harbour_folder, None, stranger)

    assert built.pack_id != harbour.pack_id
    assert contents_of(Path(built.path))["instructions.md"] == b"Be kind."
    assert embedded_here(stranger) == 0


def test_vectors_of_another_assistants_pack_are_not_taken(harbour_folder, stranger, harbour):
    """It lies where the project's own pack would, but it is not this assistant's."""
    shutil.copyfile(harbour.pack, harbour_folder.parent / "harbour.pack")
    settings = (harbour_folder / "assistant.toml").read_text()
    (harbour_folder / "assistant.toml").write_text(settings.replace('id = "0d5f1a52', 'id = "1d5f1a52'))

    built = build_pack(harbour_folder, harbour_folder.parent / "new.pack", stranger)

    assert embedded_here(stranger) == built.passages


def test_a_linked_folder_gives_the_pack_a_copy_of_its_files(tmp_path, stranger):
    write_files(tmp_path, {"notes/deep/tides.md": TIDES})
    folder = write_project(tmp_path / "tutor", settings='[knowledge]\nlinks = ["../notes"]\n')

    build_pack(folder, None, stranger)

    entries = contents_of(tmp_path / "tutor.pack")
    assert json.loads(entries["knowledge/files.json"])[0]["name"] == "notes/deep/tides.md"
    assert entries["knowledge/sources/0001.md"].decode() == TIDES


def test_without_sources_a_pack_carries_the_text_and_not_the_files(harbour, tmp_path):
    built = build_pack(harbour.folder, tmp_path / "bare.pack", harbour.home, sources=False)

    entries = contents_of(tmp_path / "bare.pack")
    assert [name for name in entries if name.startswith("knowledge/sources/")] == []
    assert {file["source"] for file in json.loads(entries["knowledge/files.json"])} == {""}
    assert TIDES.strip().encode() in entries["knowledge/text.utf8"]
    assert [file.name for file in built.files] == list(FILE_NAMES)


def test_a_file_that_cannot_be_read_is_told_and_left_out(tmp_path, stranger):
    folder = write_project(tmp_path / "tutor", files={"knowledge/tides.md": TIDES, "knowledge/cut.pdf": "%PDF-1.4 cut"})

    built = build_pack(folder, None, stranger)

    (left_out,) = [file for file in built.files if file.problem]
    assert left_out.name == "cut.pdf"
    assert left_out.passages == 0
    entries = contents_of(Path(built.path))
    assert [name for name in entries if "sources" in name] == ["knowledge/sources/0001.md"]
    cut, _ = json.loads(entries["knowledge/files.json"])
    assert cut["problem"] == left_out.problem


def test_strict_refuses_it_by_name_and_writes_nothing(tmp_path, stranger):
    folder = write_project(tmp_path / "tutor", files={"knowledge/tides.md": TIDES, "knowledge/cut.pdf": "%PDF-1.4 cut"})

    with pytest.raises(UnreadableFilesError, match=r"1 of the knowledge files cannot be read: cut\.pdf: ") as raised:
        build_pack(folder, None, stranger, strict=True)

    assert raised.value.exit_code == 21
    assert not (tmp_path / "tutor.pack").exists()


def test_an_assistant_without_files_is_a_pack_without_knowledge(tmp_path, home):
    folder = write_project(tmp_path / "tutor", files={"instructions.md": "Be kind."})

    built = build_pack(folder, None, home)

    assert (built.files, built.passages) == ((), 0)
    assert sorted(contents_of(Path(built.path))) == ["README.txt", "instructions.md"]


@pytest.mark.parametrize(
    ("folder", "pack"),
    [("tutor", "tutor.pack"), ("a/tutor/", "a/tutor.pack"), ("a/../tutor", "tutor.pack"), ("v1.2", "v1.2.pack")],
)
def test_the_default_place_is_beside_the_folder_under_its_name(tmp_path, folder, pack):
    assert default_destination(tmp_path / folder) == tmp_path / pack


def test_the_folder_may_be_where_one_stands(tmp_path, monkeypatch, home):
    folder = write_project(tmp_path / "tutor")
    (folder / "knowledge").mkdir()
    monkeypatch.chdir(folder / "knowledge")

    assert build_pack(Path(".."), None, home).path == str(tmp_path / "tutor.pack")


def test_cancelled_it_leaves_the_old_pack(harbour_folder, harbour):
    pack = harbour_folder.parent / "harbour.pack"
    pack.write_bytes(b"old")
    write_files(harbour_folder, {"instructions.md": "new"})

    def cancel(stage: str, _done: int, _total: int | None) -> None:
        if stage == "writing the pack":
            raise CancelledError

    with pytest.raises(CancelledError):
        build_pack(harbour_folder, None, harbour.home, progress=cancel)

    assert pack.read_bytes() == b"old"
    assert [path.name for path in pack.parent.iterdir() if path.name.endswith(".partial")] == []


def test_ctrl_c_leaves_the_old_pack_and_says_what_is_kept(tmp_path, stranger):
    sentences = "".join(f"Boat number {number} lies at pier {number % 7}.\n\n" for number in range(4000))
    folder = write_project(
        tmp_path / "tutor",
        settings="[retrieval]\npassage_tokens = 16\n",
        files={"knowledge/boats.txt": sentences},
    )
    (tmp_path / "tutor.pack").write_bytes(b"old")
    build = start_python(BUILD, str(folder), "--json", extra={HOME_VARIABLE: str(stranger.data.parent)})
    wait_until(lambda: embedded_here(stranger) > 0 or build.poll() is not None)

    build.send_signal(signal.SIGINT)
    said, told = build.communicate(timeout=30)

    assert build.returncode == 130
    assert json.loads(said)["error"]["code"] == "cancelled"
    assert "what was done is kept" in told
    assert (tmp_path / "tutor.pack").read_bytes() == b"old"
    assert embedded_here(stranger) > 0


def test_a_full_disk_is_told_and_the_old_pack_stays(harbour, tmp_path):
    folder = Path(shutil.copytree(harbour.folder, tmp_path / "harbour"))
    (tmp_path / "harbour.pack").write_bytes(b"old")

    built = run_python(ON_A_FULL_DISK, str(folder), "--json", extra={HOME_VARIABLE: str(harbour.home.data.parent)})

    error = json.loads(built.stdout)["error"]
    assert (error["code"], error["exit_code"]) == ("save", SaveError.exit_code)
    assert str(tmp_path / "harbour.pack") in error["message"]
    assert built.returncode == SaveError.exit_code
    assert (tmp_path / "harbour.pack").read_bytes() == b"old"


def test_while_another_process_writes_the_same_pack_it_is_busy(harbour, tmp_path):
    with locked(tmp_path / "a.pack"), pytest.raises(BusyError, match=r"writing .*a\.pack"):
        build_pack(harbour.folder, tmp_path / "a.pack", harbour.home)


def test_two_builds_at_once_end_in_one_sound_pack(harbour_folder, stranger):
    ended: list[BaseException | str] = []

    def build() -> None:
        try:
            ended.append(build_pack(harbour_folder, None, stranger).pack_id)
        except BusyError as error:
            ended.append(error)

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    (pack_id,) = {end for end in ended if isinstance(end, str)}
    assert len(ended) == 2
    with open_pack(harbour_folder.parent / "harbour.pack", verify=True) as pack:
        assert pack.pack_id == pack_id


def test_a_killed_build_leaves_the_old_pack_and_the_next_one_goes_on(harbour, tmp_path, stranger):
    folder = Path(shutil.copytree(harbour.folder, tmp_path / "harbour"))
    (tmp_path / "harbour.pack").write_bytes(b"old")
    build = start_python(BUILD, str(folder), extra={HOME_VARIABLE: str(stranger.data.parent)})
    wait_until(lambda: any((stranger.cache / "texts").rglob("*.msgpack")) or build.poll() is not None)
    build.kill()
    build.communicate(timeout=30)
    assert (tmp_path / "harbour.pack").read_bytes() in {b"old", harbour.pack.read_bytes()}

    assert build_pack(folder, None, stranger).pack_id == harbour.pack_id


def test_home_and_folder_may_be_linked(harbour, tmp_path):
    (tmp_path / "linked").symlink_to(harbour.folder)
    (tmp_path / "home").symlink_to(harbour.home.data.parent)
    home = Home(tmp_path / "home" / "data", tmp_path / "home" / "cache", tmp_path / "home" / "settings")

    assert build_pack(tmp_path / "linked", None, home).path == str(tmp_path / "linked.pack")
