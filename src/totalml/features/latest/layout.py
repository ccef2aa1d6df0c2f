"""How the file lies on disk: a head, then two Arrow files, of the entities and of their rows.

The digest in the head is of all that follows it, so that no bit is ever read that was not written.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from totalml.identity import digest, short

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"totalml latest 1"
_HEAD = struct.Struct("<16s32sQ8x")  # 64 bytes, as Arrow aligns what it maps
_DIGESTED = 48


class Damaged(Exception):
    """What is wrong with the bytes."""


def to_bytes(entities: pa.Table, rows: pa.Table) -> bytes:
    first = _arrow(entities)
    rest = _HEAD.pack(b"", b"", len(first))[_DIGESTED:] + first + bytes(_gap(len(first))) + _arrow(rows)
    return MAGIC + _digest(rest) + rest


def from_buffer(buffer: pa.Buffer) -> tuple[pa.Table, pa.Table]:
    """The entities and the rows, without a copy.

    Raises: Damaged: they are not what was written.
    """
    import pyarrow as pa

    if len(buffer) < _HEAD.size or not (head := bytes(buffer[: _HEAD.size])).startswith(MAGIC):
        raise Damaged(f"it does not begin with {MAGIC.decode()!r}")
    _, expected, size = _HEAD.unpack(head)
    if _digest(memoryview(buffer)[_DIGESTED:]) != expected:
        raise Damaged("its bytes are not those of its digest, so it was cut or changed")
    entities, rows = buffer.slice(_HEAD.size, size), buffer.slice(_HEAD.size + size + _gap(size))
    return pa.ipc.open_file(entities).read_all(), pa.ipc.open_file(rows).read_all()


def _gap(size: int) -> int:
    return -size % _HEAD.size


def _digest(payload: bytes | memoryview) -> bytes:
    return bytes.fromhex(short(digest("latest values v1", payload), 64))


def _arrow(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())
