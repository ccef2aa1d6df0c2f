"""What one side of a comparison is: a run, a recipe as it stands, or a recipe at a git revision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.comparison.composed import Composed, compose_one
from totalml.errors import RecipeError
from totalml.identity import short
from totalml.runs.attempt import Attempt
from totalml.runs.find import find_run, finished_run
from totalml.runs.stored import stored_values
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.compose.origins import Origins
    from totalml.project import Place

_RECIPE = re.compile(r"(?:recipes/)?([^/:]+?)(?:\.yaml)?")


@dataclass(frozen=True)
class Side:
    """Args:
    name: as the user wrote it.
    title: what it was found to be.
    recipe: as composed.
    data_hash: of the run, or the recipe's pin.
    attempt: the run; of a recipe, its latest finished run with the same config hash, for the metrics.
    is_run: the user named a run.
    commit: of a git revision.
    origins: where the keys of a recipe as it stands were written.
    """

    name: str
    title: str
    recipe: Composed
    data_hash: str | None
    attempt: Attempt | None = None
    is_run: bool = False
    commit: str | None = None
    origins: Origins | None = None
    notes: tuple[str, ...] = ()


def find_side(text: str, place: Place) -> Side:
    """Args:
    text: what `find_run` takes, a recipe file or its name, or `REVISION:recipes/x.yaml`.

    Raises: RecipeError: nothing or several things are meant, or the recipe has mistakes. StoreError: a run is damaged.
    """
    revision, colon, path = text.rpartition(":")
    if colon:
        return _at_revision(text, revision, path, place)
    name = _recipe_name(text, place.project)
    if name in place.recipes():
        return recipe_side(text, name, compose_one(place.project, name), place)
    if name is not None and text.endswith(".yaml"):
        raise RecipeError(f"command line: there is no recipe {text!r}{did_you_mean(name, place.recipes())}")
    try:
        return run_side(text, find_run(text, place.runs))
    except RecipeError as error:
        if hint := did_you_mean(text, place.recipes()):
            raise RecipeError(f"command line: there is no run and no recipe {text!r}{hint}") from error
        raise


def run_side(name: str, attempt: Attempt) -> Side:
    facts = attempt.facts
    title = f"run {facts['name']} {facts['run_id']} attempt {attempt.number}"
    notes = () if attempt.status == "finished" else (f"this attempt is {attempt.status}",)
    return Side(name, title, _recipe_of(attempt), facts["data_hash"], attempt, is_run=True, notes=notes)


def recipe_side(text: str, name: str, recipe: Composed, place: Place, commit: str | None = None) -> Side:
    """A recipe that has no mistakes, with its latest run if it has one."""
    if recipe.values is None:
        raise RecipeError(*recipe.mistakes or [f"{text} cannot be composed without {', '.join(recipe.needs)}"])
    attempt = finished_run(str(recipe.values["name"]), recipe.config_hash, place.runs) if recipe.config_hash else None
    where = f"at {short(commit, 12)}" if commit else "as it stands"
    measured = f", measured by run {attempt.facts['run_id']} attempt {attempt.number}" if attempt else ""
    data = recipe.data_hash or (attempt.facts["data_hash"] if attempt else None)
    needs = (f"needs {', '.join(recipe.needs)} from the command line",) if recipe.needs else ()
    origins = None if commit else origins_of(place.project, name, recipe.values)
    return Side(text, f"recipe {name} {where}{measured}", recipe, data, attempt, False, commit, origins, needs)


def _at_revision(text: str, revision: str, path: str, place: Place) -> Side:
    from totalml.comparison.revision import read_revision

    name = _recipe_name(path, place.project)
    found = read_revision(place.project, revision)
    if name is None or name not in found.recipes:
        hint = did_you_mean(name or path, found.recipes) or f"; there are: {', '.join(found.recipes)}"
        raise RecipeError(f"command line: revision {revision!r} has no recipe {path!r}{hint}")
    side = recipe_side(text, name, found.recipes[name], place, found.commit)
    return replace(side, notes=(*side.notes, *([found.notes[name]] if name in found.notes else [])))


def _recipe_name(text: str, project: Path) -> str | None:
    """`x` of `x`, `x.yaml`, `recipes/x.yaml` and of the path of that file; None for anything else."""
    if (path := Path(text).resolve()).is_file() and path.parent == (project / "recipes").resolve():
        return path.stem
    found = _RECIPE.fullmatch(text)
    return found.group(1) if found else None


def _recipe_of(attempt: Attempt) -> Composed:
    """The recipe that the attempt wrote down."""
    values = stored_values(attempt.folder)
    return Composed(values, _what(values), attempt.facts["config_hash"], attempt.facts["data_hash"])


def _what(values: dict[str, Any]) -> dict[str, Any]:
    """The part that counts; of a recipe that is none any more for today's code, all but the keys that never do."""
    from totalml.component import says_where
    from totalml.recipe import Recipe, what
    from totalml.validate import InvalidRecipe, validate

    try:
        return what(validate(values))
    except InvalidRecipe:
        where = {name for name, field in Recipe.model_fields.items() if says_where(field)}
        return {key: value for key, value in values.items() if key not in where}


def origins_of(project: Path, name: str, values: Mapping[str, Any]) -> Origins:
    """Where the keys of a recipe are written, those of its shared features in their own files.

    Args: values: of the recipe as composed.
    """
    from totalml.compose.mistakes import read_origins
    from totalml.compose.shared import layers_of

    shared = {place: each["name"] for place, each in enumerate(values["features"]["shared"])}
    return read_origins(project, [f"+recipe={name}"]).over(layers_of(shared, project))
