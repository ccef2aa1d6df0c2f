"""Whether the data that a recipe is pinned to can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.identity import short

if TYPE_CHECKING:
    from totalml.comparison.composed import Composed
    from totalml.project import Place
    from totalml.store import Store


def look_for_pin(recipe: Composed, place: Place, *, strict: bool) -> list[str]:
    """What to say about the pin; nothing if the recipe has none.

    Args:
        strict: ask the source, as a run would. Generated data is generated again, unless its generator is known to
            have given this very snapshot.
    Raises: SnapshotError, StoreError: the source does not give the pinned data. Only if strict.
    """
    if recipe.data_hash is None:
        return []
    from totalml.data.snapshot import has_snapshot
    from totalml.store import Store

    store, pin = Store(place.store), f"pin {short(recipe.data_hash)}"
    if strict and not recipe.needs:
        _take(recipe, store)
        return [f"{pin} is what the source gives"]
    if has_snapshot(recipe.data_hash, store):
        return [f"{pin} is in the store"]
    return [f"{pin} not checked: not in the store"]


def _take(recipe: Composed, store: Store) -> None:
    from totalml.data import take_snapshot
    from totalml.validate import validate

    take_snapshot(validate(recipe.values or {}).data, store)
