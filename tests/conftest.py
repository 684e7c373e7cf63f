"""What holds for every test: folders of its own, no network, and nothing left running."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from satchel.runtime.models.places import OVERRIDES
from satchel.runtime.paths import HOME_VARIABLE, Home, find_home

# Before any library reads them; worker processes inherit them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
# A shell that starts a job in the background has it ignore Ctrl-C, and so would every process that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Before any of them is imported: their assertions say as much as a test's own.
pytest.register_assert_rewrite("helpers")

# No deadlines: how fast a loaded machine is today is no property of the code. No database: tests write no folders here.
settings.register_profile("satchel", database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("satchel")

_LEAK_SECONDS = 5.0
# Started once a process by a library and meant to stay: tqdm's monitor, multiprocessing's own helpers.
_STAYING_THREADS = frozenset({"TMonitor"})
_STAYING_PROCESSES = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")


@pytest.fixture(scope="session", autouse=True)
def _no_fixture_touches_the_users_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Fixtures that live longer than a test get a home as well, and no program that keeps models is found in it."""
    os.environ[HOME_VARIABLE] = str(tmp_path_factory.mktemp("home"))
    for variable in OVERRIDES:
        os.environ.pop(variable, None)
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(tmp_path_factory.mktemp("person"))


@pytest.fixture(autouse=True)
def _no_test_touches_the_users_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


@pytest.fixture
def home(_no_test_touches_the_users_folders: None) -> Home:
    """The folders of a person who has never used Satchel; nothing is made yet."""
    return find_home()


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test file whose tests and fixtures leave threads or child processes behind.

    By file and not by test, because a worker that a file's tests share is started by whichever comes first.
    """
    threads_before, children_before = set(threading.enumerate()), _children()
    yield
    lasting = request.config.stash.setdefault(_LASTING, set())
    deadline = time.monotonic() + _LEAK_SECONDS
    threads = [
        thread
        for thread in threading.enumerate()
        if thread not in threads_before and id(thread) not in lasting and not _ends_by(thread, deadline)
    ]
    children = [pid for pid in _children() - children_before - lasting if not _is_gone_by(pid, deadline)]
    told = [f"thread {thread.name}" for thread in threads]
    for pid in children:
        told.append(f"process {pid}: {_command_line(pid).replace(bytes(1), b' ').decode(errors='replace').strip()}")
        os.kill(pid, signal.SIGKILL)
    if told:
        pytest.fail(f"{request.node.name} left running: {'; '.join(told)}", pytrace=False)


_LASTING = pytest.StashKey[set[int]]()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Iterator[None]:
    """Remember what a session's fixture starts: it outlives the file that happened to ask first."""
    if fixturedef.scope != "session":
        return (yield)
    threads_before, children_before = set(threading.enumerate()), _children()
    result = yield
    lasting = request.config.stash.setdefault(_LASTING, set())
    lasting |= {id(thread) for thread in set(threading.enumerate()) - threads_before}
    lasting |= _children() - children_before
    return result


def _children() -> set[int]:
    """Return the ids of this process's children; none where there is no /proc."""
    children: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            children |= {int(pid) for pid in path.read_text().split()}
        except OSError:  # the thread has ended meanwhile
            continue
    return children


def _ends_by(thread: threading.Thread, deadline: float) -> bool:
    if type(thread).__name__ in _STAYING_THREADS or isinstance(thread, threading._DummyThread):
        return True
    thread.join(max(0.0, deadline - time.monotonic()))
    return not thread.is_alive()


def _is_gone_by(pid: int, deadline: float) -> bool:
    if any(name in _command_line(pid) for name in _STAYING_PROCESSES):
        return True
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        # Readable as soon as the process has ended, whether or not somebody has waited for it.
        return bool(select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0])
    finally:
        os.close(handle)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
