"""Programs run to their end: what they may, what ends them, and what comes back."""

from __future__ import annotations

import os
import select
import sys
import threading
from pathlib import Path

import pytest

from satchel.runtime.sandbox.bubblewrap import python_command
from satchel.runtime.sandbox.errors import SandboxStartError
from satchel.runtime.sandbox.policy import Policy
from satchel.runtime.sandbox.process import SandboxedProcess
from satchel.runtime.sandbox.running import run_to_end


def run(code: str, confinement, *, policy: Policy | None = None, seconds: float = 60, **rest):
    return run_to_end([*python_command(), "-c", code], policy or Policy(), confinement, seconds=seconds, **rest)


def test_a_program_reads_and_writes_in_its_work_folder_and_files_come_back(confinement):
    outcome = run(
        "text = open('given/in.txt').read(); open('out.txt', 'w').write(text.upper()); print(input())",
        confinement,
        stdin=b"hello\n",
        files={"given/in.txt": b"tides"},
        wanted=["out.txt", "missing.txt"],
    )
    assert (outcome.exit_code, outcome.stdout, outcome.files) == (0, b"hello\n", {"out.txt": b"TIDES"})


@pytest.mark.parametrize(
    "planting",
    [
        "os.symlink({secret!r}, 'out.txt')",
        "os.mkdir('d'); os.symlink({folder!r}, 'out.txt')",
        "os.mkdir('out.txt')",
    ],
)
def test_what_is_no_regular_file_does_not_come_back(confinement, tmp_path, planting):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    code = "import os\n" + planting.format(secret=str(secret), folder=str(tmp_path))
    outcome = run(code, confinement, wanted=["out.txt", "out.txt/secret"])
    assert (outcome.exit_code, outcome.files) == (0, {})


def test_a_sparse_file_of_more_than_the_limit_is_refused_inside(confinement):
    outcome = run("open('large', 'wb').truncate(1 << 40)", confinement)
    assert outcome.exit_code != 0
    assert outcome.files == {}


def test_a_program_that_hangs_is_ended(confinement):
    outcome = run("while True: pass", confinement, seconds=0.5)
    assert outcome.ended_for == "out of time"


def test_a_program_that_prints_for_ever_is_ended_and_what_it_printed_is_capped(confinement):
    outcome = run("while True: print('x' * 1000)", confinement, max_output_bytes=10_000)
    assert outcome.ended_for == "it printed too much"
    assert len(outcome.stdout) == 10_000


def test_a_program_that_fills_the_disk_is_stopped(confinement):
    code = "for n in range(1000): open(f'f{n}', 'wb').write(bytes(1 << 20))"
    outcome = run(code, confinement, policy=Policy(work_bytes=8 << 20))
    assert outcome.exit_code != 0 or outcome.ended_for == "its work folder is full"


def test_a_program_that_makes_files_for_ever_is_ended(confinement):
    code = "import itertools\nfor n in itertools.count(): open(f'f{n}', 'w').close()"
    outcome = run(code, confinement, policy=Policy(work_files=500))
    assert outcome.ended_for == "too many files"


def test_a_program_that_starts_threads_for_ever_is_stopped(confinement):
    code = (
        "import threading, time\nthreading.stack_size(1 << 15)\nhold = threading.Event()\n"
        "while True: threading.Thread(target=hold.wait).start()"
    )
    outcome = run(code, confinement, policy=Policy(threads=40, memory_bytes=8 << 30))
    assert outcome.ended_for == "too many threads" or b"can't start new thread" in outcome.stderr


def test_memory_is_bounded(confinement):
    outcome = run("bytearray(900 << 20)", confinement, policy=Policy(memory_bytes=512 << 20))
    assert b"MemoryError" in outcome.stderr


def test_memory_that_all_its_processes_use_together_is_bounded(confinement):
    code = "import os, time\nfor _ in range(4): os.fork()\nheld = bytearray(os.urandom(1 << 20) * 40)\ntime.sleep(600)"
    policy = Policy(may_fork=True, resident_bytes=256 << 20)
    assert run(code, confinement, policy=policy, seconds=30).ended_for == "too much memory"


def test_processor_time_is_bounded(confinement):
    outcome = run("while True: pass", confinement, policy=Policy(cpu_seconds=1))
    assert outcome.exit_code > 128
    assert outcome.ended_for == ""


