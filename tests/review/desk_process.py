"""A desk in a process of its own, spoken with in lines of JSON over a socket, so that it can be killed.

python -m tests.review.desk_process STORE SOCKET
"""

from __future__ import annotations

import json
import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from totalml.recipe.review import ReviewRecipe
from totalml.review.desk import Desk
from totalml.review.reviews import Reviews
from totalml.store import Store

READY = "ready"
LONGEST_S = 60.0


class Answers(socketserver.StreamRequestHandler):
    """{next: who} -> the name of an item; {give: who, key, item, answer} -> the key of what stands."""

    def handle(self) -> None:
        desk: Desk = self.server.desk  # type: ignore[attr-defined]
        for line in self.rfile:
            asked = json.loads(line)
            if "next" in asked:
                told = [each.item for each in desk.next(asked["next"])]
            else:
                told = [desk.give(asked["give"], asked["key"], desk.item(asked["item"]), asked["answer"]).key]
            self.wfile.write(json.dumps(told).encode() + b"\n")


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads, request_queue_size = True, 128


class Service:
    """Started, killed and started again; `ask` waits until it answers, as a page's outbox does."""

    def __init__(self, store: Path, model: str) -> None:
        self._command = [sys.executable, "-m", "tests.review.desk_process", str(store), model]
        self._path = store.parent / "desk.socket"
        self._up = threading.Event()
        self._local = threading.local()

    def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._process = subprocess.Popen([*self._command, str(self._path)], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == READY
        self._up.set()

    def kill(self) -> None:
        self._up.clear()
        self._process.kill()
        self._process.communicate()

    def ask(self, **asked: Any) -> list[str]:
        while True:
            assert self._up.wait(LONGEST_S), "it was not started again"
            try:
                return self._ask(asked)
            except (OSError, EOFError):
                self._local.file = None

    def _ask(self, asked: dict[str, Any]) -> list[str]:
        if getattr(self._local, "file", None) is None:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(LONGEST_S)
            with connection:  # the file keeps it open
                connection.connect(str(self._path))
                self._local.file = connection.makefile("rwb", buffering=0)
        self._local.file.write(json.dumps(asked).encode() + b"\n")
        told = self._local.file.readline()
        if not told.endswith(b"\n"):
            raise EOFError
        found: list[str] = json.loads(told)
        return found


def main(store: str, model: str, path: str) -> None:
    with Server(path, Answers) as server:
        server.desk = Desk(Reviews(Store(Path(store)), model), ReviewRecipe())  # type: ignore[attr-defined]
        print(READY, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
