"""Several processes behind one port: started again when they die, and ended together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from totalml.serving.address import Address, listen
from totalml.serving.followed import Followed
from totalml.serving.server import serve
from totalml.terminal import say

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from totalml.store import Store

AGAIN_AFTER_S = 1.0  # a worker that died is started again


def serve_by_several(followed: Followed, store: Store | None, address: Address, count: int) -> int:
    """Start the workers, start again those that die, and end them all on SIGTERM."""
    listen(address).close()  # a port that is shared below would be shared with another service too, in silence
    with listen(address, socket.SO_REUSEPORT) as reserved:  # one for all if any was asked for
        chosen = replace(address, port=reserved.getsockname()[1])
        spawned: Any = multiprocessing.get_context("spawn")

        def start() -> BaseProcess:
            worker: BaseProcess = spawned.Process(target=_work, args=(followed, store, chosen))
            worker.start()
            return worker

        ending: list[int] = []
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda number, _: ending.append(number))
        workers = [start() for _ in range(count)]
        while not ending:
            time.sleep(0.1)
            for place, worker in enumerate(workers):
                if worker.exitcode is not None and not ending:
                    say(f"a worker ended with {worker.exitcode} and is started again")
                    time.sleep(AGAIN_AFTER_S)
                    workers[place] = start()
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
        # One that was only starting is ended by the signal itself, and has lost nothing.
        codes = [abs(worker.exitcode or 0) for worker in workers if worker.exitcode != -signal.SIGTERM]
        return max(codes, default=0)


def _work(followed: Followed, store: Store | None, address: Address) -> None:
    """One of several processes behind the port; it ends with the one that started it, even where that was killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(serve(followed, store, address, listen(address, socket.SO_REUSEPORT)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101  # for the type checker
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
