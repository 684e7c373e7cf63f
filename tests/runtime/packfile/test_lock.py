from __future__ import annotations

import pytest
from helpers.python_processes import start_python

from satchel.runtime.errors import BusyError, SaveError
from satchel.runtime.packfile.lock import locked

HOLD = (
    "import sys; from pathlib import Path; from satchel.runtime.packfile.lock import locked\n"
    "with locked(Path(sys.argv[1]), wait=len(sys.argv) > 2):\n"
    "    print('held', flush=True); sys.stdin.readline()\n"
)


def test_a_lock_is_held_by_one_process_at_a_time(tmp_path):
    with start_python(HOLD, str(tmp_path / "a")) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="Another Satchel process is writing"), locked(tmp_path / "a"):
            pass
        with locked(tmp_path / "b"):
            pass
        holder.communicate("\n", timeout=60)
    with locked(tmp_path / "a"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_gets_the_lock_when_it_is_free(tmp_path):
    with start_python(HOLD, str(tmp_path / "a")) as holder:
        assert holder.stdout.readline() == "held\n"
        with start_python(HOLD, str(tmp_path / "a"), "wait") as waiting:
            holder.communicate("\n", timeout=60)
            assert waiting.stdout.readline() == "held\n"
            with pytest.raises(BusyError), locked(tmp_path / "a"):
                pass
            waiting.communicate("\n", timeout=60)
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    with start_python(HOLD, str(tmp_path / "a")) as holder:
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.communicate(timeout=60)
    with locked(tmp_path / "a"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_is_freed_by_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "a"):
        1 / 0  # noqa: B018 - any error will do
    with locked(tmp_path / "a"):
        pass


def test_a_folder_that_cannot_be_written_is_an_error_in_words(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError), locked(tmp_path / "file" / "a"):
        pass
