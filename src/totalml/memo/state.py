"""What a memo compares: states of files and folders, by which an unchanged one is known without being read.

Only the standard library's quick modules are imported here and in `recall`: whoever asks waits for nothing else.
"""

import os
import stat
from hashlib import blake2b

FileState = list[int] | None  # device, inode, size, time of change, time of the entry's change; None: not there


def file_state(path: str) -> FileState:
    """Of a file, or of a folder itself, whose state changes with the names in it."""
    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib takes longer to import than this to run
    except OSError:
        return None
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def tree_state(root: str, without: str | None = None) -> tuple[str, int]:
    """A digest over the names and states of all files below a folder, and the latest time of any entry, in ns.

    Args:
        without: name of entries that do not count.
    Raises: OSError: a part cannot be read, or is neither file nor folder: what a link leads to could change unseen.
    """
    above = os.stat(root)  # noqa: PTH116
    hasher, latest = blake2b(repr((above.st_dev, above.st_ino)).encode(), digest_size=16), above.st_mtime_ns
    waiting = [root]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            listed = sorted((entry for entry in entries if entry.name != without), key=lambda entry: entry.name)
        for entry in listed:
            found = entry.stat(follow_symlinks=False)
            latest = max(latest, found.st_mtime_ns, found.st_ctime_ns)
            state = [found.st_dev, found.st_ino]
            if stat.S_ISDIR(found.st_mode):
                waiting.append(entry.path)
            elif stat.S_ISREG(found.st_mode):
                state += [found.st_size, found.st_mtime_ns, found.st_ctime_ns]
            else:
                raise OSError(f"{entry.path} is neither a file nor a folder")
            hasher.update(os.fsencode(f"{entry.path}\0{state}\0"))
    return hasher.hexdigest(), latest
