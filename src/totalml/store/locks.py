"""Locks between the processes of one machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from totalml.store.atomic import explained

SAY_AFTER_S = 2.0


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file, which no other process can meanwhile; say on stderr what is waited for."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=SAY_AFTER_S)
        except Timeout:
            print(f"waiting for another process that holds {path}", file=sys.stderr, flush=True)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()
