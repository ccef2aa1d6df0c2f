"""A worker of this machine ends soon after the process that conducts it, however that ended.

A killed conductor would otherwise leave workers that go on to the end of their jobs, and hold what the same command,
given again, has to wait for; or that wait for ever for the rest of one, in a pipe of which they hold both ends.
"""

import os
import threading
import time

LOOK_EVERY_S = 1.0

_watched: set[int] = set()


def leave_with(conductor: int) -> None:
    """End this process when the conductor has gone, also before this was called; nothing if it is no child of it.

    Args:
        conductor: the process id.
    """
    if conductor in (os.getpid(), *_watched) or (os.getppid() != conductor and _lives(conductor)):
        return
    _watched.add(conductor)
    threading.Thread(target=_leave_when_gone, args=(conductor,), daemon=True).start()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _leave_when_gone(conductor: int) -> None:
    while os.getppid() == conductor:
        time.sleep(LOOK_EVERY_S)
    os._exit(1)
