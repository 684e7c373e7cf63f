# ruff: noqa: PTH123, PTH208, SIM115 - attempts are system calls, and the process ends
"""Attempts on other processes, and to start some."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading

from table import LIBC, attempt, checked, must, syscall


@attempt("fork")
def _(_scene):
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


@attempt("spawn a program")
def _(_scene):
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


@attempt("run a program")
def _(_scene):
    subprocess.run(["/bin/true"], check=True)


@attempt("run a shell")
def _(_scene):
    must(os.system("exit 0") == 0)


@attempt("start Python again")
def _(_scene):
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)


@attempt("fork with a terminal")
def _(_scene):
    child, _terminal = os.forkpty()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


@attempt("clone a process")
def _(_scene):
    if (child := syscall(56, int(signal.SIGCHLD), 0, 0, 0, 0)) == 0:
        os._exit(0)
    os.waitpid(child, 0)


@attempt("clone a process by the newer call")
def _(_scene):
    arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, int(signal.SIGCHLD))
    if (child := syscall(435, arguments, ctypes.sizeof(arguments))) == 0:
        os._exit(0)
    os.waitpid(child, 0)


@attempt("clone into a new user namespace")
def _(_scene):
    if (child := syscall(56, int(signal.SIGCHLD) | 0x10000000, 0, 0, 0, 0)) == 0:
        os._exit(0)
    os.waitpid(child, 0)


@attempt("see an environment")
def _(_scene):
    must(os.environ.get("SATCHEL_ATTEMPT_SECRET"))


@attempt("read a process's environment")
def _(scene):
    must(open(f"/proc/{scene.victim}/environ", "rb").read())


@attempt("read the environment of the parent")
def _(scene):
    must(open(f"/proc/{scene.parent}/environ", "rb").read())


@attempt("read a process's command line")
def _(scene):
    must(open(f"/proc/{scene.victim}/cmdline", "rb").read())


@attempt("read a process's map of memory")
def _(scene):
    must(open(f"/proc/{scene.victim}/maps", "rb").read())


@attempt("open a process's memory")
def _(scene):
    open(f"/proc/{scene.victim}/mem", "rb").close()


@attempt("go through a process's root")
def _(scene):
    must(os.listdir(f"/proc/{scene.victim}/root/"))


@attempt("open a process's files")
def _(scene):
    must(os.listdir(f"/proc/{scene.victim}/fd"))


@attempt("list processes")
def _(_scene):
    must(os.listdir("/proc"))


@attempt("read the table of mounts")
def _(_scene):
    must(open("/proc/self/mountinfo").read())


@attempt("write to its own memory through a file")
def _(_scene):
    open("/proc/self/mem", "r+b").close()


@attempt("signal a process")
def _(scene):
    os.kill(scene.victim, 0)


@attempt("signal the parent")
def _(scene):
    os.kill(scene.parent, 0)


@attempt("signal a thread of a process")
def _(scene):
    syscall(234, scene.victim, scene.victim, 0)


@attempt("hold a process by its handle")
def _(scene):
    os.close(os.pidfd_open(scene.victim))


@attempt("signal a process by its handle")
def _(scene):
    signal.pidfd_send_signal(os.pidfd_open(scene.victim), 0)


@attempt("take a file from a process by its handle")
def _(scene):
    os.close(syscall(438, os.pidfd_open(scene.victim), 0, 0))


@attempt("trace a process")
def _(scene):
    checked(LIBC.ptrace(16, scene.victim, 0, 0))
    os.waitpid(scene.victim, 0x40000000)
    checked(LIBC.ptrace(17, scene.victim, 0, 0))


@attempt("let itself be traced")
def _(_scene):
    checked(LIBC.ptrace(0, 0, 0, 0))


@attempt("read a process's memory by a call")
def _(scene):
    target = _stack_of(scene.victim)
    space = ctypes.create_string_buffer(8)
    ours = (ctypes.c_uint64 * 2)(ctypes.addressof(space), 8)
    theirs = (ctypes.c_uint64 * 2)(target, 8)
    must(syscall(310, scene.victim, ours, 1, theirs, 1, 0) == 8)


def _stack_of(pid):
    try:
        with open(f"/proc/{pid}/maps") as maps:
            return next(int(line.split("-")[0], 16) for line in maps if "[stack]" in line) + 0x1000
    except OSError:
        return 0x1000


@attempt("lower a process's limits")
def _(scene):
    resource.prlimit(scene.victim, resource.RLIMIT_CORE, (0, 0))


@attempt("read a process's limits")
def _(scene):
    resource.prlimit(scene.victim, resource.RLIMIT_CORE)


@attempt("move a process to another core")
def _(scene):
    os.sched_setaffinity(scene.victim, os.sched_getaffinity(0))


@attempt("change a process's priority")
def _(scene):
    os.setpriority(os.PRIO_PROCESS, scene.victim, 1)


@attempt("change a process's scheduling")
def _(scene):
    os.sched_setscheduler(scene.victim, os.SCHED_BATCH, os.sched_param(0))


@attempt("change a process's disk priority")
def _(scene):
    syscall(251, 1, scene.victim, 0x6007)


@attempt("compare two processes")
def _(scene):
    must(syscall(312, scene.victim, scene.parent, 1, 0, 0) >= 0)


@attempt("ask for a process's futexes")
def _(scene):
    head, size = ctypes.c_void_p(), ctypes.c_size_t()
    syscall(274, scene.victim, ctypes.byref(head), ctypes.byref(size))


@attempt("begin a session")
def _(_scene):
    os.setsid()


@attempt("outlive its parent")
def _(_scene):
    checked(LIBC.prctl(1, 0, 0, 0, 0))


@attempt("hide from core dumps")
def _(_scene):
    checked(LIBC.prctl(4, 1, 0, 0, 0))


@attempt("become itself anew (setuid)")
def _(_scene):
    os.setuid(os.getuid())


@attempt("become a group", needs_root=True)
def _(_scene):
    os.setgroups([4])


@attempt("read its powers")
def _(_scene):
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    syscall(125, header, data)


@attempt("have powers", needs_root=True)
def _(_scene):
    must(checked(LIBC.prctl(23, 21, 0, 0, 0)))  # is CAP_SYS_ADMIN in the bounding set?


@attempt("start more threads than it may")
def _(_scene):
    release = threading.Event()
    threads = []
    try:
        for _one in range(150):
            threads.append(threading.Thread(target=release.wait, daemon=True))
            threads[-1].start()
    except RuntimeError as error:
        raise OSError(11, str(error)) from error
    finally:
        release.set()
