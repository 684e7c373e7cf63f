"""A real web server on this machine whose answers a test writes, well-formed or not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Answer = Callable[[str, bytes], "bytes | None"]
"""(request line and headers, body) -> the bytes to send; None closes without a word."""


class WebServer:
    """Answers each connection's one request; keeps what it was sent."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answer, self._tls = answer, tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, name="test web server", daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            # A client that goes away in the middle is part of these tests.
            with connection, contextlib.suppress(OSError):
                self._talk(self._tls.wrap_socket(connection, server_side=True) if self._tls else connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        received = b""
        while b"\r\n\r\n" not in received:
            if not (chunk := connection.recv(65536)):
                return
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        length = next(
            (int(line.split(":")[1]) for line in text.splitlines() if line.lower().startswith("content-length:")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        self.requests.append(text)
        self.bodies.append(body)
        answer = self._answer(text, body)
        if answer is not None:
            connection.sendall(answer)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


@contextlib.contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    server = WebServer(answer, tls)
    try:
        yield server
    finally:
        server.close()


def page(
    body: bytes | str, *headers: str, status: str = "200 OK", media_type: str = "text/html; charset=utf-8"
) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + content


def redirect(location: str, status: str = "302 Found") -> bytes:
    return page("", f"Location: {location}", status=status)
