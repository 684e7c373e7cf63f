"""`satchel index`: what was read and embedded once is not read and embedded again."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.documents import write_pdf, write_scanned_pdf
from helpers.harbour import FILE_NAMES, GATE, TIDES, embedded_here
from helpers.project_folders import write_files, write_project

from satchel.runtime.commands.index import index_project
from satchel.runtime.errors import CancelledError, SaveError
from satchel.runtime.knowledge.documents import ExtractedText
from satchel.runtime.knowledge.embedders.errors import EmbedderMissingError
from satchel.runtime.knowledge.text_cache import FileHashes, TextCache
from satchel.runtime.packfile.lock import locked
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.progress import Progress
from satchel.runtime.project.errors import LinkedFolderMissingError, NoProjectError
from satchel.runtime.project.outcomes import ProjectIndex


def text_of(index: ProjectIndex) -> str:
    with open_pack(Path(index.path), verify=True) as pack:
        return pack.read("knowledge/text.utf8").decode()


def problems(index: ProjectIndex) -> dict[str, str]:
    return {file.name: file.problem for file in index.files if file.problem}


def cancelling(when: Callable[[str, int], bool]) -> Progress:
    def step(stage: str, done: int, _total: int | None) -> None:
        if when(stage, done):
            raise CancelledError

    return step


def test_every_file_is_there_with_what_is_known_of_it(harbour):
    index = index_project(harbour.folder, harbour.home)

    assert [file.name for file in index.files] == list(FILE_NAMES)
    by_name = {file.name: file for file in index.files}
    assert by_name["handbook.pdf"].pages == 3
    assert by_name["handbook.pdf"].media_type == "application/pdf"
    assert {file.language for file in index.files} == {"en", ""}  # numbers and names are in no language
    assert all(file.passages and file.characters for file in index.files)
    assert index.passages == sum(file.passages for file in index.files)
    assert index.embedder == "all-MiniLM-L6-v2"
    assert index.notes == ()


def test_the_second_time_it_is_fresh_and_nothing_is_done(harbour_folder, stranger):
    first = index_project(harbour_folder, stranger)
    stages: list[str] = []

    again = index_project(harbour_folder, stranger, progress=lambda stage, _done, _total: stages.append(stage))

    assert (first.fresh, again.fresh) == (False, True)
    assert again.path == first.path
    assert [stage for stage in stages if stage.startswith(("reading", "embedding", "writing"))] == []


def test_of_a_changed_project_only_what_is_new_is_read_and_embedded(harbour_folder, stranger):
    index_project(harbour_folder, stranger)
    before = embedded_here(stranger)
    write_files(harbour_folder, {"knowledge/gate.txt": GATE.replace("3.2", "2.9")})
    (harbour_folder / "knowledge" / "tides.md").rename(harbour_folder / "knowledge" / "moon.md")
    (harbour_folder / "knowledge" / "fees.csv").unlink()
    stages: list[str] = []

    changed = index_project(harbour_folder, stranger, progress=lambda stage, _done, _total: stages.append(stage))

    assert not changed.fresh
    assert [file.name for file in changed.files] == ["gate.txt", "handbook.pdf", "moon.md", "rules.docx"]
    assert embedded_here(stranger) == before + 1
    assert {stage for stage in stages if stage.startswith("reading")} == {"reading gate.txt"}
    assert "2.9 metres" in text_of(changed)
    assert "3.2 metres" not in text_of(changed)


def test_rebuild_trusts_no_cache(tmp_path, stranger):
    folder = write_project(tmp_path / "tutor", files={"knowledge/gate.txt": GATE})
    sha256 = FileHashes(tmp_path / "none.json").sha256(folder / "knowledge" / "gate.txt")
    texts = TextCache(stranger.cache / "texts")
    texts.put(sha256, ".txt", ExtractedText("text/plain", "Something else entirely."))
    assert text_of(index_project(folder, stranger)) == "Something else entirely."

    rebuilt = index_project(folder, stranger, rebuild=True)

    assert not rebuilt.fresh
    assert text_of(rebuilt).strip() == GATE.strip()
    assert texts.get(sha256, ".txt") != ExtractedText("text/plain", "Something else entirely.")


def test_files_that_cannot_be_read_are_left_out_with_their_reasons_and_stop_nothing(tmp_path, stranger):
    folder = write_project(tmp_path / "tutor", files={"knowledge/tides.md": TIDES, "knowledge/empty.txt": ""})
    knowledge = folder / "knowledge"
    write_pdf(knowledge / "locked.pdf", [["Secret."]], password="x")
    write_scanned_pdf(knowledge / "scan.pdf", 2)
    (knowledge / "cut.docx").write_bytes(b"PK\3\4 not whole")
    (knowledge / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))

    index = index_project(folder, stranger)

    told = problems(index)
    assert sorted(told) == ["cut.docx", "empty.txt", "locked.pdf", "picture.png", "scan.pdf"]
    assert "encrypted" in told["locked.pdf"]
    assert "no text, only pictures (on 2 of 2 pages)" in told["scan.pdf"]
    assert "empty" in told["empty.txt"]
    assert all(name in reason for name, reason in told.items())
    assert {file.name for file in index.files if file.passages} == {"tides.md"}
    assert index_project(folder, stranger).fresh


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_opened_is_left_out_with_its_reason(harbour_folder, stranger):
    (harbour_folder / "knowledge" / "gate.txt").chmod(0)

    assert problems(index_project(harbour_folder, stranger)) == {"gate.txt": "it cannot be opened: permission denied"}


def test_a_project_of_unreadable_files_alone_is_an_empty_index(tmp_path, stranger):
    folder = write_project(tmp_path / "tutor", files={"knowledge/empty.txt": ""})

    index = index_project(folder, stranger)

    assert index.passages == 0
    assert list(problems(index)) == ["empty.txt"]
    assert text_of(index) == ""


def test_a_project_without_files_has_no_index(tmp_path, stranger):
    index = index_project(write_project(tmp_path / "tutor"), stranger)

    assert (index.path, index.files, index.passages, index.fresh) == ("", (), 0, True)


def test_a_linked_folder_is_read_where_it_is_and_its_changes_are_seen(tmp_path, stranger):
    write_files(tmp_path, {"notes/tides.md": TIDES, "notes/deep/gate.txt": GATE})
    folder = write_project(tmp_path / "tutor", settings='[knowledge]\nlinks = ["../notes"]\n')
    first = index_project(folder, stranger)
    assert [file.name for file in first.files] == ["notes/deep/gate.txt", "notes/tides.md"]
    write_files(tmp_path, {"notes/deep/gate.txt": GATE.replace("3.2", "2.9")})

    changed = index_project(folder, stranger)

    assert not changed.fresh
    assert "2.9 metres" in text_of(changed)


def test_a_linked_folder_that_is_gone_is_named(tmp_path, stranger):
    folder = write_project(tmp_path / "tutor", settings='[knowledge]\nlinks = ["../notes"]\n')

    with pytest.raises(LinkedFolderMissingError, match="notes is not there any more"):
        index_project(folder, stranger)


def test_cancelled_while_embedding_it_keeps_what_is_done(tmp_path, stranger):
    sentences = "".join(f"Boat number {number} lies at pier {number % 7}.\n\n" for number in range(500))
    folder = write_project(
        tmp_path / "tutor",
        settings="[retrieval]\npassage_tokens = 16\noverlap_tokens = 0\n",
        files={"knowledge/boats.txt": sentences},
    )
    with pytest.raises(CancelledError):
        index_project(folder, stranger, progress=cancelling(lambda stage, done: "embed" in stage and done > 256))
    kept = embedded_here(stranger)

    index = index_project(folder, stranger)

    assert 0 < kept < index.passages
    assert embedded_here(stranger) == index.passages


def test_cancelled_while_reading_it_leaves_no_index_and_no_file_behind(harbour_folder, stranger):
    with pytest.raises(CancelledError):
        index_project(harbour_folder, stranger, progress=cancelling(lambda stage, _: stage == "reading handbook.pdf"))

    left = [path.name for path in stranger.cache.rglob("*") if path.suffix in {".pack", ".partial"}]
    assert left == []


def test_a_damaged_index_is_made_again(harbour_folder, harbour):
    path = Path(index_project(harbour_folder, harbour.home).path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    again = index_project(harbour_folder, harbour.home)

    assert not again.fresh
    assert path.read_bytes() == whole


def test_a_second_process_waits_for_the_first_and_finds_its_work_done(harbour_folder, harbour):
    waiting = threading.Event()
    found: list[ProjectIndex] = []

    def note(stage: str, _done: int, _total: int | None) -> None:
        if stage == "waiting for another Satchel process":
            waiting.set()

    path = Path(index_project(harbour_folder, harbour.home).path)
    whole = path.read_bytes()
    path.unlink()
    thread = threading.Thread(target=lambda: found.append(index_project(harbour_folder, harbour.home, progress=note)))
    with locked(path.parent / "index"):
        thread.start()
        assert waiting.wait(30)
        path.write_bytes(whole)  # as the one that holds the lock would
        before = path.stat()
    thread.join(30)

    assert found[0].path == str(path)
    assert path.stat() == before or path.read_bytes() == whole
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_names_that_are_no_text_are_read_all_the_same(tmp_path, stranger):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    write_project(folder, files={"knowledge/tides.md": TIDES})
    shutil.copy(folder / "knowledge" / "tides.md", os.fsdecode(os.fsencode(folder) + b"/knowledge/t\xe9.md"))

    index = index_project(folder, stranger)

    assert [file.name for file in index.files] == ["tides.md", "t\ufffd.md"]
    assert all(file.passages for file in index.files)


def test_languages_that_the_embedder_does_not_speak_are_noted(tmp_path, stranger):
    german = "Der Hafen wird bei Sturmflut geschlossen. Die Schleuse bedient Frau Janssen jeden Morgen um acht Uhr."
    folder = write_project(tmp_path / "tutor", files={"knowledge/hafen.md": german, "knowledge/tides.md": TIDES})

    (note,) = index_project(folder, stranger).notes

    assert "all-MiniLM-L6-v2 was not made for German" in note
    assert 'embedder = "multilingual"' in note


def test_an_embedder_that_is_not_here_is_named(tmp_path, stranger):
    folder = write_project(
        tmp_path / "tutor", settings='[knowledge]\nembedder = "nobody/nothing"\n', files={"knowledge/tides.md": TIDES}
    )

    with pytest.raises(EmbedderMissingError, match="nobody/nothing"):
        index_project(folder, stranger)


def test_what_is_no_project_is_named(tmp_path, home):
    with pytest.raises(NoProjectError, match=f"{tmp_path} is no assistant's folder"):
        index_project(tmp_path, home)


def test_a_cache_that_cannot_be_written_is_told(harbour_folder, stranger):
    (stranger.cache / "indexes").write_text("a file where a folder should be")

    with pytest.raises(SaveError, match="indexes"):
        index_project(harbour_folder, stranger)


def test_files_made_in_another_order_give_the_same_index(tmp_path, harbour, stranger):
    turned = tmp_path / "turned"
    for path in sorted((path for path in harbour.folder.rglob("*") if path.is_file()), reverse=True):
        target = turned / path.relative_to(harbour.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())

    expected = Path(index_project(harbour.folder, harbour.home).path).read_bytes()
    assert Path(index_project(turned, stranger).path).read_bytes() == expected
