"""Items that somebody names: a monitor its requests, a person some ids, a search for wrong labels its samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.alerts.review import queued
from totalml.errors import DataError
from totalml.labels.columns import keys
from totalml.review.item import ALERT, DOUBTFUL, GIVEN, Item
from totalml.review.queues.pool import TEXT, Pool

if TYPE_CHECKING:
    from totalml.store import Store

NAMED = ("id", "label", "suggested", "doubt")  # columns of a table of doubtful labels
MOST_BYTES, SHOWN = 2**24, 10


def alert_items(store: Store, model: str, log: Pool, known: pa.Array) -> list[Item]:
    """What monitors ask for and the log still holds, so that people can see it.

    Args: known: keys of what was queued before.
    Raises: StoreError: the store cannot be read.
    """
    asked = queued(store, model)
    places = _places(keys(asked), log)
    found: list[Item] = []
    seen = {*known.to_pylist()}
    sizes = {each: _population(asked, each) for each in pc.unique(asked["alert"]).to_pylist()}
    for request, rows in zip(asked.to_pylist(), places, strict=True):
        drawn = log.take(np.array(rows, np.int64))
        new = drawn.take(np.flatnonzero([key not in seen for key in drawn.keys().to_pylist()]))
        seen |= {*new.keys().to_pylist()}
        chances, notes = [request["probability"]] * len(new), [f"{request['verdict']}, {request['alert']}"] * len(new)
        found += new.items([ALERT] * len(new), chances, sizes[request["alert"]], notes)
    return found


def given_items(file: Path, pool: Pool) -> list[Item]:
    """Those of the ids, request ids or hashes of inputs that stand in a file, one a line.

    Raises: DataError: the file cannot be read, or names what the pool lacks; all of them.
    """
    names = _lines(file)
    table = pool.table
    found: list[int] = []
    missing = []
    columns = [table[name] for name in ("request_id", "id", "sample", "input") if name in table.column_names]
    for name in names:
        rows = np.zeros(len(pool), np.bool_)
        for column in columns:
            rows |= np.asarray(pc.fill_null(pc.equal(column, name), False))
        found += np.flatnonzero(rows).tolist()
        missing += [] if rows.any() else [name]
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise DataError(f"{file} names what is none of the {pool.told}: {', '.join(missing[:SHOWN])}{more}")
    some = pool.take(np.array(list(dict.fromkeys(found)), np.int64))
    return some.items([GIVEN] * len(some), [1.0] * len(some), len(some), [""] * len(some))


def doubtful_items(
    samples: pa.Table, data_hash: str, doubts: pa.Table, pictures: bool, count: int, known: pa.Array
) -> list[Item]:
    """The samples of which the label is doubted most.

    Args:
        samples: of the snapshot. doubts: `id`, `label`, `suggested`, `doubt`, more is more.
        pictures: whether people see the sample's blob.
    Raises: DataError: a column is missing, or ids are of no sample.
    """
    if missing := [name for name in NAMED if name not in doubts.column_names]:
        raise DataError(f"the table of doubtful labels lacks {', '.join(missing)}; it has {', '.join(NAMED)}")
    places = pc.index_in(doubts["id"].cast(TEXT), value_set=samples["id"].combine_chunks())
    if places.null_count:
        strange = doubts["id"].filter(pc.is_null(places))[:SHOWN].to_pylist()
        raise DataError(f"{places.null_count} doubtful labels are of no sample of {data_hash}, such as {strange[0]!r}")
    columns = {"sample": doubts["id"].cast(TEXT), "data_hash": pa.array([data_hash] * len(doubts), TEXT)}
    if pictures:
        columns["picture"] = samples["blob"].take(places)
    pool = Pool(pa.table(columns), "labels that are doubted")
    new = np.flatnonzero(~np.asarray(pc.is_in(pool.keys(), value_set=known)))
    rows = new[np.argsort(-np.asarray(doubts["doubt"].cast(pa.float64()))[new], kind="stable")][:count]
    labels, suggested = (doubts[name].take(pa.array(rows)).to_pylist() for name in ("label", "suggested"))
    notes = [f"labelled {one}, those like it {other}" for one, other in zip(labels, suggested, strict=True)]
    return pool.take(rows).items([DOUBTFUL] * len(rows), [1.0] * len(rows), len(rows), notes)


def _places(wanted: pa.Array, log: Pool) -> Sequence[Sequence[int]]:
    """Rows of the log that each key means; a key without a sample all of its request."""
    names = {name for name in wanted.to_pylist() if name is not None}
    found: dict[str, list[int]] = {}
    if names and len(log):
        for column in (keys(log.table), log.table["request_id"].combine_chunks()):
            rows = np.flatnonzero(np.asarray(pc.is_in(column, value_set=pa.array([*names], TEXT))))
            for row, name in zip(rows.tolist(), column.take(pa.array(rows)).to_pylist(), strict=True):
                found.setdefault(name, []).append(row)
    return [[*dict.fromkeys(found.get(name, []))] for name in wanted.to_pylist()]


def _population(asked: pa.Table, alert: str) -> int:
    """How many samples those of an alert stand for."""
    chances = asked.filter(pc.equal(asked["alert"], alert))["probability"]
    return max(1, round(float(pc.sum(pc.divide(1.0, chances)).as_py() or 1)))


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as reader:
            text = reader.read(MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read: {error}; give a text with an id in each line") from error
    names = [*dict.fromkeys(filter(None, map(str.strip, text.splitlines())))]
    if not names:
        raise DataError(f"{file} names nothing; give a text with an id in each line")
    return names
