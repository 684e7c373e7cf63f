"""Where other programs keep GGUF models on Linux, macOS and Windows, and how each is told to keep them elsewhere.

Sources: Ollama's envconfig/config.go and its FAQ, `huggingface_hub/constants.py` and the hub's page on its local cache,
Jan's src-tauri/src/core/app/commands.rs, LM Studio's page on importing models and its pointer file, GPT4All's
mysettings.cpp (Qt's AppLocalDataLocation; settings in Qt's INI format), llama.cpp's common/common.cpp. Looked up in
November 2026.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

Program: TypeAlias = Literal["ollama", "lm-studio", "jan", "gpt4all", "hugging-face", "llama.cpp"]

TITLES: dict[Program, str] = {
    "ollama": "Ollama",
    "lm-studio": "LM Studio",
    "jan": "Jan",
    "gpt4all": "GPT4All",
    "hugging-face": "Hugging Face cache",
    "llama.cpp": "llama.cpp cache",
}
OVERRIDES = (
    *("OLLAMA_MODELS", "OLLAMA_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "JAN_DATA_FOLDER"),
    *("LLAMA_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA"),
)
"""All variables that are heeded here."""

_SETTINGS_BYTES = 1 << 20
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)|%(\w+)%")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The computer that is looked at; tests describe another one."""

    person: Path
    """The person's own folder."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    platform: str = sys.platform
    root: Path = Path("/")

    def folder(self, variable: str) -> Path | None:
        """Return the folder that an environment variable names, with its own variables and tilde resolved."""
        text = self.environment.get(variable, "").strip("\"' ")
        return self.path(text) if text else None

    def path(self, text: str) -> Path:
        """Return a path that a program wrote down; a relative one counts from the person's folder."""
        if text == "~" or text.startswith(("~/", "~\\")):
            text = str(self.person) + text[1:]
        return self.person / _VARIABLE.sub(
            lambda found: self.environment.get(found[found.lastindex or 0], found[0]), text
        )

    @property
    def cache(self) -> Path:
        """Where programs keep what can be rebuilt."""
        if self.platform == "win32":
            return self.folder("LOCALAPPDATA") or self.person / "AppData/Local"
        if self.platform == "darwin":
            return self.person / "Library/Caches"
        return self.folder("XDG_CACHE_HOME") or self.person / ".cache"

    @property
    def data(self) -> Path:
        """Where programs keep their data; on Windows, the roaming part of it."""
        if self.platform == "win32":
            return self.folder("APPDATA") or self.person / "AppData/Roaming"
        if self.platform == "darwin":
            return self.person / "Library/Application Support"
        return self.folder("XDG_DATA_HOME") or self.person / ".local/share"

    @property
    def config(self) -> Path:
        """Where programs keep their settings."""
        if self.platform in {"win32", "darwin"}:
            return self.data
        return self.folder("XDG_CONFIG_HOME") or self.person / ".config"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which a program may keep models."""

    program: Program
    folder: Path


def model_places(surroundings: Surroundings) -> list[Place]:
    """Return the folders to look into, existing or not, each once, in the order in which names are given out."""
    seekers: tuple[tuple[Program, Iterator[Path]], ...] = (
        ("ollama", _ollama(surroundings)),
        ("lm-studio", _lm_studio(surroundings)),
        ("jan", _jan(surroundings)),
        ("gpt4all", _gpt4all(surroundings)),
        ("hugging-face", _hugging_face(surroundings)),
        ("llama.cpp", _llama_cpp(surroundings)),
    )
    return [Place(program, folder) for program, folders in seekers for folder in dict.fromkeys(folders)]


def _ollama(here: Surroundings) -> Iterator[Path]:
    if named := here.folder("OLLAMA_MODELS"):
        yield named
        return
    if home := here.folder("OLLAMA_HOME"):
        yield home / "models"
    yield here.person / ".ollama/models"
    if here.platform.startswith("linux"):
        yield here.root / "usr/share/ollama/.ollama/models"  # the service that its install script sets up
        yield here.root / "var/snap/ollama/common/models"


def _lm_studio(here: Surroundings) -> Iterator[Path]:
    homes = [here.person / ".lmstudio", here.person / ".cache/lm-studio"]
    if pointed := _text(here.person / ".lmstudio-home-pointer").strip():
        homes.insert(0, here.path(pointed))
    for settings in (*(home / "settings.json" for home in homes), here.config / "LM Studio/settings.json"):
        if folder := _json_text(settings, "downloadsFolder"):
            yield here.path(folder)
    for home in homes:
        yield home / "models"


def _jan(here: Surroundings) -> Iterator[Path]:
    if named := here.folder("JAN_DATA_FOLDER"):
        yield named
    roots = (here.data / "Jan", here.config / "Jan")
    for root in roots:
        if folder := _json_text(root / "settings.json", "data_folder"):
            yield here.path(folder)
    for root in roots:
        yield root / "data"
    yield here.person / "jan"  # before version 0.5.11


def _gpt4all(here: Surroundings) -> Iterator[Path]:
    # Qt keeps INI settings in ~/.config on macOS too.
    config = here.config if here.platform != "darwin" else here.person / ".config"
    if folder := _ini_text(config / "nomic.ai/GPT4All.ini", "modelPath"):
        yield here.path(folder)
    local = here.cache if here.platform == "win32" else here.data
    yield local / "nomic.ai/GPT4All"
    yield here.person / ".cache/gpt4all"  # its Python package


def _hugging_face(here: Surroundings) -> Iterator[Path]:
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if named := here.folder(variable):
            yield named
            return
    home = here.folder("HF_HOME") or (here.folder("XDG_CACHE_HOME") or here.person / ".cache") / "huggingface"
    yield home / "hub"


def _llama_cpp(here: Surroundings) -> Iterator[Path]:
    yield here.folder("LLAMA_CACHE") or here.cache / "llama.cpp"


def _text(path: Path) -> str:
    """Return a small file's text; empty for one that is not there, is no file, or is no text."""
    try:
        if not path.is_file() or path.stat().st_size > _SETTINGS_BYTES:
            return ""
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return ""


def _json_text(path: Path, key: str) -> str:
    try:
        value = msgspec.json.decode(_text(path) or "{}")
    except (msgspec.DecodeError, RecursionError):
        return ""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _ini_text(path: Path, key: str) -> str:
    """Return a value of Qt's INI format; `configparser` would cost a start 5 ms."""
    found = re.search(rf"^{key}=(.*)$", _text(path), re.MULTILINE)
    return found[1].strip("\"' \r") if found is not None else ""
