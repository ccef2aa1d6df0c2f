"""Choose samples by a condition on their columns, before any of their files is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from totalml.data.sample import Sample
from totalml.errors import SnapshotError
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.condition import Condition
    from totalml.data.sample import BadSample, Ignored

OWN = ("id", "label", "group", "timestamp")  # of every sample, besides the source's columns


def chosen(samples: Iterable[Sample | BadSample | Ignored], where: Condition) -> Iterator[Sample | BadSample | Ignored]:
    """Those that meet the condition, and all that is no good sample.

    Raises: SnapshotError: no sample has a column of that name, or a value cannot be compared so.
    """
    known: set[str] = set()
    for sample in samples:
        if not isinstance(sample, Sample):
            yield sample
            continue
        row = {name: getattr(sample, name) for name in OWN} | dict(sample.metadata)
        known |= row.keys()
        try:
            holds = where.holds(row)
        except TypeError as error:
            raise SnapshotError(
                f"data.where {where.text!r} cannot be asked of sample {sample.id!r}: {error}"
            ) from error
        if holds:
            yield sample
    if known and (missing := [name for name in where.columns if name not in known]):
        hint = did_you_mean(missing[0], sorted(known)) or f"; there are: {', '.join(sorted(known))}"
        raise SnapshotError(f"data.where asks for a column {missing[0]!r} that no sample has{hint}")
