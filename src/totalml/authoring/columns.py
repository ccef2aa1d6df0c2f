"""Whether a recipe's own table has the columns that the recipe names, by its header alone.

Of any other source it is known only once it is read, so a run tells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import RecipeError

if TYPE_CHECKING:
    from totalml.comparison.composed import Composed
    from totalml.data.table import ImageTable
    from totalml.recipe import Recipe

TABLE = "data.source.table"


def look_for_columns(composed: Composed) -> list[str]:
    """What to say where a table was not looked at.

    Raises: RecipeError: it lacks columns, all at once. SnapshotError: it is no table.
    """
    from totalml.data.paths import meant, normal
    from totalml.data.sample_batch import SAMPLE_FIELDS
    from totalml.data.table import ImageTable
    from totalml.data.table_file import column_names
    from totalml.validate import validate

    recipe = validate(composed.values or {})
    source = recipe.data.source
    if type(source) is not ImageTable or TABLE in composed.needs:  # one that is made of it may have more columns
        return []
    path = Path(source.table).expanduser()
    if not path.is_file():
        return [f"columns not looked at: {TABLE} {source.table!r} is not there"]
    own = [(key, column) for key, column in _of_source(source) if column is not None]
    there = column_names(path, [normal(column) for _, column in own])
    kept = there if source.metadata_columns is None else [column for _, column in own]
    mistakes = [
        f"recipes/{recipe.name}.yaml: {key} names {column!r}, which {TABLE} {source.table!r} lacks"
        f"{meant(column, known)}; it has {there}"
        for known, asked in ((there, own), ([*kept, *SAMPLE_FIELDS], [*_of_recipe(recipe)]))
        for key, column in asked
        if normal(column) not in known
    ]
    if mistakes:
        raise RecipeError(*mistakes)
    return []


def _of_source(source: ImageTable) -> Iterator[tuple[str, str | None]]:
    for name in ("file", "id", "label", "group", "timestamp"):
        yield f"data.source.{name}_column", getattr(source, f"{name}_column")
    for column in source.metadata_columns or ():
        yield "data.source.metadata_columns", column


def _of_recipe(recipe: Recipe) -> Iterator[tuple[str, str]]:
    from totalml.condition import condition
    from totalml.task import MultiLabel, Regression

    for column in condition(recipe.data.where).columns if recipe.data.where else ():
        yield "data.where", column
    if recipe.data.split.column:
        yield "data.split.column", recipe.data.split.column
    if (table := recipe.features.table) is not None:
        for kind in ("numeric", "categorical"):
            for column in getattr(table, kind):
                yield f"features.table.{kind}", column
    task = recipe.task
    if isinstance(task, Regression):
        for column in task.targets:
            yield "task.targets", column
        if task.series is not None:
            yield "task.series", task.series
    if isinstance(task, MultiLabel) and task.column is not None:
        yield "task.column", task.column
