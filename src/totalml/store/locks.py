"""Locks between the processes of one machine: `flock` on a file, which the system lifts from a process that dies."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from totalml.store.atomic import STORES, explained

SAY_AFTER_S = 2.0
LOOK_EVERY_S = 0.05


@contextmanager
def locked(path: Path, named: str = STORES) -> Iterator[None]:
    """Hold the lock file, which no other process can meanwhile; say on stderr what is waited for.

    Args: named: what says on which disk it lies.
    """
    with explained(path.parent, named=named):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _awaited(path)
    try:
        yield
    finally:
        _lift(descriptor)


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file if nobody else does; whether it is held."""
    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _held(path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            _lift(descriptor)


def _awaited(path: Path) -> int:
    due = time.monotonic() + SAY_AFTER_S
    told = False
    while (descriptor := _held(path)) is None:
        if not told and time.monotonic() > due:
            print(f"waiting for another process that holds {path}", file=sys.stderr, flush=True)
            told = True
        time.sleep(LOOK_EVERY_S)
    return descriptor


def _held(path: Path) -> int | None:
    """The open lock file; None if another process holds it."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Meanwhile a cleaning may have removed the file: others would lock another one of this name.
        if os.fstat(descriptor).st_nlink:
            os.utime(descriptor)  # when it was last used, for that cleaning
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _lift(descriptor: int) -> None:
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing alone would leave it to a forked child
    os.close(descriptor)
