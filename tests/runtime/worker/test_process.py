"""The parent's side of a worker, with a real child that answers, fails, hangs, dies and lies."""

from __future__ import annotations

import os
import signal
import sys

import msgspec
import pytest
from helpers.python_processes import start_python
from helpers.worker_processes import METHODS, has_ended

from satchel.runtime.errors import (
    OutOfTimeError,
    SaveError,
    WorkerDiedError,
    WorkerOutOfMemoryError,
)
from satchel.runtime.worker.limits import WorkerLimits
from satchel.runtime.worker.process import Worker, WorkerFailedError


def test_a_call_returns_what_its_method_returned(worker):
    params = {"text": "Ebbe & Flut ≈ 🌊", "bytes": b"\x00\xff", "list": [1, None, 2.5], "empty": {}}

    assert worker.call("echo", params) == params


def test_a_frame_of_many_megabytes_arrives_whole(worker):
    blob = os.urandom(1 << 20) * 16

    assert worker.call("echo", {"blob": blob}) == {"blob": blob}


def test_a_stream_yields_its_items_in_order_and_returns_the_result(worker):
    stream = worker.stream("count", {"to": 500})
    items = []
    while True:
        try:
            items.append(next(stream))
        except StopIteration as end:
            result = end.value
            break

    assert items == list(range(500))
    assert result == "done"


def test_a_call_drops_the_items_on_the_way(worker):
    assert worker.call("count", {"to": 3}) == "done"


def test_one_process_serves_many_calls(worker):
    assert worker.call("pid") == worker.call("pid") == worker.pid != os.getpid()


def test_an_error_of_ours_arrives_as_the_class_that_was_raised(worker):
    with pytest.raises(SaveError) as raised:
        worker.call("raise", {"what": "save"})

    assert raised.value.message == "tides.md could not be saved: the disk is full."
    assert raised.value.fields == {"path": "tides.md", "reason": "the disk is full"}


def test_an_error_whose_class_the_parent_never_imported_arrives_as_that_class():
    program = f"""
import sys
from satchel.runtime.worker.process import Worker
with Worker({METHODS!r}, name="test") as worker:
    assert "satchel.runtime.project.errors" not in sys.modules
    try:
        worker.call("raise", {{"what": "template"}})
    except Exception as error:
        print(type(error).__name__, error.exit_code, error.message)
"""
    with start_python(program) as process:
        said, complaints = process.communicate(timeout=30)

    assert said == 'UnknownTemplateError 13 There is no template called "x"; there are: blank.\n', complaints


def test_an_error_that_only_the_worker_knows_keeps_its_message(worker):
    with pytest.raises(WorkerFailedError) as raised:
        worker.call("raise", {"what": "only here"})

    assert raised.value.message == "The test process failed: The tide table is known to the worker alone.."


def test_a_bug_in_a_method_is_a_worker_failure_that_names_it_and_the_process_lives_on(worker):
    pid = worker.call("pid")

    with pytest.raises(WorkerFailedError) as raised:
        worker.call("divide", {"a": 1, "b": 0})

    assert raised.value.message == "The test process failed: ZeroDivisionError: division by zero."
    assert raised.value.exit_code == 3
    assert worker.call("divide", {"a": 6, "b": 3}) == 2
    assert worker.call("pid") == pid


@pytest.mark.parametrize("method", ["no_such_method", "return_what_no_frame_holds"])
def test_what_cannot_be_called_or_returned_is_a_worker_failure(worker, method):
    with pytest.raises(WorkerFailedError):
        worker.call(method)

    assert worker.call("echo", {"still": "here"}) == {"still": "here"}


def test_a_worker_killed_in_mid_stream_is_an_error_and_the_next_call_works(worker):
    stream = worker.stream("hang")
    pid = next(stream)

    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError) as raised:
        next(stream)

    assert raised.value.message == "The test process stopped: it was killed by SIGKILL."
    assert worker.pid is None
    assert worker.call("pid") not in {pid, None}


def test_a_worker_killed_between_calls_is_started_again(worker):
    first = worker.call("pid")
    os.kill(first, signal.SIGKILL)
    assert has_ended(first)

    assert worker.call("pid") != first


def test_a_crash_in_native_code_is_an_error(worker):
    with pytest.raises(WorkerDiedError, match=r"stopped: it was killed by SIGSEGV\.$"):
        worker.call("segfault")


