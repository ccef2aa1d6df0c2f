"""Compute what the store does not hold yet of shared features that have a source of their own.

  totalml features materialize
  totalml features materialize weather/rain --store s3://bucket/store
  totalml features materialize pubs/light --backend loky --workers 8

A run does so too, for the features that it uses. Each source is looked at once more, so this brings its values up to
date; a feature without a source of its own is made of the rows of each recipe, and nothing is kept of it.
Workers decode pictures, where a feature looks at them; the values are the same bytes whatever they are.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from totalml.workers.options import configure_crew, crew_of

if TYPE_CHECKING:
    from totalml.kinds import SharedFeature
    from totalml.project import Place
    from totalml.store import Store
    from totalml.workers import Crew


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="TEAM/NAME", help="which (all that have a source of their own)")
    configure_crew(parser)


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.compose.shared import shared_feature, shared_features
    from totalml.errors import FeatureError

    crew = crew_of(arguments)
    named = {name: shared_feature(place.project, name) for name in arguments.names}
    features = named or shared_features(place.project)
    wrong, store, done = [], place.open_store(), 0
    for name, feature in features.items():
        if feature.source is None:
            if arguments.names:
                print(f"{name} is made of the rows of each recipe that names it; nothing is kept of it")
            continue
        done += 1
        try:
            print(_materialised(name, feature, store, crew))
        except FeatureError as error:
            wrong.append(f"shared feature {name!r}: {error}")
    if wrong:
        raise FeatureError("\n".join(wrong))
    if not done and not arguments.names:
        print("no shared feature has a source of its own; there is nothing to compute")
    return 0


def _materialised(name: str, feature: SharedFeature, store: Store, crew: Crew) -> str:
    """Raises: FeatureError: the definition does not fit the rows. DataError: its source cannot be read."""
    from totalml.features.shared.materialised import KEY_LENGTH, ROOM, materialised, values_key
    from totalml.features.shared.sources import with_snapshots
    from totalml.identity import short
    from totalml.recipe import FeaturesRecipe, SharedRecipe

    (each,) = with_snapshots(FeaturesRecipe(shared=(SharedRecipe(name=name, feature=feature),)), store).shared
    assert each.snapshot is not None  # noqa: S101
    key = short(values_key(feature, each.snapshot), KEY_LENGTH)
    store.fetch(ROOM, key)
    there = (store.root / ROOM / key).is_dir()
    values = materialised(feature, each.snapshot, store, crew=crew)
    return f"{name}: {len(values):,} rows {'were kept already' if there else 'computed'}, {ROOM}/{key}"
