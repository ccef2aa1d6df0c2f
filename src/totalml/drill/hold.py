"""Hold the drill of a finished run, or report the one that was held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa

from totalml.data.snapshot import parquet_bytes
from totalml.drill.detector import DUMMIES, Detector
from totalml.drill.futures import futures_as_pools, make_futures
from totalml.drill.history import check_pools
from totalml.drill.judgement import Outcome, judge
from totalml.drill.monitored import Monitored, monitors, monitors_of_series
from totalml.drill.ours import Windows
from totalml.drill.pools import as_pools, make_pools
from totalml.drill.record import DrillRecord, held_with, measure, truths_of
from totalml.drill.rivals import Adwin, ColumnByColumn
from totalml.labels import truth_of
from totalml.registry import Aliases
from totalml.release.bundle import Bundle, open_bundle
from totalml.release.signature import Signature
from totalml.runs.attempt import DRILL_OUTCOMES
from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    from totalml.progress import Progress
    from totalml.recipe import DrillRecipe, Recipe
    from totalml.runs.attempt import Attempt
    from totalml.store import Store

STRICTER = 4.0  # times than what a monitor promises, if under that it alarms in too many calm histories
SCORED = "drill"  # folder of the attempt that keeps scored populations


def detectors_of_series(recipe: Recipe, drill: DrillRecipe, bundle: Bundle, store: Store) -> list[Detector]:
    """Those of `detectors` that can look at periods."""
    days, budget = drill.window_days, recipe.monitoring.false_alarms_per_year
    new = monitors_of_series(bundle, store, recipe.monitoring)
    ours = Monitored("monitor", new, (budget,), days, along=False, stricter=budget / STRICTER)
    return [ours, ColumnByColumn(days), Adwin("score"), Adwin("errors"), *DUMMIES]


def detectors(recipe: Recipe, drill: DrillRecipe, signature: Signature, sent: Sequence[str]) -> list[Detector]:
    """All that are held against each other. Args: sent: metadata columns that callers send."""
    days, budget = drill.window_days, recipe.monitoring.false_alarms_per_year
    ours = Monitored("monitor", monitors(recipe, signature, sent), (budget,), days, stricter=budget / STRICTER)
    return [ours, Windows(days), ColumnByColumn(days), Adwin("score"), Adwin("errors"), *DUMMIES]


def hold_drill(recipe: Recipe, drill: DrillRecipe, attempt: Attempt, store: Store, progress: Progress) -> DrillRecord:
    """Leave `drill.json` and `drill.parquet`, a row for each detector in each history, in the attempt's folder.

    Args: attempt: finished and whole.
    Raises: DataError, FeatureError, ModelError, StoreError: as `make_pools` and `make_release`.
    """
    bundle = _release(recipe, attempt, store, progress)
    signature, watched = Signature.read(bundle), recipe.monitoring
    if drill.futures:
        futures = make_futures(drill, bundle, attempt.folder / SCORED, progress)
        pools = futures_as_pools(futures, bundle, truth_of(signature), watched.unit)
        held = detectors_of_series(recipe, drill, bundle, store)
    else:
        tables = make_pools(recipe, drill, bundle, attempt, store, attempt.folder / SCORED, progress)
        check_pools({name: len(table) for name, table in tables.items()}, drill)
        sent = (*signature.columns, *watched.columns)
        pools = as_pools(tables, drill.base, truth_of(signature), sent, watched.unit)
        held = detectors(recipe, drill, signature, sent)
    measured = measure(pools, drill)
    truths = truths_of(measured, drill)
    progress.say(f"the drill draws {2 * drill.calm_histories + drill.histories * len(drill.scenarios)} histories")
    judged, outcomes = judge(held, pools, drill, truths, recipe.seed, recipe.runtime.crew, progress)
    write_atomically(attempt.folder / DRILL_OUTCOMES, parquet_bytes(_table(outcomes)))
    record = DrillRecord(held_with(recipe), bundle.hash, measured, truths, tuple(judged))
    record.save(attempt.folder)
    return record


def _release(recipe: Recipe, attempt: Attempt, store: Store, progress: Progress) -> Bundle:
    """The one that was registered, or one that is made for this and named by nothing."""
    made = [each for each in Aliases(store, recipe.name).history() if each.release and each.names(attempt)]
    if made:
        return open_bundle(made[-1].release, store)
    from totalml.release.make import make_release

    return make_release(recipe, attempt, store, progress)


def _table(outcomes: list[Outcome]) -> pa.Table:
    return pa.Table.from_pylist(
        [asdict(each) for each in outcomes],
        pa.schema(
            [
                ("detector", pa.string()),
                ("scenario", pa.string()),
                ("number", pa.int64()),
                ("early", pa.bool_()),
                ("alarm", pa.int64()),
                ("verdict", pa.string()),
                ("named", pa.int64()),
            ]
        ),
    )
