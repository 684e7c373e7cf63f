from __future__ import annotations

import os

import msgspec
import pytest
from helpers.packs import (
    TEXTS,
    contents_of,
    forge_pack,
    knowing_manifest,
    knowledge_entries,
    plain_entries,
    sign,
    write_knowing_pack,
    write_plain_pack,
)
from helpers.python_processes import run_python

from satchel.runtime.commands.inspect import EntryDescription, inspect, inspect_text
from satchel.runtime.packfile import names
from satchel.runtime.packfile.errors import DamagedPackError, NotAPackError, UnknownKnowledgeFileError
from satchel.runtime.packfile.opener import open_pack
from satchel.runtime.packfile.schema_v1 import ModelPreference, Signature, ToolUse
from satchel.runtime.packfile.writer import write_pack


def test_a_pack_that_knows_files_is_described(tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    told = inspect(path)
    with open_pack(path, verify=True) as pack:
        assert told.pack_id == pack.pack_id
        assert told.entries == tuple(EntryDescription(name, pack.location(name)[1]) for name in pack.names)
    assert (told.path, told.size, told.signature, told.format) == (path, path.stat().st_size, "unsigned", 1)
    assert (told.identity.name, told.persona.greeting) == ("Tide tutor", "Ahoy!")
    assert told.embedder is not None
    assert (told.embedder.name, told.embedder.dimension) == ("tiny", 8)
    assert [(file.name, file.passages, file.characters) for file in told.files] == [
        ("tides.md", 2, len(TEXTS["tides.md"])),
        ("häfen/emden.md", 2, len(TEXTS["häfen/emden.md"])),
    ]
    assert told.passages == 4
    assert all(file.source_included and file.language == "en" and not file.trusted for file in told.files)


def test_a_pack_without_knowledge_is_described(tmp_path):
    told = inspect(write_plain_pack(tmp_path / "a.pack"))
    assert (told.files, told.passages, told.embedder, told.analyser) == ((), 0, None, None)


def test_a_pack_exported_without_sources_says_so(tmp_path):
    entries = plain_entries() | knowledge_entries(sources=False)
    path = write_pack(tmp_path / "a.pack", knowing_manifest(), entries.items()).path
    assert not any(file.source_included for file in inspect(path).files)


def test_what_it_asks_for_is_said_in_plain_words(tmp_path):
    tools = (
        ToolUse(name="web", settings={}, requests=("net.fetch example.org", "net.search")),
        ToolUse(name="clock", settings={}, requests=()),
    )
    models = (
        ModelPreference(name="SmolLM2", family="llama", parameters="135M", sha256="", source="", minimum_context=2048),
    )
    told = inspect(write_plain_pack(tmp_path / "a.pack", tools=tools, models=models))
    assert told.models == models
    assert [(tool.name, tool.in_words) for tool in told.tools] == [
        ("web", ("read web pages from example.org", "search the web")),
        ("clock", ()),
    ]


def test_a_signature_is_not_called_good(tmp_path):
    path = sign(write_plain_pack(tmp_path / "a.pack"), Signature(algorithm="ed25519", key="a", signature="b"))
    assert inspect(path).signature == "unchecked"


def test_a_description_becomes_json(tmp_path):
    told = inspect(write_knowing_pack(tmp_path / "a.pack"))
    text = msgspec.json.encode(told, enc_hook=os.fspath)
    assert msgspec.json.decode(text)["files"][0]["name"] == "tides.md"


@pytest.mark.parametrize("file", TEXTS)
def test_the_text_of_a_file_is_told_whole(tmp_path, file):
    assert inspect_text(write_knowing_pack(tmp_path / "a.pack"), file) == TEXTS[file]


def test_the_text_of_files_that_lie_beyond_one_piece_is_told_whole(tmp_path):
    texts = {"a.md": "ü\n\n" * 400_000, "b.md": "€😀\n\n" * 200_000, "empty.md": "", "c.md": "end"}
    path = write_knowing_pack(tmp_path / "a.pack", texts)
    for name, text in texts.items():
        assert inspect_text(path, name) == text


def test_a_file_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path):
    with pytest.raises(UnknownKnowledgeFileError, match=r"has no knowledge file tide\.md; it has: tides\.md, häfen"):
        inspect_text(write_knowing_pack(tmp_path / "a.pack"), "tide.md")
    with pytest.raises(UnknownKnowledgeFileError, match="it has: none"):
        inspect_text(write_plain_pack(tmp_path / "b.pack"), "tide.md")


def test_text_that_was_tampered_with_is_not_told(tmp_path):
    path = write_knowing_pack(tmp_path / "a.pack")
    with open_pack(path, verify=False) as pack:
        offset = pack.location(names.TEXT)[0]
    content = bytearray(path.read_bytes())
    content[offset + 150] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedPackError, match=r"text\.utf8 does not match its checksum"):
        inspect_text(path, "tides.md")


def test_passages_of_files_that_do_not_exist_are_not_counted(tmp_path):
    contents = contents_of(write_knowing_pack(tmp_path / "a.pack"))
    spoiled = bytearray(contents[names.PASSAGES])
    spoiled[128:132] = b"\xff" * 4
    contents[names.PASSAGES] = bytes(spoiled)
    told = inspect(forge_pack(tmp_path / "b.pack", knowing_manifest(), contents))
    assert [file.passages for file in told.files] == [1, 2]


def test_what_is_no_pack_is_refused(tmp_path):
    (tmp_path / "a.pack").write_text("hello")
    with pytest.raises(NotAPackError):
        inspect(tmp_path / "a.pack")


def test_no_engine_is_imported(tmp_path):
    done = run_python(
        "import sys; from pathlib import Path; from satchel.runtime.commands.inspect import inspect, inspect_text\n"
        "inspect(Path(sys.argv[1])); inspect_text(Path(sys.argv[1]), 'tides.md')\n"
        "print({'torch', 'llama_cpp', 'sentence_transformers'} & set(sys.modules) or 'none')",
        str(write_knowing_pack(tmp_path / "a.pack")),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "none\n", "")
