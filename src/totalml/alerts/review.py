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

Pictures stay where the log keeps them, so its days and deletions on request hold here too.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from totalml.errors import AlertError
from totalml.recipe.bounds import NAME

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.alerts.alert import Alert
    from totalml.store import Store

FOLDER = "review"


def queue_labels(alert: Alert, store: Store, when: datetime) -> str:
    """Write the queue of an alert, in the place of an earlier one.

    Returns: what was done. Raises: AlertError: the alert shows no samples. StoreError: it cannot be written.
    """
    from totalml.data.snapshot import parquet_bytes

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
