"""The rows that shared features are made of, where these have a source of their own: snapshots, as of any data.

Which snapshot it was stands in the recipe of a run, so that the run can be told from one on other rows, and repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from totalml.component import plain
from totalml.data.memory import remembered_hash
from totalml.data.snapshot import has_snapshot
from totalml.errors import DataError
from totalml.identity import canonical
from totalml.recipe import DataRecipe

if TYPE_CHECKING:
    from totalml.recipe import FeaturesRecipe, Recipe, SharedRecipe
    from totalml.store import Store


def with_sources(recipe: Recipe, store: Store) -> Recipe:
    """The recipe with the data hash of each source; what the store does not hold is taken.

    Raises: DataError: a source cannot be read, or no longer gives the snapshot that the recipe names.
    """
    features = with_snapshots(recipe.features, store)
    return recipe if features is recipe.features else recipe.model_copy(update={"features": features})


def with_snapshots(features: FeaturesRecipe, store: Store) -> FeaturesRecipe:
    """As `with_sources`; a source that several features have is looked at once."""
    taken: dict[bytes, str] = {}

    def snapshot(each: SharedRecipe) -> str:
        key = canonical(plain(source_of(each), where=True))
        if key not in taken:
            taken[key] = _taken(each, store)
        return taken[key]

    return _with(features, snapshot, store)


def remembered_sources(recipe: Recipe, store: Store) -> Recipe | None:
    """The same by what the sources gave when they were last as they are now; None: only a look can tell."""
    if not any(each.feature.source for each in recipe.features.shared):
        return recipe
    features = _with(recipe.features, lambda each: remembered_hash(source_of(each), store), store)
    if any(each.feature.source and each.snapshot is None for each in features.shared):
        return None
    return recipe.model_copy(update={"features": features})


def source_of(each: SharedRecipe) -> DataRecipe:
    """As data to be taken. Args: each: one that has a source."""
    assert each.feature.source is not None  # noqa: S101
    return DataRecipe(source=each.feature.source, snapshot=each.snapshot)


def _with(features: FeaturesRecipe, snapshot: Callable[[SharedRecipe], str | None], store: Store) -> FeaturesRecipe:
    def told(each: SharedRecipe) -> SharedRecipe:
        if each.feature.source is None or (each.snapshot and has_snapshot(each.snapshot, store)):
            return each
        return each.model_copy(update={"snapshot": snapshot(each)})

    shared = tuple(told(each) for each in features.shared)
    return features if shared == features.shared else features.model_copy(update={"shared": shared})


def _taken(each: SharedRecipe, store: Store) -> str:
    from totalml.data import take_snapshot

    try:
        return take_snapshot(source_of(each), store).data_hash
    except DataError as error:
        raise type(error)(f"the source of shared feature {each.name!r}: {error}") from error
