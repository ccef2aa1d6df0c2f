"""Several processes behind one port: started again when they die, and ended together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from totalml.serving.address import Address, listen
from totalml.serving.followed import Followed
from totalml.serving.server import serve
from totalml.terminal import say, speak_as

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from totalml.store import Store

AGAIN_AFTER_S = 1.0  # a worker that died is started again
ENDS_WITHIN_S = 15.0  # a worker; one that hangs is killed


def serve_by_several(followed: Followed, store: Store | None, address: Address, count: int) -> int:
    """Start the workers, start again those that die, and end them all on SIGTERM."""
    listen(address).close()  # a port that is shared below would be shared with another service too, in silence
    with listen(address, socket.SO_REUSEPORT) as reserved:  # one for all if any was asked for
        chosen = replace(address, port=reserved.getsockname()[1])
        spawned: Any = multiprocessing.get_context("spawn")

        def start(place: int) -> BaseProcess:
            worker: BaseProcess = spawned.Process(target=_work, args=(followed, store, chosen, f"worker {place + 1}"))
            worker.start()
            return worker

        ending: list[int] = []
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda number, _: ending.append(number))
        workers = [start(place) for place in range(count)]
        while not ending:
            time.sleep(0.1)
            for place, worker in enumerate(workers):
                if worker.exitcode is not None and not ending:
                    say(f"worker {place + 1} ended with {worker.exitcode} and is started again")
                    time.sleep(AGAIN_AFTER_S)
                    workers[place] = start(place)
        return end_all(workers)


def end_all(workers: Sequence[BaseProcess], within_s: float = ENDS_WITHIN_S) -> int:
    """Have them end, and kill those that do not.

    Returns: the exit code of all: 1 if one was killed.
    """
    for worker in workers:
        worker.terminate()
    due = time.monotonic() + within_s
    for number, worker in enumerate(workers, start=1):
        worker.join(max(0.0, due - time.monotonic()))
        if worker.exitcode is None:
            say(f"worker {number} did not end within {within_s:g} s and is killed")
            worker.kill()
            worker.join()
    # One that was only starting is ended by the signal itself, and has lost nothing.
    codes = [worker.exitcode or 0 for worker in workers if worker.exitcode != -signal.SIGTERM]
    return max((code if code >= 0 else 1 for code in codes), default=0)


def _work(followed: Followed, store: Store | None, address: Address, name: str) -> None:
    """One of several processes behind the port; it ends with the one that started it, even where that was killed."""
    speak_as(name)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(serve(followed, store, address, listen(address, socket.SO_REUSEPORT)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101  # for the type checker
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
