"""Groups in which a release errs more: by the report of its run, and by what its monitor said last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from totalml.evaluation.record import Evaluation
from totalml.monitoring.history import History
from totalml.monitoring.verdict import OF_SLICES
from totalml.release.bundle import METRICS

if TYPE_CHECKING:
    from totalml.release.bundle import Bundle
    from totalml.review.queues.weights import Where
    from totalml.store import Store


def flagged_slices(bundle: Bundle, store: Store) -> dict[str, Where]:
    """Name in words -> column -> value. Raises: StoreError: the store cannot be read."""
    slices = Evaluation.of(bundle.read_json(METRICS), pa.table({})).slices
    found: dict[str, Where] = {each.name: each.where for each in slices.worse()} if slices else {}
    last = History(store, bundle.name).last(bundle.hash)
    evidence = last.verdict.of(OF_SLICES) if last else None
    for each in evidence.moved if evidence and evidence.alarm else ():
        column, _, value = each.partition("=")
        found[f"{column.replace('_', ' ')} {value}"] = {column: value}
    return found
