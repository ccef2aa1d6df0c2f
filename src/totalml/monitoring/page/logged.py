"""What the store holds besides the history of a monitor: how much was asked each day, and pictures that were kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.deployment.stages import SHADOW
from totalml.identity import short
from totalml.monitoring.page.content import KeptPicture, Season, Volume
from totalml.monitoring.page.moments import DAY, moment
from totalml.monitoring.traffic import Traffic
from totalml.prediction_log import LogReader
from totalml.prediction_log.sampled_pictures import PICTURES
from totalml.release.log_rows import ANSWER
from totalml.report.number_format import percent
from totalml.segments.listing import Listing
from totalml.segments.rows import columns_of
from totalml.store.local_files import FileGoneError
from totalml.values.shown import short_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totalml.monitoring.history import Looked
    from totalml.store import Store

MOST_PICTURES = 24
MOST_BYTES = 50 * 2**20  # of one picture; a service takes none that is larger unless told to
MOST_ANSWERS = 3
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def volume_of(
    store: Store,
    model: str,
    since: datetime,
    until: datetime,
    seen: datetime | None = None,
    release: str | None = None,
) -> list[Volume]:
    """Rows of each day, UTC, also of days without any; those of a challenger in its shadow do not count.

    Args:
        seen: until when a monitor looked; the day is told apart there.
        release: its bundle hash; None: of all that answered.
    Raises: StoreError: the log cannot be read.
    """
    rows = LogReader(store, model, release=release).read(["time", "arm"], since, until)
    if not len(rows):
        return []
    times = rows.filter(pc.fill_null(pc.not_equal(rows["arm"], SHADOW), True))["time"]
    midnight = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    within = [midnight + number * DAY for number in range(1, (until - midnight) // DAY + 1)] + ([seen] if seen else [])
    edges = [since, *sorted({each for each in within if since < each < until}), until]
    counts, _ = np.histogram(
        times.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy(), [_microseconds(each) for each in edges]
    )
    return [
        Volume(start.isoformat(), end.isoformat(), int(count))
        for (start, end), count in zip(pairwise(edges), counts, strict=True)
    ]


def late_of(store: Store, model: str, looked: Sequence[Looked]) -> int:
    """Rows that came after the window of their time was looked at, or passed over as empty; nobody looked at them.

    Args: looked: windows, the oldest first. Raises: StoreError: the log cannot be read.
    """
    late = 0
    for release in dict.fromkeys(each.release for each in looked):
        windows = [each for each in looked if each.release == release]
        bounds = [moment(time) for each in windows for time in (each.start, each.end)]
        rows = Traffic(store, model, release, (), None, timedelta(0)).rows(bounds[0], bounds[-1])
        times = rows["time"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
        there = np.diff(np.searchsorted(times, [_microseconds(each) for each in bounds]))
        seen = np.zeros(len(there), np.int64)
        seen[::2] = [each.rows for each in windows]  # between two windows nothing had come
        late += int(np.maximum(there - seen, 0).sum())  # of a window may have been deleted since, too
    return late


def seasons_of(looked: Sequence[Looked]) -> list[Season]:
    """Those that verdicts say were expected, each from its first window to its last in a row."""
    runs = [[*run] for _, run in groupby(looked, lambda each: each.verdict.season)]
    return [Season(run[0].verdict.season, run[0].start, run[-1].end) for run in runs if run[0].verdict.season]


def pictures_of(store: Store, model: str, looked: Looked) -> list[KeptPicture]:
    """Of the rows of a window that show it most, those that were kept, the clearest first.

    Raises: StoreError: the log cannot be read.
    """
    if not looked.samples or not store.names(PICTURES, model):
        return []
    rows = {(row["request_id"], row["id"]): row for row in _rows(store, model, looked)}
    shown = [(each.request_id, each.id) for each in looked.samples if each.probability == 1]
    found = (rows[key] for key in shown if key in rows and rows[key]["input"])
    kept: list[KeptPicture] = []
    for row in found:
        if len(kept) < MOST_PICTURES and (picture := _picture(store, model, row)):
            kept.append(KeptPicture(picture, row["request_id"], said(row), row["time"].isoformat()))
    return kept


def said(row: Mapping[str, Any]) -> str:
    """What a row of the log answers, in words: a class and how sure of it, labels, or numbers by name."""
    answers = {name.removeprefix(ANSWER): value for name, value in row.items() if name.startswith(ANSWER)}
    word, sure = answers.get("predicted"), answers.get("confidence")
    if word is not None:
        told = ", ".join(map(str, word)) or "none of them" if isinstance(word, list) else str(word)
        return f"{told}, {percent(sure, 0)}" if isinstance(sure, float) else told
    known = [(name, value) for name, value in answers.items() if value is not None][:MOST_ANSWERS]
    return ", ".join(
        f"{name} {short_number(value)}" if isinstance(value, float) else f"{name} {value}" for name, value in known
    )


def _rows(store: Store, model: str, looked: Looked) -> Iterator[dict[str, Any]]:
    """Without what is large in the log: embeddings, metadata."""
    since, until = moment(looked.since), moment(looked.end)
    segments = Listing(store, model).look(f"{since - DAY:%Y-%m-%d}", f"{until:%Y-%m-%d}").counting
    of_release = [each for each in segments if each.hour.release == short(looked.release)]
    answers = []
    if of_release:
        with suppress(FileGoneError):  # rewritten meanwhile: then what was said is not told
            answers = [name for name in columns_of(store, model, of_release[-1]) if name.startswith(ANSWER)]
    rows = LogReader(store, model).read(["request_id", "id", "time", "input", *answers], since, until)
    wanted = pc.is_in(rows["request_id"], value_set=pa.array([each.request_id for each in looked.samples], pa.string()))
    yield from rows.filter(wanted).to_pylist()


def _picture(store: Store, model: str, row: Mapping[str, Any]) -> bytes | None:
    """None: it was not kept, or is gone. The day is that of the service's clock when it had answered."""
    time: datetime = row["time"]
    for day in dict.fromkeys(f"{when:%Y-%m-%d}" for when in (time, time + DAY)):
        with suppress(FileGoneError), store.open_file(PICTURES, model, day, short(row["input"], 64)) as file:
            return file.read(MOST_BYTES)
    return None


def _microseconds(when: datetime) -> int:
    return (when - EPOCH) // timedelta(microseconds=1)
