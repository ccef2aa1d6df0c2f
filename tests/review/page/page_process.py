"""A page in a process of its own, over a real port, so that it can be killed.

python -m tests.review.page.page_process STORE MODEL PORT
"""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from tests.review.page.sites import Pints
from tests.serving.serving import PICTURE
from totalml.recipe.review import ReviewRecipe
from totalml.review.desk import Desk
from totalml.review.page.session import Limit
from totalml.review.page.site import Site
from totalml.review.reviews import Reviews
from totalml.store import Store

LONGEST_S = 60.0


class Process:
    """Started, killed and started again; `ask` waits until it answers, as the outbox of a page does."""

    def __init__(self, store: Path, model: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._command = [sys.executable, "-m", "tests.review.page.page_process", str(store), model, str(self._port)]
        self._up = threading.Event()
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command)
        due = time.monotonic() + LONGEST_S
        while time.monotonic() < due:
            try:
                httpx.get(f"{self.url}/healthz", verify=False)
                break
            except httpx.TransportError:
                assert self._process.poll() is None, "the page ended before it had started"
                time.sleep(0.02)
        self._up.set()

    def kill(self) -> None:
        self._up.clear()
        self._process.kill()
        self._process.wait()

    def may_write(self, most_bytes: int | None) -> None:
        """As on a disk that has no more room, in each file that it writes; None: as much as it likes."""
        soft = resource.RLIM_INFINITY if most_bytes is None else most_bytes
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    def ask(self, client: httpx.Client, method: str, path: str, **more: object) -> str:
        while True:
            assert self._up.wait(LONGEST_S), "it was not started again"
            try:
                answer = client.request(method, f"{self.url}{path}", **more)  # type: ignore[arg-type]
            except httpx.TransportError:
                time.sleep(0.01)
                continue
            assert answer.status_code == 200, answer.text
            return answer.text


def main(store: str, model: str, port: str) -> None:
    import uvicorn

    fast = Limit(burst=1e9, per_second=1e9)  # no person is as fast as a test
    desk = Desk(Reviews(Store(Path(store)), model), ReviewRecipe())
    app = Site(desk, PICTURE, Pints(), calls=fast).app()
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", lifespan="off")


if __name__ == "__main__":
    main(*sys.argv[1:])
