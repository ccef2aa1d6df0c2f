"""Labels as a table: its columns, the key that a prediction is found by, and which of several labels counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.labels.label import ID, REQUEST_ID, Label

if TYPE_CHECKING:
    from totalml.evaluation.truth import Truth

T = TypeVar("T")

PREFIX = "label:"


def schema_of(truth: Truth) -> pa.Schema:
    keyed = [(REQUEST_ID, pa.string()), (ID, pa.string())]
    said = [(f"{PREFIX}{name}", kind) for name, kind in truth.columns.items()]
    return pa.schema([*keyed, *said, ("time", pa.timestamp("us", "UTC")), ("who", pa.string())])


def table_of(labels: Sequence[Label], truth: Truth, who: str) -> pa.Table:
    """As a segment holds them. Args: who: said so."""
    columns = {
        REQUEST_ID: [each.request_id for each in labels],
        ID: [each.id for each in labels],
        **{f"{PREFIX}{name}": [each.values[name] for each in labels] for name in truth.columns},
        "time": [datetime.now(UTC)] * len(labels),
        "who": [who] * len(labels),
    }
    return pa.table(columns, schema_of(truth))


def keys(table: pa.Table) -> pa.Array:
    """A text for each row: its request and sample, or only the request where the sample is null.

    No request id holds a zero byte, so no two of them are alike.
    """
    both = pc.binary_join_element_wise(table[REQUEST_ID], table[ID], "\0")
    return pc.coalesce(both, table[REQUEST_ID]).combine_chunks()


def by_schema(items: Iterable[T], table: Callable[[T], pa.Table]) -> list[list[T]]:
    """Those whose tables are alike together: of releases with other targets, labels have other columns."""
    found: dict[pa.Schema, list[T]] = {}
    for each in items:
        found.setdefault(table(each).schema, []).append(each)
    return [*found.values()]


def last_of_each(labels: pa.Table) -> pa.Table:
    """The latest label of each sample; of two at one time the one that stands later. In the order of their time."""
    order = np.argsort(np.asarray(labels["time"]).astype("datetime64[us]"), kind="stable")
    labels = labels.take(pa.array(order))
    codes = np.asarray(keys(labels).dictionary_encode().indices)
    last = np.zeros(codes.max(initial=-1) + 1, np.int64)
    np.maximum.at(last, codes, np.arange(len(codes)))
    return labels.take(pa.array(np.sort(last)))
