"""Compose and validate every job of a sweep before any of them starts, and name the sweep by what is swept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from totalml.compose.command_line import composed, explained, job_recipe, override_key
from totalml.errors import RecipeError
from totalml.identity import canonical, config_hash, digest, short
from totalml.recipe import Recipe, what
from totalml.sweep.mistakes import Mistakes
from totalml.url import local_folder

SEVERAL = "several_recipes"


class Composer:
    """What a job of the project is to run, as a validated recipe."""

    def __init__(self, project: Path) -> None:
        self._project = project

    def recipe(self, overrides: Sequence[str]) -> Recipe:
        """Raises: RecipeError: with all mistakes of this job."""
        given = list(overrides)
        with explained(self._project, given):
            return job_recipe(composed(self._project, given), self._project, given)

    def recipes(self, jobs: Sequence[Sequence[str]]) -> list[Recipe]:
        """Raises: RecipeError: with all mistakes of all jobs."""
        mistakes, found = Mistakes(jobs), []
        for overrides in jobs:
            try:
                found.append(self.recipe(overrides))
            except RecipeError as error:
                mistakes.add(overrides, error)
        mistakes.raise_if_any()
        return found

    def recipe_or_mistakes(self, overrides: Sequence[str]) -> Recipe | RecipeError:
        """For a job that is chosen while others have run already."""
        try:
            return self.recipe(overrides)
        except RecipeError as error:
            return error


def alone(overrides: Sequence[str], recipe: Recipe, threads: int | None) -> tuple[str, ...]:
    """The overrides that make this one run and no sweep, whatever the recipe carries.

    Args:
        threads: see `stated`.
    """
    swept = set(recipe.sweep.parameters) if recipe.sweep else set()
    fixed = swept <= {override_key(override) for override in overrides}
    return (*overrides, *stated(recipe, threads), *(() if fixed else ("++sweep=null",)))


def stated(recipe: Recipe, threads: int | None) -> list[str]:
    """The override that says how many threads a job has; a run alone would take another number, and be another run.

    Args:
        threads: of a job that says nothing of them itself; None: as many as a run alone.
    """
    return [f"++runtime.threads={threads}"] if threads and recipe.runtime.threads is None else []


def sweep_folder(recipes: Sequence[Recipe], swept: Any) -> tuple[Path, str, str]:
    """Where a sweep keeps its logs and its state, its name and its id.

    Args:
        recipes: at least one.
        swept: plain values; the same ones are the same sweep, which goes on.
    """
    names = {recipe.name for recipe in recipes}
    name = names.pop() if len(names) == 1 else SEVERAL
    sweep_id = short(digest("sweep v1", canonical(swept)))
    runtime = recipes[0].runtime
    runs = local_folder(runtime.runs, "runs", runtime.cache)  # of remote runs, what stands before them here
    return runs / "sweeps" / name / sweep_id, name, sweep_id


def hashes(recipes: Sequence[Recipe]) -> list[str]:
    return [config_hash(what(recipe)) for recipe in recipes]
