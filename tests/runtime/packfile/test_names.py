from __future__ import annotations

import pytest

from satchel.runtime.packfile import names
from satchel.runtime.packfile.names import collision_key, entry_name_problem, knowledge_name_problem


@pytest.mark.parametrize(
    "name",
    [
        *("README.txt", "instructions.md", "examples.jsonl", "avatar.png", "mcp.json", "evals/cases.jsonl"),
        *(names.FILES, names.TEXT, names.PAGES, names.VECTORS_HIGH, names.BM25_COUNTS),
        *("knowledge/sources/0001.pdf", "knowledge/sources/9999", "knowledge/sources/10000.md"),
        *("actions/weather.openapi.json", "actions/Wetter für München.openapi.json"),
    ],
)
def test_the_entries_of_format_1_are_allowed(name):
    assert entry_name_problem(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        *("", "mimetype", "manifest.json", "signature.json", "model.gguf", "instructions.MD", "run.py", "weights.pkl"),
        *("knowledge/sources/0000.pdf", "knowledge/sources/1.pdf", "knowledge/sources/00001.pdf"),
        *("knowledge/sources/0001.PDF", "knowledge/sources/0001.pdf/x", "knowledge/sources/0001.tar.gz"),
        *("actions/x.json", "actions/a/b.openapi.json", "actions/.openapi.json/../x.openapi.json"),
        *("actions/..\\x.openapi.json", "actions/a\x00.openapi.json", "actions/a\u202e.openapi.json"),
        *("actions/con.openapi.json", "actions/LPT1.openapi.json", "actions/a:b.openapi.json", "/README.txt"),
        *("actions/u\u0308.openapi.json", "actions/a\ud800.openapi.json", "./README.txt", "knowledge//text.utf8"),
        f"actions/{'x' * 240}.openapi.json",
    ],
)
def test_any_other_entry_is_refused(name):
    assert entry_name_problem(name)


@pytest.mark.parametrize(
    "name", ["a.pdf", "Kapitel 1/Gezeiten: was ist das?.md", "con.txt", "مد.txt", "😀.md", "...md"]
)
def test_a_knowledge_file_keeps_its_name(name):
    assert knowledge_name_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../a.md", "empty, `.` or `..` part"),
        ("a/../b.md", "empty, `.` or `..` part"),
        ("a//b.md", "empty, `.` or `..` part"),
        ("a/", "empty, `.` or `..` part"),
        ("", "empty, `.` or `..` part"),
        ("/etc/passwd", "no relative path"),
        ("C:a.md", "no relative path"),
        ("a\\b.md", "no relative path"),
        ("a\n.md", "control"),
        ("a\u202eexe.md", "direction-changing"),
        ("u\u0308.md", "composed form"),
        ("ü" * 600, "longer than 1024 bytes"),
    ],
)
def test_a_knowledge_name_that_is_unsafe_to_show_or_unpack_is_refused(name, reason):
    assert reason in knowledge_name_problem(name)


@pytest.mark.parametrize(("one", "other"), [("A.md", "a.md"), ("Straße", "STRASSE"), ("É", "é"), ("a", "a")])
def test_names_that_some_file_system_takes_for_one_another_share_a_key(one, other):
    assert collision_key(one) == collision_key(other)


def test_different_names_have_different_keys():
    assert collision_key("a.md") != collision_key("b.md")
