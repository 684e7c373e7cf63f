"""A project with scanned files, from the first index to what is said of a passage that was read from a picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.harbour import Harbour
from helpers.project_folders import write_project
from helpers.scans import draw_page, needs_ocr, write_scan

from satchel.runtime.cli.main import main
from satchel.runtime.commands.build import build_pack
from satchel.runtime.commands.index import have_pictures_read, index_project
from satchel.runtime.commands.inspect import inspect
from satchel.runtime.commands.search import search
from satchel.runtime.commands.unpack import unpack
from satchel.runtime.errors import MissingExtraError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.paths import Home
from satchel.runtime.project.folder import load_project

GATE = "The flood gate closes at a water level of 3.2 metres. The lock keeper is called Wilma Janssen."
FUEL = "Diesel is sold at the eastern pier between nine and five. Smoking is forbidden there on all days."
QUESTION = "Who is the lock keeper?"


def write_archive(folder: Path, settings: str = "") -> Path:
    """Make a project with a file of a typed and a scanned page."""
    write_project(folder, settings=settings, files={"knowledge/readme.txt": "The archive of the harbour."})
    write_scan(folder / "knowledge" / "archive.pdf", [FUEL, draw_page([GATE]).picture])
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, harbour: Harbour) -> tuple[Path, Path, Home]:
    """The project's folder, its pack, and the home that knows both."""
    home = harbour.home
    folder = write_archive(tmp_path_factory.mktemp("scans") / "archive", "[knowledge]\nread_pictures = true\n")
    index_project(folder, home)
    built = build_pack(folder, folder.with_suffix(".pack"), home)
    return folder, Path(built.path), home


def test_pictures_are_not_read_unless_that_is_asked_for(tmp_path, stranger):
    index = index_project(write_archive(tmp_path / "archive"), stranger)

    (scan,) = [file for file in index.files if file.name == "archive.pdf"]
    assert (scan.pages, scan.picture_pages) == (2, 0)
    assert "read_pictures = true under [knowledge] in assistant.toml" in scan.problem


def test_without_the_extra_nothing_is_set_and_the_command_is_told(tmp_path, monkeypatch):
    folder = write_archive(tmp_path / "archive")
    monkeypatch.setattr("satchel.runtime.knowledge.recognition.recogniser.recogniser_version", lambda: "")

    with pytest.raises(MissingExtraError, match="needs the extra `ocr`") as caught:
        have_pictures_read(folder)

    assert caught.value.advice == "In the checkout run: pip install '.[ocr]'"
    assert load_project(folder).assistant.knowledge.read_pictures is False


@needs_ocr
def test_the_option_is_kept_in_the_settings_and_read_pages_are_counted(tmp_path, stranger, capsys, monkeypatch):
    folder = write_archive(tmp_path / "archive")
    index_project(folder, stranger)
    monkeypatch.setenv("SATCHEL_HOME", str(stranger.data.parent))

    assert main(["index", str(folder), "--read-pictures"]) == 0

    said = capsys.readouterr()
    assert "  archive.pdf: 2 pages, 1 of them read from pictures, 1 passage, en" in said.out.splitlines()
    assert said.err == "note: assistant.toml now says read_pictures = true under [knowledge].\n"
    assert load_project(folder).assistant.knowledge.read_pictures is True
    assert not have_pictures_read(folder)


@needs_ocr
def test_one_file_can_be_named(tmp_path, stranger):
    folder = write_archive(tmp_path / "archive", '[knowledge]\nread_pictures = ["other.pdf"]\n')

    (scan,) = [file for file in index_project(folder, stranger).files if file.name == "archive.pdf"]

    assert scan.picture_pages == 0


@needs_ocr
def test_passages_and_quotations_of_a_picture_are_marked_with_their_page(archive, capsys, monkeypatch):
    folder, _, home = archive

    found = search(str(folder), QUESTION, home, why=True)

    assert [passage.picture_pages for passage in found.passages if "Janssen" in passage.text] == [(2,)]
    assert {file.file: file.from_picture for file in found.files}["archive.pdf"]
    monkeypatch.setenv("SATCHEL_HOME", str(home.data.parent))
    assert main(["search", str(folder), QUESTION, "--why"]) == 0
    said = capsys.readouterr().out
    assert "archive.pdf, p. " in said
    assert " (read from a picture)  characters " in said
    assert ", read from a picture)" in said.splitlines()[-2] + said.splitlines()[-1]
    assert main(["run", str(folder), QUESTION, "--no-history", "--model", "reader"]) == 0
    assert "archive.pdf, p. 2 (read from a picture)" in capsys.readouterr().out


@needs_ocr
def test_a_pack_says_which_pages_were_read_and_a_project_made_of_it_reads_them_again(archive, tmp_path, capsys):
    _, pack, home = archive

    assert {file.name: file.picture_pages for file in inspect(pack).files} == {"archive.pdf": 1, "readme.txt": 0}
    assert main(["inspect", str(pack)]) == 0
    assert "archive.pdf: 2 pages, 1 of them read from pictures, " in capsys.readouterr().out
    again = unpack(pack, tmp_path / "archive").folder
    assert load_project(again).assistant.knowledge.read_pictures == ["archive.pdf"]
    rebuilt = build_pack(again, tmp_path / "again.pack", home)
    with open_pack(pack, verify=True) as first, open_pack(Path(rebuilt.path), verify=True) as second:
        for name in ("knowledge/files.json", "knowledge/text.utf8", "knowledge/pages.npy"):
            assert first.read(name) == second.read(name)


@needs_ocr
def test_the_text_of_a_pack_without_sources_stays_marked(archive, tmp_path):
    folder, _, home = archive
    bare = build_pack(folder, tmp_path / "bare.pack", home, sources=False)

    again = unpack(Path(bare.path), tmp_path / "archive").folder

    (scan,) = [file for file in index_project(again, home).files if file.name == "archive.pdf"]
    assert (scan.picture_pages, scan.pages) == (1, 2)
