"""`assistant.toml`: what it may say, and that every mistake is told with its place."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec
import pytest
from helpers.project_folders import ASSISTANT_ID, SETTINGS
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.errors import SatchelError
from satchel.runtime.packfile.schema_v1 import Identity
from satchel.runtime.project.errors import NewerProjectError, ProjectFormatError
from satchel.runtime.project.schema import Assistant, new_id, parse_assistant, split_place

PATH = Path("tutor/assistant.toml")


def parse(text: str) -> Assistant:
    return parse_assistant(SETTINGS + text, PATH)


def test_three_keys_are_enough_and_the_rest_has_defaults():
    assistant = parse("")

    assert (assistant.name, assistant.id, assistant.version) == ("Tide tutor", ASSISTANT_ID, "1.0.0")
    assert (assistant.retrieval.k, assistant.retrieval.gate, assistant.sampling.seed) == (6, "auto", None)


def test_every_key_can_be_set():
    assistant = parse(
        """
version = "2.1"
author = "Ada"
description = "Knows\\ntides."
greeting = "Hello"
starters = ["When?"]
attribution = "CC BY"
examples = 2

[retrieval]
passage_tokens = 128
overlap_tokens = 16
k = 3
gate = 0.25
rerank = true

[sampling]
temperature = 1
top_p = 0.5
top_k = 0
min_p = 0
repeat_penalty = 1
max_tokens = 64
seed = 4294967295

[knowledge]
links = ["../notes"]
embedder = "multilingual"
trusted = ["a.md"]
public = true
languages = ["a.md: de"]
from_pack = ["b.pdf"]

[[models]]
name = "Qwen3 4B"
family = "qwen3"
parameters = "4B"
sha256 = "00000000000000000000000000000000000000000000000000000000000000ff"
source = "hub"
minimum_context = 4096

[adapter]
sha256 = "11111111111111111111111111111111111111111111111111111111111111ff"
source = "here"