def test_calls_by_the_numbers_of_32_bit_machines_end_the_program(confinement):
    # mov eax, 20 (getpid); int 0x80; ret
    code = (
        "import ctypes, mmap\n"
        "page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n"
        "page.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()\n"
        "print('came back')"
    )
    outcome = run(code, confinement)
    assert outcome.stdout == b""
    assert outcome.exit_code == 128 + 31  # SIGSYS


def test_calls_by_the_numbers_of_x32_end_the_program(confinement):
    outcome = run("import ctypes; ctypes.CDLL(None).syscall(0x40000000 + 39); print('came back')", confinement)
    assert outcome.stdout == b""


def test_a_program_that_is_not_there_is_named(confinement):
    outcome = run_to_end(["/usr/bin/nothing-of-that-name"], Policy(), confinement, seconds=20)
    assert outcome.exit_code == 125
    assert b"No such file" in outcome.stderr


def test_a_readable_path_that_is_not_there_is_left_out(confinement, tmp_path):
    assert run("print(1)", confinement, policy=Policy(readable=(tmp_path / "no",))).stdout == b"1\n"


def test_what_a_policy_names_can_be_read_and_not_written(confinement, tmp_path):
    (tmp_path / "given.txt").write_text("given")
    path = str(tmp_path / "given.txt")
    outcome = run(
        f"print(open({path!r}).read()); open({path!r}, 'w')", confinement, policy=Policy(readable=(tmp_path,))
    )
    assert outcome.stdout == b"given\n"
    assert (tmp_path / "given.txt").read_text() == "given"
    assert outcome.exit_code != 0


def test_a_program_outlives_the_thread_that_started_it(confinement):
    """Trap: "die with the parent" means the thread."""
    started = []
    code = "print(input())"
    starter = threading.Thread(
        target=lambda: started.append(SandboxedProcess([*python_command(), "-c", code], Policy(), confinement))
    )
    starter.start()
    starter.join()
    with started[0] as process:
        process.stdin.write(b"still here\n")
        process.stdin.close()
        assert process.stdout.read() == b"still here\n"


def test_closing_ends_the_program_and_forgets_its_folder(confinement):
    process = SandboxedProcess([*python_command(), "-c", "while True: pass"], Policy(), confinement)
    handle = os.pidfd_open(process.pid)
    ended = select.poll()
    ended.register(handle, select.POLLIN)
    assert process.is_running
    assert not ended.poll(0)
    process.close()
    process.close()
    assert not process.is_running
    assert ended.poll(0)
    os.close(handle)


def test_the_launchers_environment_does_not_leak_where_there_is_a_proc(confinement):
    """Trap: with /proc, the first process's environment is bubblewrap's own."""
    code = "import glob\nfor name in glob.glob('/proc/[0-9]*/environ'): print(open(name).read().replace(chr(0), ' '))"
    outcome = run(code, confinement, policy=Policy(may_fork=True))
    assert b"SATCHEL" not in outcome.stdout
    assert b"PYTEST" not in outcome.stdout


def test_a_program_that_may_fork_can_start_others_and_is_ended_with_them(confinement):
    code = (
        "import subprocess, sys\n"
        "print(subprocess.run(['/bin/echo', 'hello'], capture_output=True).stdout, flush=True)\n"
        "subprocess.Popen(['/bin/sleep', '600'])\nwhile True: pass"
    )
    outcome = run(code, confinement, policy=Policy(may_fork=True), seconds=3)
    assert outcome.stdout == b"b'hello\\n'\n"
    assert outcome.ended_for == "out of time"


def test_a_program_that_forks_for_ever_is_ended_with_all_that_it_started(confinement, tmp_path):
    mark = f"sandbox-test-{tmp_path.name}"
    code = (
        "import os, time\n"
        "for n in range(300):\n"
        "    try:\n        if os.fork() == 0:\n            os.fork(); time.sleep(600)\n"
        "    except OSError: pass\n"
        "time.sleep(600)"
    )
    command = [*python_command(), "-c", code, mark]
    outcome = run_to_end(command, Policy(may_fork=True, threads=40), confinement, seconds=10)
    assert outcome.ended_for in ("too many processes", "out of time")  # the latter where RLIMIT_NPROC holds it back
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in read(path)]
    assert left == []


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
def test_a_bubblewrap_that_cannot_run_is_an_error_with_its_words():
    from satchel.runtime.sandbox.confinement import Confinement

    with pytest.raises(SandboxStartError, match="could not be started in the sandbox"):
        SandboxedProcess([*python_command(), "-c", ""], Policy(), Confinement("/bin/false", 0))
