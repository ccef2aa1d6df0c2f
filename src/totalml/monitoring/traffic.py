"""What a release answered in a time, and the labels that came in it, as the store has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.deployment.stages import SHADOW
from totalml.labels import Labels, joined
from totalml.labels.join import LABELLED
from totalml.prediction_log import LogReader
from totalml.prediction_log.columns import COLUMNS, IN_ORDER, sample_keys, typed
from totalml.release.log_rows import ANSWER, ATTRIBUTION, METADATA, PROPERTY

if TYPE_CHECKING:
    from totalml.monitoring.losses import LossOf
    from totalml.store import Store

SETTLES = timedelta(seconds=10)  # after which what was answered stands in the log, where the store is slow
SOON = timedelta(seconds=2.5)  # after which nearly all of it does, so that an alert need not wait for the rest
DAY = timedelta(days=1)
KEYS = ("request_id", "id", "sample", "time", "release", "arm", "error", "input", "replica")
LOSS = "loss"  # of a labelled row, within 0..1
MOST_REMEMBERED = 300_000  # rows that a label is looked for in, by a monitor that goes along with a service
MOST_CHUNKS = 64  # of rows that are held; in more, each look would take longer
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass
class Traffic:
    """Of one release of a model, read anew for each time.

    Args:
        columns: of the reference, those that the log has too.
        losses: None: nothing is known of truths, and no labels are read.
        labels_within: after which a label is not looked for any more.
        late: rows that came when those of a later time had been asked for, so that nobody looked at them; 0 where all
            is read anew, which cannot tell.
    """

    store: Store
    model: str
    release: str
    columns: Sequence[str]
    losses: LossOf | None
    labels_within: timedelta
    late: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._columns = [*KEYS, *(name for name in self.columns if name not in KEYS)]
        self._narrow = [name for name in self._columns if name in KEYS or name.startswith((ANSWER, METADATA))]
        self._log = LogReader(self.store, self.model, release=self.release)
        self._labels = None if self.losses is None else Labels(self.store, self.model, self.losses.truth)

    def rows(self, since: datetime, until: datetime, most: int | None = None) -> pa.Table:
        """With `since` <= time < `until`, in the order of their times; also those without an answer, by `error`.

        Args: most: the first so many are there, and any later ones may be left out.
        """
        wanted = most
        while True:
            rows = self._log.read(self._columns, since, until, self._of_release, wanted)
            ours = self._ours(rows)
            if most is None or wanted is None or len(ours) >= most or len(rows) < wanted:
                return ours
            wanted *= 2  # some of them were there twice

    def forget(self, before: datetime) -> None:
        """Rows before it are not asked for again."""

    def labelled(self, since: datetime, until: datetime) -> pa.Table:
        """Answers of which the label came with `since` <= its time < `until`, in the order in which labels came.

        Returns: besides the columns of the log, `loss` and `labelled`, when the label came.
        """
        none = pa.table({LOSS: pa.array([], pa.float64())})
        if self._labels is None or self.losses is None:
            return none
        labels = self._labels.read()
        labels = labels.filter(_inside(labels["time"], since, until))
        if not len(labels):
            return none
        rows = self._answered(since, until, labels["request_id"])
        found = joined(rows.filter(rows["error"].is_null()), labels, self.losses.truth)
        found = found.append_column(LOSS, pa.array(self.losses.of_labelled(found), from_pandas=True))
        found = found.filter(found[LOSS].is_valid())
        return found.take(pc.sort_indices(found, [(name, "ascending") for name in (LABELLED, "request_id", "sample")]))

    def first(self) -> datetime | None:
        """When the release first answered; None: it never did."""
        return self._came(EARLIEST)

    def resumes(self, since: datetime) -> datetime | None:
        """When the first row or label came with `since` <= its time; None: none did."""
        came = [self._came(since)]
        if self._labels is not None:
            labels = self._labels.read()["time"]
            came.append(pc.min(labels.filter(pc.greater_equal(labels, pa.scalar(since)))).as_py())
        return min(filter(None, came), default=None)

    def rows_per_day(self, until: datetime, days: int = 28, least: timedelta = timedelta(0)) -> float | None:
        """Of the model, whichever release answered; None: there were none, or the first came less than `least` ago."""
        files = LogReader(self.store, self.model).each(["time", "arm"], _counted, until - days * DAY, until)
        counted = [(first, count) for first, count in files if first is not None]
        since = until - min((first for first, _ in counted), default=until)
        if not counted or since < least:
            return None
        return sum(count for _, count in counted) / max(since / DAY, 1.0)

    def _came(self, since: datetime) -> datetime | None:
        return _earliest(self._log.read(["time", "release", "arm"], since, keep=self._of_release, most=1))

    def _answered(self, since: datetime, until: datetime, wanted: pa.ChunkedArray) -> pa.Table:
        """Without embeddings; what labels of that time may belong to. Args: wanted: ids of requests."""
        ids = wanted.combine_chunks()

        def labelled(rows: pa.Table) -> pa.Table:
            return rows.filter(pc.is_in(rows["request_id"].cast(ids.type), ids))

        return self._ours(self._log.read(self._narrow, since - self.labels_within, until, labelled))

    def _ours(self, rows: pa.Table) -> pa.Table:
        """Those of the release, each once: a request may have been sent again under its id."""
        if not rows.column_names:
            return pa.table({name: pa.array([], COLUMNS[name]) for name in KEYS})
        rows = self._of_release(rows)
        rows = rows.take(pc.sort_indices(rows, [*IN_ORDER]))
        keys = sample_keys(rows)
        numbered = pa.table({"key": keys, "row": np.arange(len(rows))})
        firsts = numbered.group_by("key").aggregate([("row", "min")])["row_min"]
        return rows.take(firsts.sort())

    def _of_release(self, rows: pa.Table) -> pa.Table:
        rows = typed(rows)
        ours = pc.and_(pc.equal(rows["release"], self.release), pc.not_equal(rows["arm"], SHADOW))
        return rows.filter(pc.fill_null(ours, False))


@dataclass
class Tail(Traffic):
    """The same, read on as it grows: for a monitor that goes along with a service.

    Args: opened: what was over by then is read as it is asked for, so that no more than a window lies in memory.
    """

    opened: datetime

    def __post_init__(self) -> None:
        super().__post_init__()
        self._new: LogReader | None = None
        self._past: LogReader | None = None
        self._held = self._remembered = self._ours(pa.table({}))
        self._wanted = EARLIEST  # rows before it are not asked for again
        self._passed = EARLIEST  # rows before it were asked for already

    def rows(self, since: datetime, until: datetime, most: int | None = None) -> pa.Table:
        if self._new is None and until <= self.opened:
            return super().rows(since, until, most)
        self._new = self._new or LogReader(self.store, self.model, max(self._wanted, EARLIEST), self.release)
        new = self._ours(self._new.new(self._columns))
        self.late += _before(new, self._passed)
        self._passed = max(self._passed, since)
        held = _together(self._held, new)
        self._held = held.slice(_before(held, self._wanted))
        return self._held.slice(first := _before(self._held, since), _before(self._held, until) - first)

    def forget(self, before: datetime) -> None:
        self._wanted = before

    def _came(self, since: datetime) -> datetime | None:
        return super()._came(since) if self._new is None else _earliest(self.rows(since, LATEST))

    def _answered(self, since: datetime, until: datetime, wanted: pa.ChunkedArray) -> pa.Table:
        if self._new is None:
            return super()._answered(since, until, wanted)
        if self._past is None:
            begins = [since - self.labels_within, EARLIEST, self._log.begin_of_last(MOST_REMEMBERED)]
            self._past = LogReader(self.store, self.model, max(filter(None, begins)), self.release)
        rows = _together(self._remembered, self._ours(self._past.new(self._narrow)))
        self._remembered = rows.slice(max(0, len(rows) - MOST_REMEMBERED))
        return self._remembered


def compared(reference: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Columns of a reference that a log can have too: `aspect`, say, is not known of pictures that a service was sent.

    Args: wanted: metadata columns that callers send, and those that settings name.
    """
    asked = {METADATA + name for name in wanted} | {"embedding", "strangeness"}
    unknown, said = f"{PROPERTY}aspect", (ANSWER, PROPERTY, ATTRIBUTION)
    return [name for name in reference if name in asked or (name.startswith(said) and name != unknown)]


