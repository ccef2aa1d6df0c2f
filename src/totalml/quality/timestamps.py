"""Do the times make sense?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator

from totalml.component import Items
from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.target import closest

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits

OWN = "timestamp"  # the sample's own time, beside the columns of the metadata


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a time such as 2025-01-31 or 2025-01-31T18:00:00+00:00, got {text!r}") from None
    if moment.utcoffset() is None and len(text) > len("2025-01-31"):
        raise ValueError(f"{text!r} has no time zone; write it as {text}+00:00 if it is UTC")
    return text


Moment = Annotated[str, AfterValidator(_moment)]


class Timestamps(Check):
    """Looks for samples from outside a period, steps in the wrong order, and training data younger than the test's."""

    earliest: Moment | None = None  # ISO 8601; a bare date is its first moment in UTC
    latest: Moment | None = None
    steps: Items[str] = ()  # columns of times that must not go back in one sample, e.g. [poured, timestamp]
    splits_in_order: bool = False  # no sample of train is younger than one of validation or test
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        import numpy as np

        own = _microseconds(snapshot.samples[OWN])
        known = ~np.isnat(own)
        if self.earliest is not None:
            moment = _utc(self.earliest)
            yield from self._found(snapshot, known & (own < moment), f"were taken before earliest {self.earliest}")
        if self.latest is not None:
            moment = _utc(self.latest)
            yield from self._found(snapshot, known & (own > moment), f"were taken after latest {self.latest}")
        yield from self._steps(snapshot)
        if self.splits_in_order and known.any():
            later = np.concatenate([splits.validation, splits.test])
            first = own[later[known[later]]].min(initial=own[known].max())
            early = np.zeros(len(own), bool)
            early[splits.train] = known[splits.train] & (own[splits.train] > first)
            what = f"of train are younger than the oldest of validation and test ({first.astype('M8[s]')})"
            yield from self._found(snapshot, early, f"{what}; split by time")

    def _steps(self, snapshot: Snapshot) -> Iterator[Finding]:
        import pyarrow as pa

        times = {name: snapshot.metadata[name] for name in snapshot.metadata.column_names}
        times = {name: column for name, column in times.items() if pa.types.is_timestamp(column.type)}
        times[OWN] = snapshot.samples[OWN]
        unknown = [name for name in self.steps if name not in times]
        for name in unknown:
            close = closest(name, times)
            mend = f"did you mean {close!r}?" if close else f"those of times are {sorted(times)}."
            yield Finding("Timestamps", "stop", f"the snapshot has no column of times {name!r}; {mend}")
        steps = [name for name in self.steps if name in times]
        for before, after in pairwise(steps):
            # A comparison with a missing time is false.
            wrong = _microseconds(times[after]) < _microseconds(times[before])
            yield from self._found(snapshot, wrong, f"have {after!r} before {before!r}")

    def _found(self, snapshot: Snapshot, found: NDArray[np.bool_], fault: str) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import shown_ids
        from totalml.values.shown import some_of

        rows = np.flatnonzero(found)
        if len(rows):
            few = some_of(len(rows), len(found), "samples", fault)
            message = f"{few}. Correct the source, or leave them out."
            yield Finding("Timestamps", self.level, message, shown_ids(snapshot.samples, rows))


def _microseconds(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    """(N,) in UTC, NaT where missing."""
    import pyarrow as pa

    times: NDArray[np.datetime64] = column.cast(pa.timestamp("us")).to_numpy()
    return times


def _utc(text: str) -> np.datetime64:
    from datetime import UTC

    import numpy as np

    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return np.datetime64(moment.replace(tzinfo=None), "us")
