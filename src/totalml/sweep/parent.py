"""A worker of this machine ends soon after the process that conducts its sweep, however that ended.

A killed conductor would otherwise leave workers that train to the end of their jobs, and hold what the same command,
given again, has to wait for.
"""

import os
import threading
import time

LOOK_EVERY_S = 1.0

_watched: set[int] = set()


def leave_with(conductor: int) -> None:
    """End this process when its parent is no longer the conductor; nothing if it never was.

    Args:
        conductor: the process id.
    """
    if os.getppid() == conductor and conductor not in _watched:
        _watched.add(conductor)
        threading.Thread(target=_leave_when_gone, args=(conductor,), daemon=True).start()


def _leave_when_gone(conductor: int) -> None:
    while os.getppid() == conductor:
        time.sleep(LOOK_EVERY_S)
    os._exit(1)
