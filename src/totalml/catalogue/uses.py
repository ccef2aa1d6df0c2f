"""Where shared features are used: in recipes as they compose now, in runs and in releases as they were written down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from totalml.comparison.composed import compose_all
from totalml.errors import StoreError
from totalml.fingerprint import feature_id
from totalml.identity import short
from totalml.kinds import SharedFeature
from totalml.registry import Aliases, models
from totalml.release.bundle import RECIPE, RELEASES
from totalml.runs.attempt import RECIPE_FILE
from totalml.runs.find import RUN_ID
from totalml.runs.stored import stored_values
from totalml.validate import InvalidRecipe, component_of

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.store import Store

By = Literal["recipe", "run", "release"]
NO_ID = ""  # of a definition that today's code no longer takes


@dataclass(frozen=True)
class Use:
    """Args:
    by: what uses it.
    who: the recipe's name, `recipe/run id/attempt`, or `model@alias` and the release's hash.
    feature: `team/name`.
    id: of the definition as it is used there, by the own code of recipes as it is now.
    definition: its plain values.
    snapshot: data hash of its own source; None: it has none, or it is not known.
    folder: of the run or release; None: of a recipe.
    """

    by: By
    who: str
    feature: str
    id: str
    definition: Mapping[str, Any]
    snapshot: str | None = None
    folder: Path | None = None


def uses(place: Place) -> list[Use]:
    """By recipes, then by runs, then by releases; each in the order of names. What cannot be read uses nothing."""
    return [*_of_recipes(place), *_of_runs(place.runs), *_of_releases(place.open_store())]


def id_of(definition: Mapping[str, Any]) -> str:
    """Of plain values; NO_ID: today's code does not take them."""
    return _id_of(json.dumps(definition, sort_keys=True))


@lru_cache(maxsize=1024)  # runs of one recipe mostly say the same
def _id_of(definition: str) -> str:
    try:
        return feature_id(component_of(json.loads(definition), SharedFeature))  # type: ignore[type-abstract]
    except InvalidRecipe:
        return NO_ID


def _of_recipes(place: Place) -> Iterator[Use]:
    for name, recipe in compose_all(place.project).items():
        yield from _named("recipe", name, recipe.values or {}, None)


def _of_runs(runs: Path) -> Iterator[Use]:
    """By the latest attempt of each run."""
    for run in sorted(path for path in runs.glob("*/*") if RUN_ID.fullmatch(path.name)):
        attempts = [each for each in run.iterdir() if each.name.isdigit() and (each / RECIPE_FILE).is_file()]
        if attempts:
            latest = max(attempts, key=lambda each: int(each.name))
            yield from _written("run", f"{run.parent.name}/{run.name}/{latest.name}", latest)


def _of_releases(store: Store) -> Iterator[Use]:
    aliases: dict[str, list[str]] = {}
    for model in sorted(models(store)):
        for alias, each in Aliases(store, model).points().items():
            aliases.setdefault(short(each.release, 64), []).append(f"{model}@{alias}")
    for folder in sorted((store.root / RELEASES).glob("*")):
        if (folder / RECIPE).is_file():
            yield from _written("release", " ".join([folder.name[:12], *sorted(aliases.get(folder.name, []))]), folder)


def _written(by: By, who: str, folder: Path) -> Iterator[Use]:
    try:
        # Reading a recipe as YAML takes a hundred times as long as looking for the key.
        if "\n  shared: []\n" in (folder / RECIPE_FILE).read_text(encoding="utf-8"):
            return
        yield from _named(by, who, stored_values(folder), folder)
    except (OSError, ValueError, StoreError):
        return


def _named(by: By, who: str, values: Mapping[str, Any], folder: Path | None) -> Iterator[Use]:
    features = values.get("features")
    shared = features.get("shared") if isinstance(features, dict) else None
    for each in shared if isinstance(shared, list) else []:
        if isinstance(each, dict) and isinstance(each.get("feature"), dict):
            definition = each["feature"]
            yield Use(by, who, str(each.get("name")), id_of(definition), definition, each.get("snapshot"), folder)
