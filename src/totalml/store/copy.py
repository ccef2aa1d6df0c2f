"""Copy a file: a user's into the store, hashed on the way; or one of ours beside another.

A reflink where the file system can, so that nothing is written twice; never a hard link to a user's file, because an
edit in place would then damage the stored one.
"""

import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from totalml.store.atomic import temporary_beside, write_all

CHUNK_BYTES = 16 * 2**20
FICLONE = 0x40049409  # ioctl of Linux: share the blocks of another file


def copy_and_hash(source: BinaryIO, target: Path) -> bytes:
    """Write `target`, which must not exist; return the 32 bytes of its BLAKE3 hash."""
    from blake3 import blake3

    with target.open("xb", buffering=0) as writer:
        if _reflink(source.fileno(), writer.fileno()):
            return blake3(max_threads=blake3.AUTO).update_mmap(target).digest()
        return _copy_in_chunks(source.fileno(), writer.fileno())


def duplicate(source: Path, target: Path) -> None:
    """Give a file that we wrote a second place, replacing what is there; the reader must verify it.

    A hard link where there is no reflink: we only ever replace our files, and a user's edit shows in the digest.
    """
    temporary = temporary_beside(target)
    try:
        with source.open("rb") as reader, temporary.open("xb") as writer:
            if not _reflink(reader.fileno(), writer.fileno()):
                _link(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    target.unlink()
    try:
        target.hardlink_to(source)
    except OSError:  # another file system
        shutil.copyfile(source, target)


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
