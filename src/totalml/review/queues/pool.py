"""What a draw is made from: samples that were not asked about before, and items of those that were drawn.

What was queued once is in no later pool, so a later draw stands for what is left of the population: what was drawn
before is a sample of its own, of its own pool.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.release.log_rows import ANSWER, METADATA, columns_after
from totalml.review.item import Item

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.review.reviews import Reviews

    Numbers = NDArray[np.float64]

ABOUT = ("request_id", "id", "input", "sample", "data_hash", "release")
TRUTH = "truth:"
TEXT = pa.string()


@dataclass(frozen=True)
class Pool:
    """Args:
    table: `ABOUT`, time, picture (its name in the store), `answer:`, `metadata:`, strangeness, `truth:`; a column that
        a source does not know may be missing.
    told: where its samples come from, for people, after a number: "requests of the last 14 days".
    differs: (N,) how far another release says something else; NaN where it says the same or is not known.
    facts: columns of metadata that are shown.
    """

    table: pa.Table
    told: str
    differs: Numbers | None = None
    facts: Sequence[str] = ()
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.table)

    def keys(self) -> pa.Array:
        """(N,) a text for each, of what makes it one item."""
        return keys_of(self.table)

    def take(self, rows: NDArray[np.int64]) -> Pool:
        differs = None if self.differs is None else self.differs[rows]
        return Pool(self.table.take(pa.array(rows)), self.told, differs, self.facts)

    def not_in(self, known: pa.Array) -> Pool:
        """Each sample once, without those that have one of these keys."""
        codes = self.keys().dictionary_encode()
        first = np.unique(np.asarray(codes.indices), return_index=True)[1]
        new = np.asarray(pc.invert(pc.is_in(codes.dictionary, value_set=known)))
        return self.take(np.sort(first[new[np.asarray(codes.indices)[first]]]))

    def items(self, queues: Sequence[str], probability: Collection[float], of: int, notes: Sequence[str]) -> list[Item]:
        """One of each row. Args: of: how many samples it was drawn from."""
        rows = self._rows()
        every = zip(rows, queues, probability, notes, strict=True)
        return [
            Item(queue=queue, probability=min(1.0, float(chance)), drawn_of=of, note=note, **row)
            for row, queue, chance, note in every
        ]

    def _rows(self) -> Iterator[dict[str, Any]]:
        table, there = self.table, {*self.table.column_names}
        about = table.select([name for name in (*ABOUT, "time") if name in there]).to_pylist()
        pictures = table["picture"].to_pylist() if "picture" in there else [None] * len(table)
        facts = columns_after(METADATA, table)
        facts = facts.select([name for name in facts.column_names if name in self.facts])
        parts = [_plain(each) for each in (columns_after(ANSWER, table), columns_after(TRUTH, table), facts)]
        for row, picture, answer, truth, shown in zip(about, pictures, *parts, strict=True):
            known = {"answer": answer, "truth": truth, "facts": shown}
            yield row | known | {"pictures": (picture,) if picture else ()}


def keys_of(table: pa.Table) -> pa.Array:
    """As `Item.item` tells them apart: by request and sample of it, or by data and sample."""
    there = {*table.column_names}
    null = pa.nulls(len(table), TEXT)
    request, id_, data, sample, input_ = (
        pc.cast(table[name], TEXT).combine_chunks() if name in there else null
        for name in ("request_id", "id", "data_hash", "sample", "input")
    )
    one = pc.binary_join_element_wise(request, pc.fill_null(id_, ""), "\0")
    other = pc.binary_join_element_wise(pc.fill_null(pc.coalesce(data, input_), ""), pc.fill_null(sample, ""), "\1")
    return pc.coalesce(one, other)


def queued_keys(reviews: Reviews) -> pa.Array:
    """Of all that was ever put in a queue to be labelled, or to be looked at with what the model makes of it.

    Whoever saw that would judge the same sample no longer blind. Raises: StoreError: a batch is gone or damaged.
    """
    from totalml.review.item import ASK_EXPLANATION, ASK_LABEL

    asks = pa.array([ASK_LABEL, ASK_EXPLANATION], TEXT)
    tables = (reviews.items(batch) for batch in reviews.batches)
    found = [keys_of(table.filter(pc.is_in(table["ask"], value_set=asks))) for table in tables]
    return pa.concat_arrays([pa.array([], TEXT), *found])


def _plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows without what is not known."""
    if not table.num_columns:
        return [{} for _ in range(len(table))]
    rows = table.to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]
