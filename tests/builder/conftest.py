"""The window in tests: real widgets on the offscreen platform, the real runtime, a person of their own each time.

A Qt warning fails a test (`qt_log_level_fail`), a thread or process that is left fails its file (tests/conftest.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="the extra `builder` is not installed")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from helpers.windows import Driver
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from satchel.builder.app import Application, make_window
from satchel.builder.theme.appearance import Appearance
from satchel.builder.window import Window
from satchel.runtime.paths import HOME_VARIABLE, Home, find_home


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    return Application


@pytest.fixture(scope="session")
def _warm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What can be rebuilt is rebuilt once: the embedder's GGUF, which packs are verified."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def person(tmp_path: Path, _warm_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Somebody who has never used the app."""
    root = tmp_path / "person"
    root.mkdir()
    (root / "cache").symlink_to(_warm_cache)
    monkeypatch.setenv(HOME_VARIABLE, str(root))
    return find_home()


@pytest.fixture
def open_window(qapp: Application, qtbot, person: Home) -> Iterator[Callable[[], Driver]]:
    """Return what opens a window; each is closed at the end, and everything that it started has ended then."""
    drivers: list[Driver] = []

    def open_one() -> Driver:
        window = make_window(qapp, person)
        window.show()
        window.activateWindow()
        qtbot.waitActive(window).__enter__()
        driver = Driver(qtbot, window)
        drivers.append(driver)
        return driver

    yield open_one
    for driver in drivers:
        _close(driver.window)
    QApplication.processEvents()


@pytest.fixture
def driver(open_window: Callable[[], Driver]) -> Driver:
    """A window on the library, filled."""
    opened = open_window()
    opened.until(lambda: opened.page.cards)
    return opened


@pytest.fixture
def appearance(qapp: Application) -> Iterator[Appearance]:
    """Light, whatever the system says."""
    made = Appearance(qapp, choice="light")
    yield made
    made.deleteLater()


def _close(window: Window) -> None:
    window.close()
    assert not window.shell.operations.busy or _settle(window)
    window.shell.appearance.deleteLater()
    window.shell.deleteLater()
    window.deleteLater()


def _settle(window: Window) -> bool:
    """Let the last signals of operations arrive."""
    give_up = time.monotonic() + 30
    while window.shell.operations.busy and time.monotonic() < give_up:
        QTest.qWait(5)
    return not window.shell.operations.busy
