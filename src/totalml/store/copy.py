"""Copy a large file and hash it on the way.

A reflink where the file system can, so that nothing is written twice; never a hard link, because an edit in
place of the user's file would then damage the stored one.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from totalml.store.atomic import write_all

CHUNK_BYTES = 16 * 2**20
FICLONE = 0x40049409  # ioctl of Linux: share the blocks of another file


def copy_and_hash(source: BinaryIO, target: Path) -> bytes:
    """Write `target`, which must not exist; return the 32 bytes of its BLAKE3 hash."""
    from blake3 import blake3

    with target.open("xb", buffering=0) as writer:
        if _reflink(source.fileno(), writer.fileno()):
            return blake3(max_threads=blake3.AUTO).update_mmap(target).digest()
        return _copy_in_chunks(source.fileno(), writer.fileno())


def _reflink(source: int, target: int) -> bool:
    import fcntl

    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True


def _copy_in_chunks(source: int, target: int) -> bytes:
    """Write one chunk while the next is read and hashed."""
    from blake3 import blake3

    hasher = blake3()  # one thread: hashing is faster than the disk, and the writer needs a core
    spare, buffer = bytearray(CHUNK_BYTES), bytearray(CHUNK_BYTES)
    with ThreadPoolExecutor(1) as pool:
        writing: Future[None] | None = None
        while count := os.readv(source, [buffer]):
            chunk = memoryview(buffer)[:count]
            hasher.update(chunk)
            if writing is not None:
                writing.result()
            writing = pool.submit(write_all, target, chunk)
            buffer, spare = spare, buffer
        if writing is not None:
            writing.result()
    return hasher.digest()
