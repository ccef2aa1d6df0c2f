"""Several processes behind one port end together, also where one of them hangs."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import time

import pytest
import uvicorn

from totalml.serving import server
from totalml.serving.workers import end_all

SPAWNED = multiprocessing.get_context("spawn")


def hang(ready) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.set()
    time.sleep(600)


def end_with(code: int) -> None:
    raise SystemExit(code)


@pytest.mark.slow
def test_a_worker_that_does_not_end_is_killed_and_told(capfd):
    ready = SPAWNED.Event()
    workers = [SPAWNED.Process(target=end_with, args=(0,)), SPAWNED.Process(target=hang, args=(ready,))]
    for worker in workers:
        worker.start()
    workers[0].join(60)
    assert ready.wait(60)
    assert end_all(workers, within_s=0.2) == 1
    assert [worker.exitcode for worker in workers] == [0, -signal.SIGKILL]
    assert "worker 2 did not end within 0.2 s and is killed" in capfd.readouterr().err


def test_an_address_is_said_once_it_can_be_asked(monkeypatch):
    """Where a client that waits for the line asks at once."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    said = []

    def ask(line: str) -> None:
        with socket.create_connection(bound.getsockname(), 5):
            said.append(line)
        telling.should_exit = True

    async def app(scope, receive, send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    monkeypatch.setattr(server, "say", ask)
    telling = server.telling(uvicorn.Config(app, log_level="error", lifespan="on"), "on http://127.0.0.1")
    telling.run(sockets=[bound])
    assert said == ["on http://127.0.0.1"]
