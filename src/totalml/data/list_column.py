"""Lists of texts in a table, kept as one text each: no snapshot holds lists.

Joined by the separator that `totalml.task.MultiLabel` splits by unless told otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import SnapshotError

if TYPE_CHECKING:
    import pyarrow as pa

SEPARATOR = ";"


def is_list_of_text(column: pa.ChunkedArray) -> bool:
    import pyarrow.types as types

    kind = column.type
    lists = types.is_list(kind) or types.is_large_list(kind)
    return lists and (types.is_string(kind.value_type) or types.is_large_string(kind.value_type))


def as_text(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """An empty list is an empty text, a missing one a missing value.

    Raises: SnapshotError: an element is missing, or holds the separator; the text would not give it back.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column.cast(pa.list_(pa.string()))
    elements = pc.list_flatten(column)
    torn = elements.filter(pc.match_substring(elements, SEPARATOR))
    if len(torn) or elements.null_count:
        what = f"{torn[0].as_py()!r}, which holds a {SEPARATOR!r}" if len(torn) else "a missing text"
        raise SnapshotError(
            f"column {name!r} of {path} holds lists, which are kept as text joined with {SEPARATOR!r}, and in them "
            f"{what}; write another text there, or leave the column out with data.source.metadata_columns"
        )
    return pc.binary_join(column, SEPARATOR)
