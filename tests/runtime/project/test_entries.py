"""What goes into a pack beside the knowledge arrays."""

from __future__ import annotations

from pathlib import Path

from helpers.project_folders import write_project

from satchel.runtime.packfile.schema_v1 import KnowledgeFile
from satchel.runtime.project.entries import name_sources, project_entries
from satchel.runtime.project.folder import load_project


def known(name: str, size: int = 3) -> KnowledgeFile:
    return KnowledgeFile(
        name=name,
        media_type="text/plain",
        sha256="a" * 64,
        size=size,
        source="",
        bytes=size,
        characters=size,
        pages=0,
        language="en",
        trusted=False,
        public=False,
        problem="",
    )


def entries_of(folder: Path) -> dict[str, bytes]:
    return {
        name: content if isinstance(content, bytes) else content.read_bytes()
        for name, content in project_entries(load_project(folder))
    }


def test_parts_that_a_project_does_not_have_are_absent(tmp_path):
    folder = write_project(tmp_path / "tutor", files={"instructions.md": " \n", "evals/cases.jsonl": ""})

    assert list(entries_of(folder)) == ["README.txt"]


def test_every_part_has_its_place(tmp_path):
    files = {
        "instructions.md": "Be kind.\r\n",
        "examples.jsonl": '{"answer": "b", "question": "a"}\n\n',
        "avatar.png": b"\x89PNG",
        "mcp.json": "{}",
        "evals/cases.jsonl": '{"id": "x"}',
        "actions/weather.openapi.json": "{}",
        "actions/notes.txt": "no action",
        "notes.txt": "no part",
    }

    entries = entries_of(write_project(tmp_path / "tutor", files=files))

    assert sorted(entries) == [
        *("README.txt", "actions/weather.openapi.json", "avatar.png", "evals/cases.jsonl", "examples.jsonl"),
        *("instructions.md", "mcp.json"),
    ]
    assert entries["instructions.md"] == b"Be kind.\n"
    assert entries["examples.jsonl"] == b'{"question":"a","answer":"b"}\n'


def test_sources_are_numbered_in_the_order_of_the_files_with_their_suffix():
    files = [known("A.PDF"), known("empty.txt", 0), known("kept.md"), known("noext"), known("odd.täil")]
    paths = {file.name: Path("/x") / file.name for file in files if file.name != "kept.md"}

    named, entries = name_sources(files, paths)

    assert [file.source for file in named] == [
        *("knowledge/sources/0001.pdf", "", "", "knowledge/sources/0002", "knowledge/sources/0003")
    ]
    assert entries == [
        ("knowledge/sources/0001.pdf", Path("/x/A.PDF")),
        ("knowledge/sources/0002", Path("/x/noext")),
        ("knowledge/sources/0003", Path("/x/odd.täil")),
    ]
