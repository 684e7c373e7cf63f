# ruff: noqa: T201, PTH208 - its output is what it is for
"""Set the scene, make every attempt outside and inside each confinement, print what happened as JSON.

Run as the person whose things are in danger: root, and an ordinary user.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from satchel.runtime.sandbox import bubblewrap
from satchel.runtime.sandbox.confinement import Confinement
from satchel.runtime.sandbox.inside import landlock_abi
from satchel.runtime.sandbox.policy import Policy
from satchel.runtime.sandbox.running import run_to_end

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from table import LIBC, Scene, checked  # noqa: E402 - beside this file

_MOST_ATTEMPTS = 300


def main() -> None:
    with contextlib.ExitStack() as stack:
        scene = _set(stack)
        arguments = json.dumps(dataclasses.asdict(scene))
        outside = subprocess.run(
            [sys.executable, str(HERE / "run.py"), "outside", arguments],
            env={**os.environ, "SATCHEL_ATTEMPT_SECRET": "secret"},
            cwd=scene.folder,
            pass_fds=[scene.inherited],
            stdout=subprocess.PIPE,
            check=True,
        )
        results = {"user": os.getuid(), "outside": json.loads(outside.stdout)}
        for name, confinement in _confinements().items():
            _lay_spares(scene.folder)
            before = _picture(scene.folder)
            outcome = run_to_end(
                [*bubblewrap.python_command(), str(HERE / "run.py"), "inside", arguments],
                Policy(readable=(HERE,)),
                confinement,
                seconds=120,
            )
            if outcome.exit_code or outcome.ended_for:
                sys.exit(f"{name}: {outcome.exit_code} {outcome.ended_for} {outcome.stderr.decode()[-3000:]}")
            results[name] = json.loads(outcome.stdout)
            results[f"{name} changed"] = before != _picture(scene.folder)
        print(json.dumps(results))


def _confinements() -> dict[str, Confinement]:
    found = {"Landlock alone": Confinement(None, landlock_abi())} if landlock_abi() else {}
    return found | ({"bubblewrap": Confinement(bwrap, landlock_abi())} if (bwrap := shutil.which("bwrap")) else {})


def _set(stack: contextlib.ExitStack) -> Scene:
    # Shallow, because the path of a socket is short.
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="satchel-scene-"))
    secret = Path(folder, "secret")
    secret.write_text("secret of a person")
    inherited = os.open(secret, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    victim = stack.enter_context(
        subprocess.Popen(["sleep", "600"], env={"SECRET": "secret", "PATH": os.environ["PATH"]})
    )
    stack.callback(victim.kill)
    tcp = tcp6 = socket.create_server(("127.0.0.1", 0))
    with contextlib.suppress(OSError):  # a machine without IPv6
        tcp6 = socket.create_server(("::1", 0), family=socket.AF_INET6)
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    unix, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    unix.bind(f"{folder}/socket")
    abstract_name = Path(folder).name
    abstract.bind(f"\0{abstract_name}")
    datagrams.bind(f"\0{abstract_name}-datagrams")
    for one in (unix, abstract):
        one.listen()
    for one in (tcp, tcp6, udp, unix, abstract, datagrams):
        stack.callback(one.close)
    return Scene(
        secret=str(secret), spare="", folder=folder, victim=victim.pid, parent=os.getpid(),
        tcp=tcp.getsockname()[1], tcp6=tcp6.getsockname()[1], udp=udp.getsockname()[1],
        unix=f"{folder}/socket", abstract=abstract_name, inherited=inherited, **_queues(stack),
    )  # fmt: skip


def _queues(stack: contextlib.ExitStack) -> dict[str, int]:
    memory = checked(LIBC.shmget(0, 4096, 0o1600))
    stack.callback(LIBC.shmctl, memory, 0, None)
    queue = checked(LIBC.msgget(0, 0o1600))
    stack.callback(LIBC.msgctl, queue, 0, None)
    message = ctypes.create_string_buffer(b"\1\0\0\0\0\0\0\0secret")
    checked(LIBC.msgsnd(queue, message, 6, 0))
    semaphores = checked(LIBC.semget(0, 1, 0o1600))
    stack.callback(LIBC.semctl, semaphores, 0, 0)
    return {"shared_memory": memory, "message_queue": queue, "semaphores": semaphores}


def _lay_spares(folder: str) -> None:
    for name in os.listdir(folder):
        if name not in ("secret", "socket"):
            path = Path(folder, name)
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for number in range(_MOST_ATTEMPTS):
        Path(folder, f"spare-{number}").write_text("spare")


def _picture(folder: str) -> list[tuple[object, ...]]:
    """All that could have been changed of the person's files."""
    return [
        (path.name, found.st_mode, found.st_uid, found.st_size, found.st_mtime_ns, found.st_nlink,
         path.read_bytes() if path.is_file() else b"")
        for path in sorted(Path(folder).iterdir())
        for found in [path.lstat()]
    ]  # fmt: skip


main()
