"""Run a finished run again, from nothing but its recipe and its data, in a folder of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import RecipeError, StoreError
from totalml.identity import PREFIX, config_hash
from totalml.progress import Progress
from totalml.project import Place
from totalml.recipe import Recipe, TrackingRecipe, what
from totalml.runs.attempt import Attempt
from totalml.runs.identity import made_with
from totalml.runs.stored import stored_recipe
from totalml.store import Store
from totalml.store.copy import duplicate

if TYPE_CHECKING:
    from totalml.data import Snapshot


@dataclass(frozen=True)
class Reference:
    """Args:
    attempt: what is to be reproduced.
    recipe: what is run for it: the stored recipe, or the one of the same name as it stands.
    file: name of the recipe as it stands; None: the stored recipe and snapshot are used, the source is not asked.
    """

    attempt: Attempt
    recipe: Recipe
    file: str | None


@dataclass(frozen=True)
class Rerun:
    """Args:
    place: where the second run and its store lie; the store also holds what is needed to compare it with the first.
    """

    attempt: Attempt
    place: Place


def reference_of(text: str, overrides: Sequence[str], place: Place) -> Reference:
    """Args:
    text: a recipe's name, or what `find_run` takes; so is a recipe that needs values from the command line.

    Raises: RecipeError: there is no finished run of that, or overrides are given for a run. StoreError: damaged.
    """
    from totalml.comparison.composed import compose_one
    from totalml.compose import compose_recipe
    from totalml.runs.find import find_run

    if elsewhere := [each for each in overrides if each.startswith(("runtime.store=", "runtime.runs="))]:
        raise RecipeError(f"command line: {elsewhere[0]!r}: say where runs and store lie by --runs and --store")
    if text in place.recipes() and (overrides or not compose_one(place.project, text).needs):
        recipe = compose_recipe(place.project, [f"+recipe={text}", *overrides])
        return Reference(_whole(_closest(recipe, place) or find_run(recipe.name, place.runs)), recipe, text)
    attempt = find_run(text, place.runs)
    if overrides:
        raise RecipeError(f"command line: {overrides[0]!r} goes with a recipe; a run is verified with its own recipe")
    if attempt.status != "finished":
        raise RecipeError(f"command line: run {text!r} is {attempt.status}; give its command again first")
    return Reference(_whole(attempt), stored_recipe(attempt.folder), None)


def _whole(attempt: Attempt) -> Attempt:
    """Raises: StoreError: a result is gone or is no longer what the run wrote; that proves nothing."""
    if lost := attempt.lost():
        raise StoreError(f"{attempt.folder}: gone or changed: {', '.join(lost)}; give the run's command again")
    return attempt


def rerun(reference: Reference, place: Place, folder: Path) -> Rerun:
    """Args:
    folder: empty.

    Raises: TotalmlError: whatever stops a run; StoreError also if a stored sample is no longer what it was.
    """
    from totalml.data import take_snapshot
    from totalml.runner import run_on
    from totalml.runs import RunFolders

    here = Place(place.project, folder / "runs", folder / "store")
    recipe, original, store = _moved(reference.recipe, here), Store(place.store), Store(here.store)
    progress = Progress.create(recipe.runtime.progress)
    _carry(reference, original, store)
    if reference.file is None:
        snapshot = _stored_snapshot(reference.attempt.facts["data_hash"], original, store, progress)
    else:
        snapshot = take_snapshot(recipe.data, store, progress)
    return Rerun(run_on(snapshot, recipe, store, RunFolders(here.runs, progress.say), progress), here)


def _closest(recipe: Recipe, place: Place) -> Attempt | None:
    """The latest finished run of the recipe, made like now if there is one; or that with the fewest other values.

    None: there is no finished run of that name.
    """
    from totalml.runs.find import finished_runs

    attempts, wanted = finished_runs(recipe.name, place.runs), what(recipe)
    same = [attempt for attempt in attempts if attempt.facts["config_hash"] == config_hash(wanted)]
    if same:
        made = made_with(recipe)
        return next((attempt for attempt in reversed(same) if attempt.made_like(made)), same[-1])
    closest = min(reversed(attempts), key=lambda attempt: _differing(attempt, wanted), default=None)
    if closest is not None:
        Progress.create(recipe.runtime.progress).say(
            f"no run of {recipe.name} as it stands; compared with the closest, {closest.facts['run_id']}"
        )
    return closest


def _differing(attempt: Attempt, wanted: dict[str, Any]) -> float:
    """How many keys of the attempt's recipe have another value; infinite if it is no recipe any more."""
    from totalml.values.keys import key_changes

    try:
        return len(list(key_changes(what(stored_recipe(attempt.folder)), wanted)))
    except (RecipeError, StoreError):
        return math.inf


def _moved(recipe: Recipe, here: Place) -> Recipe:
    """The same experiment elsewhere; other data than the pinned is to be told, not refused."""
    runtime = recipe.runtime.model_copy(update={"store": str(here.store), "runs": str(here.runs), "rerun": False})
    data = recipe.data.model_copy(update={"snapshot": None})
    return recipe.model_copy(update={"runtime": runtime, "data": data, "tracking": TrackingRecipe()})


def _carry(reference: Reference, original: Store, store: Store) -> None:
    """The first run's tables of samples and its source code, to say what differs; no picture, no result."""
    facts, shared = reference.attempt.facts, reference.recipe.features.shared
    snapshots = [facts["data_hash"], *(each.snapshot for each in shared if each.snapshot)]
    tables = [f"snapshots/{digest.removeprefix(PREFIX)}/*" for digest in snapshots]
    for pattern in (*tables, f"code/{facts['code']['digest'].removeprefix(PREFIX)}.zip"):
        for file in sorted(original.root.glob(pattern)):
            duplicate(file, store.folder(*file.relative_to(original.root).parts[:-1]) / file.name)


def _stored_snapshot(digest: str, original: Store, store: Store, progress: Progress) -> Snapshot:
    """Copy what the first run saw; every sample is verified on the way."""
    from totalml.data import load_snapshot
    from totalml.store.store import to_bytes

    snapshot = load_snapshot(digest, original)
    columns = (snapshot.samples[name].to_pylist() for name in ("blob", "mask"))
    blobs = list(dict.fromkeys(blob for column in columns for blob in column if blob is not None))
    with store.writing() as writer:
        read = zip(blobs, original.read_many(blobs), strict=True)
        for blob, data in progress.track(read, "verify samples", len(blobs)):
            writer.add(to_bytes(blob), data)
    return snapshot
