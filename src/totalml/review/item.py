"""What people are asked about: items of a batch, one Parquet file of the store that never changes.

`review/<model>/items/<batch>.parquet`, one row an item, in the order in which they are asked:

    item          string     its id: of the same thing asked in the same way always the same
    queue         string     why it is asked: control, uncertain ...
    ask           string     label, explanation, slice, plan or curve
    request_id, id, input    as in the prediction log; null: it is none of its
    sample        string     of a snapshot; null: it is of none
    data_hash     string     of that snapshot
    pictures      list       where they lie: the digest of a blob, or a name such as pictures/<model>/<day>/<hash>
    facts         string     JSON, column -> value: what may be shown beside the pictures
    release       string     bundle hash of what answered; null: nothing has
    answer        string     JSON, the answer's columns
    truth         string     JSON, column of the truth -> value, where it is known; never shown before the verdict
    probability   double     in (0, 1], with which it was drawn from `drawn_of` samples, by all queues together
    drawn_of      int64
    note          string     why it is asked, for those who may know; a slice's name; the lever of a plan
    time          timestamp  of the sample, UTC; null: unknown
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from totalml.identity import canonical, digest, short

if TYPE_CHECKING:
    import pyarrow as pa

CONTROL, UNCERTAIN, OUT_OF_DISTRIBUTION, DISAGREEMENT, SLICES, GOLD, ALERT, DOUBTFUL, GIVEN = (
    "control",
    "uncertain",
    "out_of_distribution",
    "disagreement",
    "slices",
    "gold",
    "alert",  # a monitor asks for its label
    "doubtful",  # its label contradicts those of others like it
    "given",  # a person named it
)
BLIND = (CONTROL, GOLD)  # of which a reviewer is never told what the model says
ASK_LABEL, ASK_EXPLANATION, ASK_SLICE, ASK_PLAN, ASK_CURVE = "label", "explanation", "slice", "plan", "curve"
OF_PLANS = (ASK_PLAN, ASK_CURVE)  # which stand in the release that planned
ID_DIGITS = 16
_JSON = ("facts", "answer", "truth")


@dataclass(frozen=True, kw_only=True)
class Item:
    """A row, as the columns say."""

    queue: str
    ask: str = ASK_LABEL
    request_id: str | None = None
    id: str | None = None
    input: str | None = None
    sample: str | None = None
    data_hash: str | None = None
    pictures: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    release: str | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    truth: Mapping[str, Any] = field(default_factory=dict)
    probability: float = 1.0
    drawn_of: int = 1
    note: str = ""
    time: datetime | None = None

    @property
    def item(self) -> str:
        """Of what it is about and how that is asked; so a sample that two batches hold is one item."""
        if self.ask == ASK_LABEL:
            known = (self.request_id, self.id) if self.request_id else (self.data_hash or self.input, self.sample)
            about = [part for part in known if part is not None]
        else:
            about = [self.ask, self.release or "", self.sample or self.request_id or self.note, self.id or ""]
        return short(digest("review item v1", canonical(about)), ID_DIGITS)

    @property
    def is_blind(self) -> bool:
        return self.queue in BLIND

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        values = {each.name: row[each.name] for each in fields(cls)}
        values |= {name: json.loads(values[name]) for name in _JSON}
        return cls(**{**values, "pictures": tuple(values["pictures"])})

    def as_row(self) -> dict[str, Any]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values |= {name: json.dumps(values[name], ensure_ascii=False, default=str) for name in _JSON}
        return {**values, "pictures": [*self.pictures], "item": self.item}


def table_of(items: Iterable[Item]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist([each.as_row() for each in items], schema())


def items_of(table: pa.Table) -> Sequence[Item]:
    return [Item.from_row(row) for row in table.to_pylist()]


def schema() -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        {
            "item": text,
            **dict.fromkeys(("queue", "ask", "request_id", "id", "input", "sample", "data_hash"), text),
            "pictures": pa.list_(text),
            **dict.fromkeys(("facts", "release", "answer", "truth"), text),
            "probability": pa.float64(),
            "drawn_of": pa.int64(),
            "note": text,
            "time": pa.timestamp("us", "UTC"),
        }
    )
