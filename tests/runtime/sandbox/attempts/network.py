# ruff: noqa: PTH123, SIM115 - the process ends
"""Attempts to reach anything outside by a socket."""

import os
import socket

from table import attempt, must, syscall


@attempt("connect over IPv4")
def _(scene):
    socket.create_connection(("127.0.0.1", scene.tcp), 5).close()


@attempt("connect over IPv6")
def _(scene):
    with socket.socket(socket.AF_INET6) as one:
        one.connect(("::1", scene.tcp6))


@attempt("connect without waiting")
def _(scene):
    with socket.socket() as one:
        one.setblocking(False)
        must(one.connect_ex(("127.0.0.1", scene.tcp)) in (0, 115))


@attempt("send a datagram")
def _(scene):
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        must(one.sendto(b"x", ("127.0.0.1", scene.udp)))


@attempt("send data while connecting")
def _(scene):
    with socket.socket() as one:
        one.sendto(b"x", 0x20000000, ("127.0.0.1", scene.tcp))  # MSG_FASTOPEN


@attempt("listen for connections")
def _(_scene):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()


@attempt("connect to a socket file")
def _(scene):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(scene.unix)


@attempt("connect to an abstract socket")
def _(scene):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect("\0" + scene.abstract)


@attempt("send to an abstract socket from a pair")
def _(scene):
    ours, _theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.sendto(b"x", "\0" + scene.abstract + "-datagrams")


@attempt("make a pair of sequenced packets")
def _(_scene):
    socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@attempt("listen on a socket file in its work folder")
def _(_scene):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("listening")


@attempt("resolve a name")
def _(_scene):
    must(socket.getaddrinfo("localhost", 80))


@attempt("ask the kernel about interfaces")
def _(_scene):
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


@attempt("list interfaces")
def _(_scene):
    must(socket.if_nameindex())


@attempt("send raw packets", needs_root=True)
def _(_scene):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


@attempt("capture packets", needs_root=True)
def _(_scene):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


@attempt("use the system's event loop of the kernel (io_uring)")
def _(_scene):
    import ctypes

    os.close(syscall(425, 1, ctypes.create_string_buffer(120)))


@attempt("read the table of connections")
def _(_scene):
    must(open("/proc/net/tcp").read())
