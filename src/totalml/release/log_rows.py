"""Columns of what was predicted: one form for a release's reference, the service's log and batches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from totalml.identity import canonical_row, digests

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOG = "predictions"  # folder of the store: predictions/<model>/<day>/<segment>.parquet
ANSWER, PROPERTY, METADATA = "answer:", "property:", "metadata:"
ATTRIBUTION = "attribution:"  # what the model looked at, of a share of the rows
INPUT = "input v1"
PART = re.compile(r"[a-z0-9_]+/([a-z0-9_]+)\.([a-z0-9_]+)")  # of a shared feature of several
THIS = "lag0"  # the part that is the row's own value
NOTHING: Mapping[str, Any] = {}


def log_columns(
    answers: pa.Table,
    properties: Mapping[str, NDArray[np.float32]],
    rows: pa.Table | None,
    embeddings: NDArray[np.float32] | None,
    strangeness: NDArray[np.float64] | None,
    attribution: Mapping[str, NDArray[np.float32]] = NOTHING,
) -> dict[str, pa.Array | pa.ChunkedArray]:
    """`answer:`, `property:` of the pictures, `metadata:`, embedding, strangeness, `attribution:`: of the same samples,
    in their order.

    Args:
        properties: empty where the model sees no pictures.
        rows, embeddings, strangeness: None: there are none.
        attribution: NaN of samples of which it was not asked.
    """
    columns = {f"{ANSWER}{name}": answers[name] for name in answers.column_names}
    columns |= {f"{PROPERTY}{name}": pa.array(values) for name, values in properties.items()}
    if rows is not None:
        columns |= metadata_columns(rows)
    if embeddings is not None:
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.ravel()), embeddings.shape[1])
    if strangeness is not None:
        columns["strangeness"] = pa.array(strangeness)
    columns |= {f"{ATTRIBUTION}{name}": pa.array(values, from_pandas=True) for name, values in attribution.items()}
    return columns


def columns_after(prefix: str, table: pa.Table) -> pa.Table:
    """Those whose names begin with it, named by what follows."""
    names = [name for name in table.column_names if name.startswith(prefix)]
    return table.select(names).rename_columns([name.removeprefix(prefix) for name in names])


def spoken(column: str) -> str:
    """A column without the beginning that the log gives it; of `marketing/spend_tv.lag0`, which is the value itself,
    `spend_tv`, and `spend_tv.lag1` of the one before."""
    name = column.removeprefix(METADATA).removeprefix(ANSWER)
    if (part := PART.fullmatch(name)) is None:
        return name
    return part[1] if part[2] == THIS else f"{part[1]}.{part[2]}"


def metadata_columns(rows: pa.Table) -> dict[str, pa.ChunkedArray]:
    return {f"{METADATA}{name}": rows[name] for name in rows.column_names if name}


def input_hash(picture: bytes, row: Mapping[str, Any]) -> str:
    """By which a person's picture or row is found again, to be deleted on request."""
    return input_hashes([picture + canonical_row(row)])[0]


def input_hashes(inputs: Iterable[bytes]) -> list[str]:
    """Of many. Args: inputs: the picture of each, and then its row as canonical JSON."""
    return digests(INPUT, inputs)
