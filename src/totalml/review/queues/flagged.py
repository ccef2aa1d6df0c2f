"""Groups in which a release errs more: by the report of its run, and by what its monitor said last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from totalml.evaluation.columns import LIGHT
from totalml.evaluation.record import Evaluation
from totalml.monitoring.history import History
from totalml.monitoring.observations import as_numbers
from totalml.monitoring.verdict import OF_SLICES
from totalml.release.bundle import METRICS, REFERENCE
from totalml.review.queues.from_test import split_rows
from totalml.review.queues.weights import BRIGHTNESS, with_light

if TYPE_CHECKING:
    from totalml.release.bundle import Bundle
    from totalml.review.queues.pool import Pool
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


def with_groups(pool: Pool, slices: Mapping[str, Where], bundle: Bundle) -> Pool:
    """With the light of its pictures, where a slice is of that."""
    if not any(LIGHT in where for where in slices.values()) or REFERENCE not in bundle:
        return pool
    rows = split_rows(bundle)
    if BRIGHTNESS not in rows.column_names:
        return pool
    return replace(pool, table=with_light(pool.table, as_numbers(rows[BRIGHTNESS])))
