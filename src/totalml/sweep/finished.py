"""Which jobs need no run, told without torch; what the jobs have in common is looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.component import plain
from totalml.errors import TotalmlError
from totalml.identity import canonical

if TYPE_CHECKING:
    from totalml.recipe import Recipe
    from totalml.runs.attempt import Attempt


class FinishedRuns:
    def __init__(self) -> None:
        self._data_hashes: dict[bytes, str | None] = {}

    def of(self, recipe: Recipe) -> Attempt | None:
        """The finished attempt of this recipe by this code on its present data."""
        from totalml.runs import open_runs
        from totalml.runs.identity import RunIdentity, finished_attempt

        if not (data_hash := self.data_hash(recipe)):
            return None
        return finished_attempt(RunIdentity(recipe, data_hash, open_runs(recipe.runtime.runs, recipe.runtime.cache)))

    def made_with(self, recipe: Recipe) -> list[str | None]:
        """Digests of the data and of all else that a run is made with besides its recipe."""
        from totalml.runs.identity import made_with

        return [self.data_hash(recipe), *(part["digest"] for part in made_with(recipe).values())]

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