def test_an_abort_carries_the_words_that_the_library_left(worker):
    with pytest.raises(WorkerDiedError) as raised:
        worker.call("abort_with_words")

    assert raised.value.fields["reason"] == (
        "it was killed by SIGABRT; its last words: GGML_ASSERT(n_tokens <= n_batch) failed"
    )


def test_a_worker_that_ends_itself_because_native_code_hangs_says_so(worker):
    with pytest.raises(WorkerDiedError) as raised:
        worker.call("hang_under_a_watchdog")

    assert raised.value.fields["reason"] == (
        "it ended with code 1; its last words: a step that nothing can interrupt took too long"
    )


def test_a_library_that_exits_does_not_take_the_worker_along(worker):
    with pytest.raises(WorkerFailedError, match="SystemExit: 7"):
        worker.call("exit", {"code": 7})

    assert worker.call("echo", {"n": 1}) == {"n": 1}


def test_a_module_that_cannot_be_imported_is_an_error_that_says_why():
    with Worker("helpers.no_such_module", name="test") as worker, pytest.raises(WorkerDiedError) as raised:
        worker.call("anything")

    assert "No module named 'helpers.no_such_module'" in raised.value.message


def test_a_worker_that_cannot_be_started_is_an_error(worker, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    with pytest.raises(WorkerDiedError, match="could not be started"):
        worker.call("pid")


def test_memory_past_the_limit_is_an_error_and_less_than_that_is_not():
    with Worker(METHODS, name="reader", limits=WorkerLimits(memory_bytes=1 << 30)) as worker:
        with pytest.raises(WorkerOutOfMemoryError) as raised:
            worker.call("allocate", {"bytes": 1 << 31})

        assert raised.value.message == "The reader process needed more memory than it may use."
        assert raised.value.exit_code == 64
        assert worker.call("allocate", {"bytes": 1 << 20}) == 1 << 20


def test_processor_time_past_the_limit_ends_the_worker():
    with (
        Worker(METHODS, name="reader", limits=WorkerLimits(cpu_seconds=1)) as worker,
        pytest.raises(WorkerDiedError, match=r"SIGXCPU|SIGKILL"),
    ):
        worker.call("spin")


def test_a_limit_above_the_one_that_satchel_itself_runs_under_is_no_error():
    limit = 2 << 30
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
from satchel.runtime.worker.limits import WorkerLimits
from satchel.runtime.worker.process import Worker
with Worker({METHODS!r}, name="test", limits=WorkerLimits(memory_bytes={limit * 4})) as worker:
    print(worker.call("echo", {{"n": 1}}))
"""
    with start_python(program) as process:
        said, complaints = process.communicate(timeout=30)

    assert said == "{'n': 1}\n", complaints


def test_what_a_library_prints_does_not_break_the_frames(worker):
    assert worker.call("print", {"text": "loading model…\n"}) == "said"
    assert worker.call("echo", {"n": 1}) == {"n": 1}


def test_a_process_that_the_worker_left_behind_does_not_hide_its_death(worker):
    left_behind = worker.call("leave_a_child_behind")
    try:
        with pytest.raises(WorkerDiedError, match="GGML_ASSERT"):
            worker.call("abort_with_words")
    finally:
        os.kill(left_behind, signal.SIGKILL)


def test_the_worker_ends_when_its_parent_is_killed():
    program = f"""
from satchel.runtime.worker.process import Worker
worker = Worker({METHODS!r}, name="test")
print(next(worker.stream("hang")), flush=True)
input()
"""
    with start_python(program) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()

    assert has_ended(pid)


def test_closing_ends_the_process_at_once_even_in_the_middle_of_a_call():
    worker = Worker(METHODS, name="test")
    stream = worker.stream("hang")
    pid = next(stream)

    worker.close()

    assert has_ended(pid, seconds=0)
    assert worker.pid is None
    with pytest.raises(WorkerDiedError):
        next(stream)
    worker.close()


def test_a_closed_worker_starts_again_at_the_next_call():
    worker = Worker(METHODS, name="test")
    worker.start()
    worker.close()

    assert worker.call("echo", {}) == {}
    worker.close()


def test_modules_of_the_current_folder_are_not_imported(tmp_path, monkeypatch):
    for name in ("numpy.py", "msgspec.py", "satchel.py", "queue.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)

    with Worker(METHODS, name="test") as worker:
        assert "site-packages" in worker.call("import_file", {"module": "numpy"})


def error_frame(**changes: object) -> bytes:
    payload = {"message": "m", "code": "save", "module": "satchel.runtime.errors", "fields": {}} | changes
    return msgspec.msgpack.encode((1, 2, payload))


@pytest.mark.parametrize(
    ("lie", "framed"),
    [
        pytest.param(b"hello, world: no frame at all" * 10, False, id="text instead of frames"),
        pytest.param(b"\xff\xff\xff\xff", False, id="a length of 4 GiB"),
        pytest.param(b"\xc1\xc1\xc1", True, id="no MessagePack"),
        pytest.param(b"", True, id="an empty frame"),
        pytest.param(msgspec.msgpack.encode("ab!"), True, id="a string of the right length"),
        pytest.param(msgspec.msgpack.encode((1, 0)), True, id="two values"),
        pytest.param(msgspec.msgpack.encode((1, 9, None)), True, id="an unknown kind"),
        pytest.param(msgspec.msgpack.encode((1, [], None)), True, id="a list as kind"),
        pytest.param(msgspec.msgpack.encode((1, 2, "oh no")), True, id="an error that is text"),
        pytest.param(error_frame(fields=[1]), True, id="an error whose fields are a list"),
        pytest.param(error_frame(extra=1), True, id="an error with a key too many"),
    ],
)
def test_garbage_on_the_pipe_is_an_error_and_the_next_call_works(worker, lie, framed):
    with pytest.raises(WorkerDiedError, match="it sent bytes that are no reply"):
        worker.call("write_raw", {"bytes": lie, "framed": framed})

    assert worker.call("echo", {"n": 1}) == {"n": 1}


@pytest.mark.parametrize(
    "payload",
    [
        error_frame(code="save", fields={}),
        error_frame(code="save", fields={"path": "{0.__class__}", "what": "unknown"}),
        error_frame(code="no-such-code"),
        error_frame(code="no-such-code", module="os"),
        error_frame(code="no-such-code", module="satchel.runtime.no_such_part.errors"),
    ],
)
def test_an_error_that_cannot_be_rebuilt_is_a_worker_failure(worker, payload):
    with pytest.raises(WorkerFailedError, match="The test process failed: m"):
        worker.call("write_raw", {"bytes": payload, "framed": True})


def test_replies_to_another_call_are_dropped(worker):
    assert worker.call("echo", {}) == {}
    stale = msgspec.msgpack.encode((999, 0, "an item that nobody asked for"))
    with pytest.raises(OutOfTimeError):
        next(worker.stream("write_raw", {"bytes": stale, "framed": True}, timeout=0.3))


def test_a_frame_too_large_for_the_workers_memory_ends_it_instead_of_hanging():
    with (
        Worker(METHODS, name="reader", limits=WorkerLimits(memory_bytes=256 << 20)) as worker,
        pytest.raises((WorkerDiedError, WorkerOutOfMemoryError)),
    ):
        worker.call("echo", {"blob": bytes(200 << 20)}, timeout=60)


def test_ctrl_c_in_the_terminal_reaches_the_parent_alone(worker):
    stream = worker.stream("hang")
    pid = next(stream)

    os.kill(pid, signal.SIGINT)

    with pytest.raises(OutOfTimeError):
        list(worker.stream("never answered", timeout=0.3))
    assert has_ended(pid)


def test_ctrl_c_in_the_middle_of_a_call_frees_the_worker():
    program = f"""
import os, signal
from satchel.runtime.worker.process import Worker
with Worker({METHODS!r}, name="test") as worker:
    pid = worker.call("pid")
    stream = worker.stream("count_until_cancelled")
    try:
        for number in stream:
            if number == 5:
                os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        stream.close()
        print(worker.call("pid") == pid)
"""
    with start_python(program) as process:
        said, complaints = process.communicate(timeout=30)

    assert said == "True\n", complaints


def test_the_process_that_speaks_no_frames_at_all_is_an_error(monkeypatch, tmp_path):
    """The command itself may be another program, when the installation is broken."""
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho this is not the worker\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))

    with Worker(METHODS, name="test") as worker, pytest.raises(WorkerDiedError):
        worker.call("echo", {})
