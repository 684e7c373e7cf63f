# ruff: noqa: PTH103, PTH108, PTH123 - attempts are system calls, and `os` names them so
"""Attempts on the kernel: namespaces, keys, queues, and calls with a history."""

import ctypes
import mmap
import os
import resource
import socket
from pathlib import Path

from table import LIBC, attempt, checked, must, syscall

_PAGE = 4096


@attempt("make a user namespace")
def _(_scene):
    checked(LIBC.unshare(0x10000000))


@attempt("make a mount namespace", needs_root=True)
def _(_scene):
    checked(LIBC.unshare(0x00020000))


@attempt("make a network namespace", needs_root=True)
def _(_scene):
    checked(LIBC.unshare(0x40000000))


@attempt("stop sharing its files table")
def _(_scene):
    checked(LIBC.unshare(0x400))


@attempt("enter a namespace", needs_root=True)
def _(scene):
    checked(LIBC.setns(os.open(f"/proc/{scene.victim}/ns/net", os.O_RDONLY), 0))


@attempt("mount", needs_root=True)
def _(_scene):
    checked(LIBC.unshare(0x00020000))
    os.makedirs("mounted", exist_ok=True)
    checked(LIBC.mount(b"none", b"mounted", b"tmpfs", 0, None))


@attempt("mount by the newer calls", needs_root=True)
def _(_scene):
    os.close(syscall(430, ctypes.c_char_p(b"tmpfs"), 0))


@attempt("open a tree of mounts", needs_root=True)
def _(_scene):
    os.close(syscall(428, -100, ctypes.c_char_p(b"."), 1))


@attempt("change its root", needs_root=True)
def _(_scene):
    os.chroot(".")


@attempt("name the machine", needs_root=True)
def _(_scene):
    socket.sethostname(socket.gethostname())


@attempt("read the machine's name", needs_namespaces=True)
def _(_scene):
    must(os.uname().nodename != "sandbox")


@attempt("read the kernel's messages", needs_root=True)
def _(_scene):
    checked(LIBC.klogctl(10, None, 0))


@attempt("load a program into the kernel", needs_root=True)
def _(_scene):
    attributes = (ctypes.c_uint32 * 32)(2, 4, 4, 1)  # an array map
    os.close(syscall(321, 0, attributes, ctypes.sizeof(attributes)))


@attempt("handle page faults itself", needs_root=True)
def _(_scene):
    os.close(syscall(323, 0))


@attempt("add a key")
def _(_scene):
    syscall(248, ctypes.c_char_p(b"user"), ctypes.c_char_p(b"note"), ctypes.c_char_p(b"x"), 1, -2)


@attempt("look at its keyring")
def _(_scene):
    syscall(250, 0, -3, 1)


@attempt("make shared memory")
def _(_scene):
    checked(LIBC.shmctl(checked(LIBC.shmget(0, _PAGE, 0o1600)), 0, None))


@attempt("read the person's shared memory")
def _(scene):
    LIBC.shmat.restype = ctypes.c_long
    must(LIBC.shmat(scene.shared_memory, None, 0o10000) != -1)


@attempt("make a message queue")
def _(_scene):
    checked(LIBC.msgctl(checked(LIBC.msgget(0, 0o1600)), 0, None))


@attempt("read the person's message queue")
def _(scene):
    checked(LIBC.msgrcv(scene.message_queue, ctypes.create_string_buffer(64), 8, 0, 0o4000 | 0o40000))


@attempt("read the person's semaphores")
def _(scene):
    checked(LIBC.semctl(scene.semaphores, 0, 12))


@attempt("make a named queue")
def _(_scene):
    syscall(240, ctypes.c_char_p(b"satchel-attempt"), 0o102, 0o600, None)
    syscall(241, ctypes.c_char_p(b"satchel-attempt"))


@attempt("lock memory")
def _(_scene):
    page = mmap.mmap(-1, _PAGE)
    checked(LIBC.mlock(ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(page))), ctypes.c_size_t(_PAGE)))


@attempt("prefer a memory node")
def _(_scene):
    syscall(238, 0, None, 0)


@attempt("change its personality")
def _(_scene):
    syscall(135, 0xFFFFFFFF)


@attempt("give itself segments")
def _(_scene):
    syscall(154, 0, ctypes.create_string_buffer(64), 64)


@attempt("splice pipes")
def _(_scene):
    (source, fill), (_drain, target) = os.pipe(), os.pipe()
    os.write(fill, b"x")
    must(syscall(275, source, None, target, None, 1, 0) == 1)


@attempt("copy a pipe")
def _(_scene):
    (source, fill), (_drain, target) = os.pipe(), os.pipe()
    os.write(fill, b"x")
    must(syscall(276, source, target, 1, 0) == 1)


@attempt("give pages to a pipe")
def _(_scene):
    _drain, target = os.pipe()
    text = ctypes.create_string_buffer(b"x")
    must(syscall(278, target, (ctypes.c_uint64 * 2)(ctypes.addressof(text), 1), 1, 0) == 1)


@attempt("remap pages of a file")
def _(_scene):
    Path("mapped").write_bytes(b"x" * 2 * _PAGE)
    with open("mapped", "r+b") as file:
        area = mmap.mmap(file.fileno(), 2 * _PAGE)
    syscall(216, ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(area))), _PAGE, 0, 1, 0)


@attempt("ask for filters")
def _(_scene):
    syscall(317, 2, 0, (ctypes.c_uint32 * 1)(0x7FFF0000))


@attempt("read the kernel's clock settings")
def _(_scene):
    syscall(159, ctypes.create_string_buffer(256))


@attempt("set the clock", needs_root=True)
def _(_scene):
    # Zone only, to what it is: the clock itself stays.
    syscall(164, None, (ctypes.c_int32 * 2)(0, 0))


@attempt("read kinds of file systems")
def _(_scene):
    must(syscall(139, 3) > 0)


@attempt("flush everything to disk")
def _(_scene):
    LIBC.sync()
    syscall(162)


@attempt("make a POSIX timer")
def _(_scene):
    syscall(222, 1, None, ctypes.byref(ctypes.c_int()))


@attempt("take 3 GB of memory")
def _(_scene):
    mmap.mmap(-1, 3 << 30)


@attempt("write a file of 300 MB")
def _(_scene):
    handle = os.open("large", os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(handle, 0, 300 << 20)
    os.unlink("large")


@attempt("open a thousand files")
def _(_scene):
    handles = []
    try:
        for _one in range(1000):
            handles.append(os.open("/dev/null", os.O_RDONLY))  # noqa: PERF401 - those opened so far are closed
    finally:
        for handle in handles:
            os.close(handle)


@attempt("dump its core")
def _(_scene):
    must(resource.getrlimit(resource.RLIMIT_CORE)[1] != 0)


@attempt("raise its own limit of files")
def _(_scene):
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))


@attempt("raise its own limit of memory")
def _(_scene):
    resource.setrlimit(resource.RLIMIT_AS, (1 << 40, resource.getrlimit(resource.RLIMIT_AS)[1]))
