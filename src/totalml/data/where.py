"""Choose samples by a condition on their columns, before any of their files is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

from totalml.data.sample import Sample
from totalml.data.sample_batch import SAMPLE_FIELDS, SampleBatch
from totalml.errors import SnapshotError
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.condition import Condition
    from totalml.data.sample import BadSample, Ignored


def chosen(samples: Iterable[Sample | BadSample | Ignored], where: Condition) -> Iterator[Sample | BadSample | Ignored]:
    """Those that meet the condition, and all that is no good sample.

    Raises: SnapshotError: no sample has a column of that name, or a value cannot be compared so.
    """
    known: set[str] = set()
    for sample in samples:
        if not isinstance(sample, Sample):
            yield sample
            continue
        row = {name: getattr(sample, name) for name in SAMPLE_FIELDS} | dict(sample.metadata)
        known |= row.keys()
        if _holds(where, row, sample.id):
            yield sample
    if known:
        _refuse_unknown(where, known)


def chosen_rows(batch: SampleBatch, where: Condition) -> SampleBatch:
    """The same of columns; no more of them is looked at than the condition asks for."""
    import pyarrow as pa

    # A column of the source goes before a field of the same name.
    columns = {name: table[name] for table in (batch.samples, batch.metadata) for name in table.column_names}
    asked = {name: columns[name].to_pylist() for name in where.columns if name in columns}
    ids = batch.samples["id"].to_pylist()
    rows = (dict(zip(asked, values, strict=True)) for values in zip(*asked.values(), strict=True))
    holds = [_holds(where, row, name) for row, name in zip(rows if asked else [{}] * len(ids), ids, strict=True)]
    if ids:
        _refuse_unknown(where, columns.keys())
    return batch.filter(pa.array(holds, pa.bool_()))


def _holds(where: Condition, row: Mapping[str, Any], name: str) -> bool:
    try:
        return where.holds(row)
    except TypeError as error:
        raise SnapshotError(f"data.where {where.text!r} cannot be asked of sample {name!r}: {error}") from error


def _refuse_unknown(where: Condition, known: Set[str]) -> None:
    if missing := [name for name in where.columns if name not in known]:
        hint = did_you_mean(missing[0], sorted(known)) or f"; there are: {', '.join(sorted(known))}"
        raise SnapshotError(f"data.where asks for a column {missing[0]!r} that no sample has{hint}")
