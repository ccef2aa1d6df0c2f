"""The review queue: samples whose label would tell most, for people to look at.

`review/<model>/<alert id>.parquet` of the store, one row a sample, the most telling first:

    request_id    string     as in the prediction log; `totalml feedback` takes a label by it
    id            string     of the sample in its request; null: each of them
    input         string     hash of what was sent; null: unknown
    picture       string     name of the picture in the store, if it was kept: pictures/<model>/<day>/<hash>
    release       string     bundle hash of what answered
    probability   double     in (0, 1], with which it was drawn: a label counts by its inverse
    alert, verdict  string
    queued        timestamp[us, UTC]

Pictures stay where the log keeps them. Its days, and deletions on request, hold here too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from totalml.errors import AlertError, StoreError
from totalml.recipe.bounds import NAME

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.alerts.alert import Alert
    from totalml.store import Store

FOLDER = "review"
MOST_LABELS = 3  # that are named, the most frequent first


def queue_labels(alert: Alert, store: Store, when: datetime) -> str:
    """Write the queue of an alert, in the place of an earlier one.

    Returns: what was done. Raises: AlertError: the alert shows no samples. StoreError: it cannot be written.
    """
    from totalml.data.snapshot import parquet_bytes
    from totalml.prediction_log.asked import queue_lock

    with queue_lock(store, alert.model):
        table = _table(alert, store, when)
        store.save_file(parquet_bytes(table), FOLDER, alert.model, f"{alert.id}.parquet")
    seen = len(table) - table["picture"].null_count
    file = f"{FOLDER}/{alert.model}/{alert.id}.parquet"
    return f"{len(table)} requests, {seen} with their pictures, wait for labels in {file} of the store"


def queued(store: Store, model: str) -> pa.Table:
    """All that waits, the queue of the oldest alert first.

    Raises: StoreError: the store cannot be read.
    """
    import pyarrow as pa

    from totalml.data.stored_table import stored_table

    if not NAME.fullmatch(model):
        raise ValueError(f"{model!r} is no model's name")
    tables = [_schema().empty_table()]
    names = [name for name in store.names(FOLDER, model) if name.endswith(".parquet")]
    for name in sorted(names, key=lambda name: (len(name), name)):
        with stored_table(store, FOLDER, model, name) as file:
            tables.append(file.read())
    return pa.concat_tables(tables)


def judged_of(store: Store, model: str, alert: str) -> str:
    """`3 of 5: 2 dark, 1 light`: of what an alert asked for, how many have a label by now.

    Returns: `-`: it asked for nothing; `?`: nobody can tell, such as of a release that is gone.
    """
    import pyarrow.compute as pc

    try:
        waiting = queued(store, model)
        waiting = waiting.filter(pc.equal(waiting["alert"], alert))
        if not len(waiting):
            return "-"
        said = _labels_of(waiting, store, model)
    except StoreError:
        return "?"
    counts = ", ".join(f"{count:,} {label}" for label, count in Counter(said).most_common(MOST_LABELS))
    return f"{len(said):,} of {len(waiting):,}{': ' if counts else ''}{counts}"


def _labels_of(waiting: pa.Table, store: Store, model: str) -> list[str]:
    """In words."""
    import pyarrow.compute as pc

    from totalml.labels import Labels, truth_of
    from totalml.labels.columns import PREFIX, keys
    from totalml.release.bundle import open_bundle
    from totalml.release.signature import Signature

    release = waiting["release"][0].as_py()
    known = Labels(store, model, truth_of(Signature.read(open_bundle(release, store)))).read()
    names = [name for name in known.column_names if name.startswith(PREFIX)]
    places = pc.coalesce(
        pc.index_in(keys(waiting), value_set=keys(known)),
        pc.index_in(waiting["request_id"], value_set=keys(known)),
    )
    rows = known.select(names).take(places.drop_null()).to_pylist()
    return [_in_words({name.removeprefix(PREFIX): cell for name, cell in row.items()}) for row in rows]


def _in_words(label: Mapping[str, Any]) -> str:
    if len(label) == 1:
        return _word(*label.values())
    return ", ".join(f"{name} {_word(cell)}" for name, cell in label.items())


def _word(cell: Any) -> str:
    if isinstance(cell, list):
        return "+".join(map(str, cell)) or "none"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _table(alert: Alert, store: Store, when: datetime) -> pa.Table:
    import pyarrow as pa

    from totalml.prediction_log.sampled_pictures import kept_pictures

    samples = alert.finding.samples
    if not samples:
        raise AlertError("the alert shows no requests that could be labelled")
    pictures = kept_pictures(store, alert.model, {each.input for each in samples if each.input})
    columns = {
        "request_id": [each.request_id for each in samples],
        "id": [each.id or None for each in samples],
        "input": [each.input or None for each in samples],
        "picture": [pictures.get(each.input) for each in samples],
        "release": [each.release or alert.finding.release for each in samples],
        "probability": [each.probability for each in samples],
        "alert": [alert.id for _ in samples],
        "verdict": [alert.finding.verdict for _ in samples],
        "queued": [when for _ in samples],
    }
    return pa.table(columns, _schema())


def _schema() -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    words = dict.fromkeys(("request_id", "id", "input", "picture", "release"), text)
    more = {"probability": pa.float64(), "alert": text, "verdict": text, "queued": pa.timestamp("us", "UTC")}
    return pa.schema(words | more)
