"""What is scored at once and written as one part; its bounds depend on nothing but the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 256  # samples that have a picture
ROWS = 8192  # samples that have none: more of them in one part cost less to write and to keep


class Picture(NamedTuple):
    """Args:
    id: its path below the folder.
    path: by which its folder reads it; "": it cannot be read.
    state: what tells its content from an earlier one.
    error: why it cannot be read.
    """

    id: str
    path: str
    state: str = ""
    error: str | None = None


@dataclass(frozen=True)
class Chunk:
    """Args:
    ids: of its samples.
    pictures: None: the model sees none.
    rows: with the columns of the signature, and those of its context that are there; None: there are none.
    errors: of each sample, why it cannot be used; None: nothing is known against it.
    made: columns of the rows that nobody gave: they are of shared features.
    """

    ids: Sequence[str]
    pictures: Sequence[Picture] | None
    rows: pa.Table | None
    errors: Sequence[str | None]
    made: Sequence[str] = ()

    def state(self) -> bytes:
        """32 bytes: others if a name, a value or a file's state is another one."""
        from blake3 import blake3

        rows = [_digest(name, self.rows[name]) for name in self.rows.column_names] if self.rows is not None else None
        told = repr((self.ids, self.pictures, rows, self.errors)).encode("utf-8", "surrogateescape")
        return blake3(told, derive_key_context="totalml inputs v2").digest()


def _digest(name: str, values: pa.ChunkedArray) -> str:
    from totalml.data.data_hash import column_digest

    # Columns that are made here are float32, which a snapshot has not.
    return column_digest(name, values.cast("float64") if values.type == "float" else values)


class Listed(NamedTuple):
    """A chunk to be scored.

    Args:
        number: its place among them.
        state: that it had when all were listed.
    """

    number: int
    state: bytes
    chunk: Chunk


class Part(NamedTuple):
    """What was made of a chunk.

    Args:
        number: place of the chunk among them.
        data: the part, as `part_bytes` of its table; None: it is saved already.
    """

    number: int
    data: bytes | None