[tools.fetch]
settings = { hosts = ["example.org"], limit = 3, deep = false, agent = "me" }
requests = ["net.fetch example.org"]
"""
    )

    assert assistant.retrieval.gate == 0.25
    assert assistant.sampling.seed == 2**32 - 1
    assert assistant.models[0].minimum_context == 4096
    assert assistant.tools["fetch"].settings == {"hosts": ["example.org"], "limit": 3, "deep": False, "agent": "me"}


MISTAKES = {
    'colour = "red"': ("top level", "there is no key `colour`"),
    '"a - at b" = 1': ("top level", "there is no key `a - at b`"),
    "[retrieval]\nks = 3": ("retrieval", "there is no key `ks`"),
    "[retrieval]\nk = '6'": ("retrieval.k", "expected `int`, got `str`"),
    "[retrieval]\nk = 0": ("retrieval.k", "expected `int` >= 1"),
    "[retrieval]\nk = 6.5": ("retrieval.k", "expected `int`, got `float`"),
    "[retrieval]\nk = true": ("retrieval.k", "expected `int`, got `bool`"),
    "[retrieval]\ngate = 'on'": ("retrieval.gate", "invalid enum value 'on'"),
    "[retrieval]\ngate = 1.5": ("retrieval.gate", "expected `float` <= 1.0"),
    "[retrieval]\ngate = nan": ("retrieval.gate", "expected `float` >= 0.0"),
    "[retrieval]\npassage_tokens = 40\noverlap_tokens = 32": (
        "retrieval.overlap_tokens",
        "32 is more than half of passage_tokens (40)",
    ),
    "[sampling]\ntemperature = -1": ("sampling.temperature", "expected `float` >= 0.0"),
    "[sampling]\ntemperature = nan": ("sampling.temperature", "expected `float` >= 0.0"),
    "[sampling]\ntemperature = inf": ("sampling.temperature", "expected `float` <= 5.0"),
    "[sampling]\nseed = 4294967296": ("sampling.seed", "expected `int` <= 4294967295"),
    "[sampling]\nseed = 99999999999999999999999999": ("sampling.seed", "expected `int` <= 4294967295"),
    "[knowledge]\nlinks = '../notes'": ("knowledge.links", "expected `array`, got `str`"),
    "[knowledge]\nlinks = ['a', 3]": ("knowledge.links[1]", "expected `str`, got `int`"),
    "[knowledge]\nlinks = ['a', '']": ("knowledge.links[1]", "expected `str` of length >= 1"),
    '[knowledge]\nlinks = ["a\\u0000"]': ("knowledge.links[0]", "it has control characters"),
    "[knowledge]\ntrusted = 3": ("knowledge.trusted", "expected `bool | array`, got `int`"),
    "starters = ['a', 7]": ("starters[1]", "expected `str`, got `int`"),
    f"starters = {['q'] * 13}": ("starters", "expected `array` of length <= 12"),
    "version = ''": ("version", "expected `str` of length >= 1"),
    "version = 1979-05-27": ("version", "expected `str`, got `date`"),
    'author = "a\\nb"': ("author", "it has line breaks, control or direction-changing characters"),
    'author = "a\\u202Eb"': ("author", "it has line breaks, control or direction-changing characters"),
    'greeting = "a\\u001B[2Jb"': ("greeting", "it has control characters"),
    "retrieval = 3": ("retrieval", "expected `object`, got `int`"),
    "[[models]]\nfamily = 'qwen'": ("models[0]", "the key `name` is missing"),
    "[[models]]\nname = 'a'\n[[models]]\nname = 'b'\nsha256 = 'xyz'": (
        "models[1].sha256",
        "it is no SHA-256 of 64 hexadecimal digits in small letters",
    ),
    "[adapter]\nsource = 'x'": ("adapter", "the key `sha256` is missing"),
    "[tools.web.settings]\nlimit = 1.5": (
        "tools.web.settings.limit",
        "expected `bool | int | str | array`, got `float`",
    ),
    "[tools.web.settings]\nlimit = 9007199254740993": (
        "tools.web.settings.limit",
        "expected `int` <= 9007199254740992",
    ),
    "[tools.web]\nrequests = []\n[tools.'a b']\nhosts = []": ("tools.a b", "there is no key `hosts`"),
    "[tools.web.settings]\n'' = 1": ("a name in tools.web.settings", "expected `str` of length >= 1"),
    '[tools."a\\nb"]': ("a name in tools", "it has line breaks, control or direction-changing characters"),
    "[tools.web]\nrequests = ['x', \"a\\nb\"]": (
        "tools.web.requests[1]",
        "it has line breaks, control or direction-changing characters",
    ),
    "[tools]\nweb = 3": ("tools.web", "expected `object`, got `int`"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_names_its_file_its_key_and_what_is_wrong(text):
    where, reason = MISTAKES[text]

    with pytest.raises(ProjectFormatError) as raised:
        parse(text)

    assert raised.value.message == f"tutor/assistant.toml: {where}: {reason}."
    assert raised.value.exit_code == 11


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("", "top level", "the key `id` is missing"),
        (f'id = "{ASSISTANT_ID}"', "top level", "the key `name` is missing"),
        (f'id = "{ASSISTANT_ID}"\nname = ""', "name", "expected `str` of length >= 1"),
        (f'id = "{ASSISTANT_ID}"\nname = "{"x" * 101}"', "name", "expected `str` of length <= 100"),
        (
            'id = "tutor"\nname = "x"',
            "id",
            "it is no id of 8-4-4-4-12 hexadecimal digits in small letters",
        ),
        (
            f'id = """{ASSISTANT_ID}\n"""\nname = "x"',
            "id",
            "it is no id of 8-4-4-4-12 hexadecimal digits in small letters",
        ),
        ("format = 0", "format", "expected `int` >= 1"),
        ("format = '1'", "format", "expected `int`, got `str`"),
        ("format = true", "format", "expected `int`, got `bool`"),
    ],
)
def test_a_mistake_in_a_necessary_key_is_named(text, where, reason):
    with pytest.raises(ProjectFormatError) as raised:
        parse_assistant(text, PATH)

    assert raised.value.fields["where"] == where
    assert raised.value.fields["reason"] == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name\n", "at line 1"),
        ("name = 'x'\nname = 'y'\n", "at line 2"),
        ("x = " + "[" * 20_000, "nested too deeply"),
        ("x = " + "1" * 5_000, "a number in it is too long"),
        ("x = 1979-13-45", "at line 1"),
        ("\0", "at line 1"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text, reason):
    with pytest.raises(ProjectFormatError, match="not TOML") as raised:
        parse_assistant(text, PATH)

    assert reason in raised.value.message


def test_a_file_of_a_newer_satchel_says_so_and_not_that_its_keys_are_wrong():
    with pytest.raises(NewerProjectError, match="has format 2; this Satchel reads up to 1"):
        parse_assistant("format = 2\nhologram = true", PATH)


@given(st.text(max_size=200))
def test_no_text_is_anything_but_an_assistant_or_an_error_of_ours(text):
    with contextlib.suppress(SatchelError):
        assert isinstance(parse_assistant(text, PATH), Assistant)


@given(st.text(min_size=1, max_size=100))
def test_a_name_that_a_project_takes_is_one_that_a_pack_takes(name):
    try:
        msgspec.convert({"id": ASSISTANT_ID, "name": name}, Assistant)
    except msgspec.ValidationError:
        return

    msgspec.convert({"id": ASSISTANT_ID, "name": name, "version": "1", "author": ""}, Identity)


def test_each_assistant_gets_an_id_of_its_own_that_its_file_takes():
    first, second = new_id(), new_id()

    assert first != second
    assert parse_assistant(f'id = "{first}"\nname = "x"', PATH).id == first


def test_a_message_without_a_place_is_at_the_top_level():
    assert split_place("JSON is malformed: trailing characters (byte 3)") == (
        "top level",
        "JSON is malformed: trailing characters (byte 3)",
    )
