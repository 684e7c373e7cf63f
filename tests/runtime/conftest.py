"""What the tests of the runtime share: one small assistant, indexed and built once."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.harbour import Harbour, write_harbour

from satchel.runtime.commands.build import build_pack
from satchel.runtime.engine.starter import find_starter
from satchel.runtime.paths import HOME_VARIABLE, Home, find_home


@pytest.fixture(scope="session")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Harbour:
    """A built assistant that no test changes; `harbour_folder` is a copy for those that do."""
    root = tmp_path_factory.mktemp("harbour")
    home = Home(data=root / "data", cache=root / "cache", settings=root / "settings")
    folder = write_harbour(root / "harbour")
    built = build_pack(folder, None, home)
    return Harbour(folder, Path(built.path), home, built.pack_id)


@pytest.fixture
def harbour_folder(harbour: Harbour, tmp_path: Path) -> Path:
    """A copy of the project, without its pack, that a test may change."""
    return Path(shutil.copytree(harbour.folder, tmp_path / "harbour"))


@pytest.fixture
def warm_home(harbour: Harbour, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Home:
    """A person of their own whose caches hold what building the assistant left there; `satchel` uses it, too."""
    root = tmp_path / "warm"
    root.mkdir()
    (root / "cache").symlink_to(harbour.home.cache)
    monkeypatch.setenv(HOME_VARIABLE, str(root))
    return find_home()


@pytest.fixture
def stranger(harbour: Harbour, tmp_path: Path) -> Home:
    """Somebody whose machine has the embedder and has embedded nothing."""
    root = tmp_path / "stranger"
    home = Home(root / "data", root / "cache", root / "settings")
    shutil.copytree(harbour.home.cache / "embedders", home.cache / "embedders", copy_function=os.link)
    return home


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The language model that the extra `starter` installs."""
    return find_starter(find_home())


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], None]:
    """Return what puts a text on the command's standard input."""

    def give(text: str | bytes) -> None:
        content = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))

    return give
