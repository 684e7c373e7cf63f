# ruff: noqa: PTH101, PTH102, PTH104, PTH108, PTH109, PTH110, PTH116, PTH119, PTH123, PTH208, PTH211
# - attempts are system calls, and `os` names them so
"""Attempts on the person's files."""

import os
import stat
import sys
from pathlib import Path

from table import attempt, must, syscall


@attempt("read a file")
def _(scene):
    must(Path(scene.secret).read_bytes())


@attempt("read a file through a folder's handle")
def _(scene):
    root = os.open("/", os.O_RDONLY)
    must(os.read(os.open(scene.secret[1:], os.O_RDONLY, dir_fd=root), 1))


@attempt("read a file by climbing")
def _(scene):
    must(Path("../" * 20 + scene.secret).read_bytes())


@attempt("read a file through a link of its own")
def _(scene):
    Path("way").symlink_to(scene.secret)
    must(Path("way").read_bytes())


@attempt("map a file")
def _(scene):
    import mmap

    with open(scene.secret, "rb") as file:
        must(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:1])


@attempt("read an inherited descriptor")
def _(scene):
    must(os.pread(scene.inherited, 6, 0) == b"secret")


@attempt("see that a file exists", needs_namespaces=True)
def _(scene):
    os.stat(scene.secret)


@attempt("list a folder")
def _(scene):
    must(os.listdir(scene.folder))


@attempt("list the root")
def _(_scene):
    must("etc" in os.listdir("/"))


@attempt("list the home folders")
def _(_scene):
    os.listdir("/home")


@attempt("read the list of users")
def _(_scene):
    must("root:" in Path("/etc/passwd").read_text())


@attempt("read the passwords", needs_root=True)
def _(_scene):
    must(Path("/etc/shadow").read_text())


@attempt("read the name servers")
def _(_scene):
    Path("/etc/resolv.conf").read_text()


@attempt("read the machine's name from a file")
def _(_scene):
    Path("/etc/hostname").read_text()


@attempt("overwrite a file")
def _(scene):
    Path(scene.spare).write_text("x")


@attempt("append to a file")
def _(scene):
    with open(scene.spare, "a") as file:
        file.write("x")


@attempt("cut a file short by its name")
def _(scene):
    os.truncate(scene.spare, 0)


@attempt("cut a file short while opening it")
def _(scene):
    os.close(os.open(scene.spare, os.O_RDONLY | os.O_TRUNC))


@attempt("delete a file")
def _(scene):
    os.unlink(scene.spare)


@attempt("rename a file")
def _(scene):
    os.rename(scene.spare, scene.spare + ".moved")


@attempt("move a file into the work folder")
def _(scene):
    os.rename(scene.spare, scene.spare + ".mine" if os.getcwd().startswith(scene.folder) else "mine")


@attempt("link a file into the work folder")
def _(scene):
    os.link(scene.secret, scene.secret + ".link" if os.getcwd().startswith(scene.folder) else "linked")


@attempt("make a file")
def _(scene):
    Path(scene.folder, "made").touch(exist_ok=False)


@attempt("make a folder")
def _(scene):
    os.mkdir(scene.folder + "/made-folder")


@attempt("make a link")
def _(scene):
    os.symlink("/", scene.folder + "/made-link")


@attempt("make a pipe")
def _(scene):
    os.mkfifo(scene.folder + "/made-pipe")


@attempt("make a node")
def _(scene):
    os.mknod(scene.folder + "/made-node", stat.S_IFREG | 0o600)


@attempt("make a device", needs_root=True)
def _(_scene):
    os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, 5))


@attempt("open a file to everyone")
def _(scene):
    os.chmod(scene.spare, 0o777)
    must(stat.S_IMODE(os.stat(scene.spare).st_mode) == 0o777)


@attempt("change a file's time")
def _(scene):
    os.utime(scene.spare, (1, 1))
    must(os.stat(scene.spare).st_mtime == 1)


@attempt("change a file's owner")
def _(scene):
    os.chown(scene.spare, os.getuid(), os.getgid())


@attempt("give a file an attribute")
def _(scene):
    os.setxattr(scene.spare, "user.note", b"x")


@attempt("set the set-user-id bit")
def _(scene):
    target = scene.spare if os.path.exists(scene.spare) else "program"
    Path(target).touch()
    os.chmod(target, 0o4755)
    must(os.stat(target).st_mode & stat.S_ISUID)


@attempt("execute what it wrote")
def _(_scene):
    import shutil

    # Landlock does not answer `access`, so only a real attempt tells: this process becomes one that exits with 0.
    shutil.copyfile("/bin/true", "program-of-its-own")
    Path("program-of-its-own").chmod(0o755)
    os.execv("program-of-its-own", ["true"])


@attempt("write to the shared memory folder")
def _(scene):
    place = Path(f"/dev/shm/satchel-{os.path.basename(scene.folder)}")
    place.touch(exist_ok=False)
    place.unlink()


@attempt("write to the system's temporary folder")
def _(scene):
    place = Path(f"/var/tmp/satchel-{os.path.basename(scene.folder)}")
    place.touch()
    place.unlink()


@attempt("write to the system's settings", needs_root=True)
def _(_scene):
    place = Path("/etc/satchel-attempt")
    place.touch()
    place.unlink()


@attempt("write to the system's programs", needs_root=True)
def _(_scene):
    place = Path("/usr/bin/satchel-attempt")
    place.touch()
    place.unlink()


@attempt("write to the runtime folder", needs_root=True)
def _(_scene):
    place = Path("/run/satchel-attempt")
    place.touch()
    place.unlink()


@attempt("write to the root", needs_root=True)
def _(_scene):
    place = Path("/satchel-attempt")
    place.touch()
    place.unlink()


@attempt("write to this Python", needs_root=True)
def _(_scene):
    place = Path(sys.prefix, "satchel-attempt")
    place.touch()
    place.unlink()


@attempt("make a terminal")
def _(_scene):
    os.openpty()


@attempt("read the kernel's messages from their device", needs_root=True)
def _(_scene):
    os.close(os.open("/dev/kmsg", os.O_RDONLY))


@attempt("look at devices")
def _(_scene):
    must(os.listdir("/sys/class"))


@attempt("read flags of a file by ioctl")
def _(_scene):
    import fcntl

    Path("flagged").touch()
    with open("flagged") as file:
        fcntl.ioctl(file.fileno(), 0x80086601, b"\0" * 8)


@attempt("watch a folder")
def _(scene):
    import ctypes

    from table import LIBC, checked

    handle = checked(LIBC.inotify_init())
    checked(LIBC.inotify_add_watch(handle, ctypes.c_char_p(scene.folder.encode()), 0xFFF))


@attempt("watch the whole system", needs_root=True)
def _(_scene):
    syscall(300, 0, 0)  # fanotify_init


@attempt("name a file by its handle")
def _(scene):
    import ctypes

    handle = ctypes.create_string_buffer(b"\x80\0\0\0", 136)
    mount = ctypes.c_int()
    syscall(303, -100, ctypes.c_char_p(scene.secret.encode()), handle, ctypes.byref(mount), 0)
