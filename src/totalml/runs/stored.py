"""The recipe that an attempt writes down: composed, every default written out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.component import plain
from totalml.errors import RecipeError, StoreError
from totalml.runs.attempt import RECIPE_FILE

if TYPE_CHECKING:
    from totalml.recipe import Recipe


def recipe_text(recipe: Recipe) -> str:
    """A composed recipe as YAML."""
    return values_text(plain(recipe, where=True))


def values_text(values: Mapping[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def stored_values(folder: Path) -> dict[str, Any]:
    """Its values as they stand, whether today's code knows them or not.

    Raises: StoreError: the file cannot be read.
    """
    import yaml

    file = folder / RECIPE_FILE
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise StoreError(f"{file} cannot be read: {error}. Run the recipe again.") from error
    if not isinstance(values, dict):
        raise StoreError(f"{file} holds no recipe. Run the recipe again.")
    return values


def stored_recipe(folder: Path) -> Recipe:
    """Raises: StoreError: the file cannot be read. RecipeError: today's code no longer takes it."""
    from totalml.validate import InvalidRecipe, validate

    try:
        return validate(stored_values(folder))
    except InvalidRecipe as error:
        raise RecipeError(*(f"{folder / RECIPE_FILE}: {mistake.message}" for mistake in error.mistakes)) from error
