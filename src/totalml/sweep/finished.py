"""Which jobs need no run, told without torch; what the jobs have in common is looked at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.component import plain
from totalml.errors import TotalmlError
from totalml.identity import canonical

if TYPE_CHECKING:
    from totalml.attempt import Attempt
    from totalml.recipe import Recipe


class FinishedRuns:
    def __init__(self) -> None:
        self._data_hashes: dict[bytes, str | None] = {}
        self._made_with: dict[bytes, dict[str, Any]] = {}

    def of(self, recipe: Recipe) -> Attempt | None:
        """The finished attempt of this recipe by this code on its present data."""
        from totalml.runner import finished_attempt

        data_hash = self.data_hash(recipe)
        return finished_attempt(recipe, data_hash, self.made_with(recipe)) if data_hash else None

    def data_hash(self, recipe: Recipe) -> str | None:
        """None where the snapshot cannot be taken; the job itself will say why."""
        key = canonical([plain(recipe.data, where=True), recipe.runtime.store])
        if key not in self._data_hashes:
            self._data_hashes[key] = _data_hash(recipe)
        return self._data_hashes[key]

    def made_with(self, recipe: Recipe) -> dict[str, Any]:
        from totalml.runner import made_with

        # A job's own code is that of the components it names; the rest of the recipe brings none.
        key = canonical([plain(recipe.runtime, where=True), *sorted(_targets(plain(recipe, where=True)))])
        if key not in self._made_with:
            self._made_with[key] = made_with(recipe)
        return self._made_with[key]


def _data_hash(recipe: Recipe) -> str | None:
    from totalml.data import take_snapshot
    from totalml.progress import Progress
    from totalml.store import Store

    try:
        store = Store(Path(recipe.runtime.store))
        return take_snapshot(recipe.data, store, Progress.create(recipe.runtime.progress)).data_hash
    except TotalmlError:
        return None


def _targets(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {str(value["_target_"])} if "_target_" in value else set()
        return own.union(*map(_targets, value.values()))
    return set().union(*map(_targets, value)) if isinstance(value, list) else set()
