"""Which jobs need no run, and what a finished one reached, told without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.component import plain
from totalml.errors import TotalmlError
from totalml.identity import canonical
from totalml.runs.attempt import METRICS_FILE, RUN_FILE, TRAINING_FILE

if TYPE_CHECKING:
    from totalml.recipe import Recipe
    from totalml.runs.attempt import Attempt


class FinishedRuns:
    """What the jobs have in common is looked at once."""

    def __init__(self) -> None:
        self._data_hashes: dict[bytes, str | None] = {}

    def of(self, recipe: Recipe) -> Attempt | None:
        """The finished attempt of this recipe by this code on its present data."""
        from totalml.runs import open_runs
        from totalml.runs.identity import RunIdentity, finished_attempt

        if not (data_hash := self.data_hash(recipe)):
            return None
        recipe = _with_sources(recipe)
        return finished_attempt(RunIdentity(recipe, data_hash, open_runs(recipe.runtime.runs, recipe.runtime.cache)))

    def made_with(self, recipe: Recipe) -> list[str | None]:
        """Digests of the data and of all else that a run is made with besides its recipe."""
        from totalml.runs.identity import made_with

        return [self.data_hash(recipe), *(part["digest"] for part in made_with(_with_sources(recipe)).values())]

    def data_hash(self, recipe: Recipe) -> str | None:
        """None where the snapshot cannot be taken; the job itself will say why."""
        key = canonical([plain(recipe.data, where=True), recipe.runtime.store])
        if key not in self._data_hashes:
            self._data_hashes[key] = _data_hash(recipe)
        return self._data_hashes[key]


def _data_hash(recipe: Recipe) -> str | None:
    from totalml.data import take_snapshot
    from totalml.progress import Progress
    from totalml.store import open_store

    progress = Progress.create(recipe.runtime.progress)
    try:
        store = open_store(recipe.runtime.store, recipe.runtime.cache, progress.say)
        snapshot = take_snapshot(recipe.data, store, progress)
        store.publish()
    except TotalmlError:
        return None
    return snapshot.data_hash


def _with_sources(recipe: Recipe) -> Recipe:
    """As it is where they cannot be taken; the job itself will say why."""
    from totalml.features.shared.sources import with_sources
    from totalml.store import open_store

    if not recipe.features.shared:
        return recipe
    try:
        return with_sources(recipe, open_store(recipe.runtime.store, recipe.runtime.cache))
    except TotalmlError:
        return recipe


def run_facts(folder: Path) -> dict[str, Any]:
    """`run.json` of an attempt; empty where it cannot be read."""
    return _read(folder / RUN_FILE)


def metric_of(folder: Path, metric: str) -> float | None:
    """The value that jobs are compared by; None where the run does not have it.

    Args:
        metric: `validation_loss` and `validation_<score of the task>` of the best epoch, or one of `metrics.json`.
    """
    if metric.startswith("validation_"):
        training = _read(folder / TRAINING_FILE)
        best = [epoch for epoch in training.get("history", []) if epoch["epoch"] == training["best_epoch"]]
        key = "validation_score" if metric == f"validation_{training.get('score')}" else metric
        value = best[0].get(key) if best else None
    else:
        value = _read(folder / METRICS_FILE).get("metrics", {}).get(metric, {}).get("value")
    return float(value) if isinstance(value, int | float) else None


def figures_of(folder: Path) -> dict[str, tuple[float, str]]:
    """Name -> value and its unit, of all that a run has in `metrics.json` of its whole test split."""
    found = _read(folder / METRICS_FILE)
    values = {name: metric.get("value") for name, metric in found.get("metrics", {}).items()}
    return {name: (float(value), found.get("unit", "")) for name, value in values.items() if value is not None}


def seconds_of(facts: dict[str, Any]) -> float | None:
    """Wall time of all stages of a run."""
    seconds = facts.get("seconds")
    return round(sum(seconds.values()), 3) if seconds else None


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
