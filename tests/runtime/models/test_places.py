"""Where each program keeps models, on each system, by default and when it is told otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.model_folders import write_file

from satchel.runtime.models.places import Program, Surroundings, model_places


def surroundings(person: Path, platform: str = "linux", **environment: str) -> Surroundings:
    return Surroundings(person, environment, platform, person / "root")


def folders(here: Surroundings, program: Program) -> list[str]:
    """Return a program's folders below the person's own, in order."""
    found = [place.folder for place in model_places(here) if place.program == program]
    return [str(path.relative_to(here.person)) if path.is_relative_to(here.person) else str(path) for path in found]


@pytest.mark.parametrize(
    ("platform", "program", "expected"),
    [
        (
            "linux",
            "ollama",
            [".ollama/models", "root/usr/share/ollama/.ollama/models", "root/var/snap/ollama/common/models"],
        ),
        ("darwin", "ollama", [".ollama/models"]),
        ("win32", "ollama", [".ollama/models"]),
        ("linux", "lm-studio", [".lmstudio/models", ".cache/lm-studio/models"]),
        ("linux", "jan", [".local/share/Jan/data", ".config/Jan/data", "jan"]),
        ("darwin", "jan", ["Library/Application Support/Jan/data", "jan"]),
        ("win32", "jan", ["AppData/Roaming/Jan/data", "jan"]),
        ("linux", "gpt4all", [".local/share/nomic.ai/GPT4All", ".cache/gpt4all"]),
        ("darwin", "gpt4all", ["Library/Application Support/nomic.ai/GPT4All", ".cache/gpt4all"]),
        ("win32", "gpt4all", ["AppData/Local/nomic.ai/GPT4All", ".cache/gpt4all"]),
        ("linux", "hugging-face", [".cache/huggingface/hub"]),
        ("win32", "hugging-face", [".cache/huggingface/hub"]),
        ("linux", "llama.cpp", [".cache/llama.cpp"]),
        ("darwin", "llama.cpp", ["Library/Caches/llama.cpp"]),
        ("win32", "llama.cpp", ["AppData/Local/llama.cpp"]),
    ],
)
def test_each_program_is_looked_for_in_its_own_folder(tmp_path, platform, program, expected):
    assert folders(surroundings(tmp_path, platform), program) == expected


@pytest.mark.parametrize(
    ("program", "environment", "expected"),
    [
        ("ollama", {"OLLAMA_MODELS": "/disk/ollama"}, ["/disk/ollama"]),
        ("ollama", {"OLLAMA_MODELS": ' "~/mine" '}, ["mine"]),
        ("hugging-face", {"HF_HUB_CACHE": "/disk/hub", "HF_HOME": "/other"}, ["/disk/hub"]),
        ("hugging-face", {"HUGGINGFACE_HUB_CACHE": "/disk/hub"}, ["/disk/hub"]),
        ("hugging-face", {"HF_HOME": "$DISK/hf", "DISK": "/disk"}, ["/disk/hf/hub"]),
        ("hugging-face", {"HF_HOME": "${DISK}/hf", "DISK": "/disk"}, ["/disk/hf/hub"]),
        ("hugging-face", {"HF_HOME": "%DISK%/hf", "DISK": "/disk"}, ["/disk/hf/hub"]),
        ("hugging-face", {"XDG_CACHE_HOME": "/disk/cache"}, ["/disk/cache/huggingface/hub"]),
        ("llama.cpp", {"LLAMA_CACHE": "/disk/llama"}, ["/disk/llama"]),
        ("llama.cpp", {"XDG_CACHE_HOME": "/disk/cache"}, ["/disk/cache/llama.cpp"]),
        ("gpt4all", {"XDG_DATA_HOME": "/disk/data"}, ["/disk/data/nomic.ai/GPT4All", ".cache/gpt4all"]),
    ],
)
def test_a_variable_moves_a_programs_models(tmp_path, program, environment, expected):
    assert folders(surroundings(tmp_path, **environment), program) == expected


def test_ollamas_home_and_jans_data_folder_come_first(tmp_path):
    here = surroundings(tmp_path, OLLAMA_HOME="/disk/o", JAN_DATA_FOLDER="/disk/jan")

    assert folders(here, "ollama")[:2] == ["/disk/o/models", ".ollama/models"]
    assert folders(here, "jan")[0] == "/disk/jan"


def test_windows_folders_follow_their_variables(tmp_path):
    here = surroundings(tmp_path, "win32", LOCALAPPDATA="/local", APPDATA="/roaming")

    assert folders(here, "gpt4all")[0] == "/local/nomic.ai/GPT4All"
    assert folders(here, "jan")[0] == "/roaming/Jan/data"


def test_lm_studios_pointer_and_setting_are_followed(tmp_path):
    write_file(tmp_path / ".lmstudio-home-pointer", "/disk/lm\n")
    write_file(tmp_path / ".config/LM Studio/settings.json", json.dumps({"downloadsFolder": "/disk/models"}))

    assert folders(surroundings(tmp_path), "lm-studio") == [
        "/disk/models",
        "/disk/lm/models",
        ".lmstudio/models",
        ".cache/lm-studio/models",
    ]


def test_jans_setting_is_followed(tmp_path):
    write_file(tmp_path / ".local/share/Jan/settings.json", json.dumps({"data_folder": "/disk/jan"}))

    assert folders(surroundings(tmp_path), "jan")[0] == "/disk/jan"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_gpt4alls_setting_is_followed(tmp_path, platform):
    write_file(tmp_path / ".config/nomic.ai/GPT4All.ini", "[General]\nthreadCount=4\nmodelPath=/disk/gpt4all\n")

    assert folders(surroundings(tmp_path, platform), "gpt4all")[0] == "/disk/gpt4all"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"downloadsFolder": 7}', b"\xff\xfe", b"[" * 100_000, b" " * (2 << 20)]
)
def test_settings_that_cannot_be_read_change_nothing(tmp_path, content):
    usual = [place for place in model_places(surroundings(tmp_path)) if place.program != "lm-studio"]
    for file in (".lmstudio/settings.json", ".local/share/Jan/settings.json", ".config/nomic.ai/GPT4All.ini"):
        write_file(tmp_path / file, content)

    found = model_places(surroundings(tmp_path))
    assert [place for place in found if place.program != "lm-studio"] == usual
    assert folders(surroundings(tmp_path), "lm-studio") == [".lmstudio/models", ".cache/lm-studio/models"]


def test_a_folder_in_a_settings_place_is_no_setting(tmp_path):
    (tmp_path / ".lmstudio-home-pointer").mkdir()

    assert folders(surroundings(tmp_path), "lm-studio")[0] == ".lmstudio/models"
