"""By processes of this machine, which may be killed: what one had in hand is done again.

All processes end when one is killed, and nobody can say which item it had. So what was under way is done again
together; what was under way at two ends is done alone, which shows whose fault it is.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, wait
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from totalml.errors import MissingExtraError, WorkerError
from totalml.workers.parent import leave_with

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 8  # items a process that are under way or wait to be taken: a bound for memory
TRIES = 3  # the last one alone
IDLE_S = 10  # after which a process that has nothing to do leaves
# Of libraries that share out a core that is taken; also, another number of them may move last digits.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}

# By number of workers, for the next call too. Not loky's own one: joblib takes that for its own, and fails.
_executors: dict[int, Any] = {}
atexit.register(_executors.clear)  # one that goes later than the modules it needs complains of that


def by_processes(
    function: Callable[[T], R],
    items: Iterable[T],
    workers: int | None,
    name: Callable[[T], str],
    wanted_by: str,
    count: int | None = None,
) -> Iterator[R]:
    """As `Crew.map`.

    Args:
        workers: None: as many as there are cores.
        wanted_by: what asked for processes, in the user's words.
        count: of the items; no more processes are started.
    """
    pool = _Pool(function, workers, wanted_by, count)
    todo, under_way = iter(items), deque[_Given[T, R]]()
    try:
        while True:
            room = AHEAD * pool.workers - len(under_way)
            under_way.extend(_Given(item, pool.submit(item)) for item in islice(todo, room))
            if not under_way:
                return
            try:
                result = under_way[0].future.result()
            except BrokenExecutor:
                _do_again(under_way, pool, name)
                continue
            under_way.popleft()
            yield result
    finally:
        for given in under_way:  # what has begun is waited for when this process ends; loky's own way to kill it fails
            given.future.cancel()


def end() -> None:
    """End the processes that wait for more; who asks next has others."""
    while _executors:
        _executors.popitem()[1].shutdown()


@dataclass
class _Given(Generic[T, R]):
    """Args: ends: of processes, while the item was under way."""

    item: T
    future: Future[R]
    ends: int = 0


class _Pool(Generic[T, R]):
    def __init__(self, function: Callable[[T], R], workers: int | None, wanted_by: str, count: int | None) -> None:
        try:
            from joblib import cpu_count
            from joblib.externals.loky import ProcessPoolExecutor
        except ModuleNotFoundError as error:
            raise MissingExtraError("joblib", "train", wanted_by) from error
        self.workers: int = workers or cpu_count()
        if count is not None:
            self.workers = max(1, min(self.workers, count))
        self._function, self._kind = function, ProcessPoolExecutor

    def submit(self, item: T) -> Future[R]:
        try:
            return self._submitted(item)
        except BrokenExecutor:  # since the last one was taken
            _executors.pop(self.workers).shutdown()
            return self._submitted(item)

    def _submitted(self, item: T) -> Future[R]:
        if self.workers not in _executors:
            _executors[self.workers] = self._kind(
                self.workers, timeout=IDLE_S, initializer=_begin, initargs=(os.getpid(),), env=ONE_THREAD
            )
        future: Future[R] = _executors[self.workers].submit(self._function, item)
        return future


def _do_again(under_way: Iterable[_Given[T, R]], pool: _Pool[T, R], name: Callable[[T], str]) -> None:
    wait([given.future for given in under_way])
    lost = [given for given in under_way if _is_lost(given.future)]
    for given in lost:
        given.ends += 1
        if given.ends == TRIES - 1:
            given.future = pool.submit(given.item)
            if wait([given.future]) and _is_lost(given.future):
                raise WorkerError(ended_all(name(given.item)))
    for given in lost:
        if given.ends < TRIES - 1:
            given.future = pool.submit(given.item)


def ended_all(name: str) -> str:
    return (
        f"{name} ended {TRIES} workers, one after the other: it takes more memory than there is, or a library crashes "
        "on it. Leave it out or mend it; with more memory, the same command goes on."
    )


def _is_lost(future: Future[Any]) -> bool:
    return isinstance(future.exception(), BrokenExecutor)


def _begin(caller: int) -> None:
    """In each process. Args: caller: its process id."""
    # Left to the caller: a terminal sends it to the processes too, each of which would print a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_with(caller)
    from joblib.externals.loky import process_executor

    # loky ends a process that has grown by 300 MB since its first item. Whole parts of larger pictures take more, and
    # to start again and load a model costs half as much as they do.
    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
