"""Receivers on this machine: of HTTP and of SMTP, which refuse for as long as a test wants."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Keeps what it took.

    Args:
        answers: status of each request to come; the last one stays.
    """

    daemon_threads = True

    def __init__(self, *answers: int) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.answers, self.taken = [*answers], []
        self.location = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if status == 200:
            self.server.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *told: Any) -> None:
        pass


class Mailbox(socketserver.ThreadingTCPServer):
    """Takes every letter as plain SMTP has it (RFC 5321).

    Args:
        refuses: the address that it does not take anything for.
    """

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, refuses: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.refuses, self.letters = refuses, []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self._say("354 go on")
                lines = [*iter(self.rfile.readline, b".\r\n")]
                self.server.letters.append(b"".join(lines))
            if verb == b"QUIT":
                self._say("221 bye")
                return
            refused = verb == b"RCPT" and self.server.refuses and self.server.refuses.encode() in line
            self._say("550 nobody here" if refused else "250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
