"""Any number of labels for each sample, out of metadata columns.

What is wrong is told of all columns and samples at once, since whoever mends a table mends it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError
from totalml.features.targets import Targets
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

NAMED_AT_MOST = 10


def read_flags(metadata: pa.Table, ids: pa.ChunkedArray, labels: Sequence[str]) -> Targets:
    """One column a label: true or false, 1 or 0.

    Raises: FeatureError: columns that are not there, of another kind, or with values missing.
    """
    wrong = [fault for name in labels for fault in _faults(metadata, ids, name)]
    if wrong:
        raise FeatureError("\n".join(["task.labels cannot be read as true or false:", *(f"  {one}" for one in wrong)]))
    columns = [metadata[name].cast("float32").to_numpy() for name in labels]
    return Targets(tuple(labels), np.stack(columns, axis=1))


def _faults(metadata: pa.Table, ids: pa.ChunkedArray, name: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in metadata.column_names:
        return [_absent(metadata, name)]
    column, faults = metadata[name], []
    if column.null_count:
        faults.append(f"{name!r} is empty {_in(ids.filter(pc.is_null(column)))}; fill it in or remove the samples")
    if pa.types.is_boolean(column.type):
        return faults
    if not pa.types.is_integer(column.type) and not pa.types.is_floating(column.type):
        return [*faults, f"{name!r} holds {column.type}; write true or false, or 1 or 0"]
    other = pc.fill_null(pc.invert(pc.is_in(column, pa.array([0, 1], column.type))), False)
    other = pc.and_(other, pc.is_valid(column))
    if pc.any(other).as_py():
        values = pc.unique(column.filter(other)).to_pylist()[:NAMED_AT_MOST]
        faults.append(f"{name!r} holds {values} {_in(ids.filter(other))}; write 1 or 0")
    return faults


def read_joined(
    metadata: pa.Table,
    ids: pa.ChunkedArray,
    name: str,
    separator: str,
    labels: Sequence[str] | None,
    *,
    empty_is_none: bool,
) -> Targets:
    """One column of text with the labels of a sample between separators; an empty text has none.

    Args:
        labels: those that there are; None: all that occur, sorted.
        empty_is_none: whether a sample whose text is missing has no labels; else it is refused.
    Raises: FeatureError: no such column of text, text is missing, or labels are not among those that there are.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in metadata.column_names:
        raise FeatureError(f"task.column: {_absent(metadata, name)}")
    column = metadata[name].combine_chunks()
    if not pa.types.is_string(column.type):
        raise FeatureError(f"task.column {name!r} holds {column.type}, not text that joins labels with {separator!r}")
    wrong = []
    if column.null_count and not empty_is_none:
        told = f"{name!r} is empty {_in(ids.filter(column.is_null()))}"
        wrong.append(f"{told}; fill it in, or set task.missing: no_labels if such samples have none")
    parts = pc.split_pattern(pc.fill_null(column, ""), separator)
    owner, words = pc.list_parent_indices(parts).to_numpy(), pc.utf8_trim_whitespace(pc.list_flatten(parts))
    names = tuple(labels) if labels else tuple(sorted(word for word in pc.unique(words).to_pylist() if word))
    place = pc.fill_null(pc.index_in(words, pa.array(names, pa.string())), -1).to_numpy()
    given = pc.not_equal(words, "").to_numpy(zero_copy_only=False)
    if (unknown := given & (place < 0)).any():
        found = pc.unique(words.filter(pa.array(unknown))).to_pylist()[:NAMED_AT_MOST]
        told = f"{name!r} holds {found} {_in(ids.take(pa.array(np.unique(owner[unknown]))))}"
        wrong.append(f"{told}; data.labels lists {list(names)}: add them there, or correct the source")
    if wrong:
        raise FeatureError("\n".join(["task.column cannot be read as labels:", *(f"  {one}" for one in wrong)]))
    if not names:
        raise FeatureError(f"task.column {name!r} holds no label at all; name another column")
    return Targets(names, _flags(len(column), len(names), owner[given], place[given]))


def _flags(samples: int, labels: int, rows: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.float32]:
    flags = np.zeros((samples, labels), np.float32)
    flags[rows, places] = 1
    return flags


def _absent(metadata: pa.Table, name: str) -> str:
    known = metadata.column_names
    hint = did_you_mean(name, known) or f"; there are: {', '.join(known) or 'none'}"
    return f"there is no metadata column {name!r}{hint}"


def _in(ids: pa.ChunkedArray) -> str:
    """`in 3 samples: 'a', 'b', 'c'`."""
    shown = ", ".join(map(repr, ids[:NAMED_AT_MOST].to_pylist()))
    more = ", ..." if len(ids) > NAMED_AT_MOST else ""
    return f"in {len(ids)} sample{'' if len(ids) == 1 else 's'}: {shown}{more}"