def _together(held: pa.Table, more: pa.Table) -> pa.Table:
    if not len(more):
        return held
    if not len(held):
        return more
    whole = pa.concat_tables([held, more], promote_options="permissive")
    # Nearly always they came later, and to sort all of a window every few seconds would cost more than to look at it.
    if pc.min(more["time"]).as_py() <= pc.max(held["time"]).as_py():
        whole = whole.sort_by([*IN_ORDER])
    return whole.combine_chunks() if whole["time"].num_chunks > MOST_CHUNKS else whole


def _counted(rows: pa.Table) -> tuple[datetime | None, int]:
    """When the first was answered, and how many were; None: none was."""
    live = rows.filter(pc.not_equal(rows["arm"].cast(pa.string()), SHADOW))
    return _earliest(live), len(live)


def _earliest(rows: pa.Table) -> datetime | None:
    return pc.min(rows["time"]).as_py() if len(rows) else None


def _before(rows: pa.Table, time: datetime) -> int:
    """How many of them came before, of rows in the order of their times."""
    times = np.asarray(rows["time"].cast(pa.int64()))
    return int(np.searchsorted(times, round(time.timestamp() * 1e6)))


def _inside(times: pa.ChunkedArray, since: datetime, until: datetime) -> pa.ChunkedArray:
    return pc.and_(pc.greater_equal(times, pa.scalar(since)), pc.less(times, pa.scalar(until)))
