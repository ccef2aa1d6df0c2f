"""What a file says of watching a model that does not hold yet: a release is watched as its recipe said back then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.recipe.monitoring import MonitoringRecipe


def unapplied_by_deployment(written: MonitoringRecipe | None, stands: MonitoringRecipe | None, file: str) -> str:
    """What to tell of a file and of what was deployed; empty: they are one."""
    if not (keys := _differing(written, stands)):
        return ""
    return f'{file} says otherwise of monitoring ({keys}); totalml deploy {file} --why "..." applies it'


def unapplied_by_recipe(model: str, stands: MonitoringRecipe, place: Place) -> str:
    """What to tell of a recipe of the project and of the release that is watched; empty: they say the same."""
    from totalml.comparison.composed import compose_one
    from totalml.recipe.monitoring import MonitoringRecipe

    if model not in place.recipes():
        return ""
    values = compose_one(place.project, model).values  # of mistakes in it whoever runs it is told
    if values is None or not (keys := _differing(MonitoringRecipe.model_validate(values["monitoring"]), stands)):
        return ""
    return (
        f"recipes/{model}.yaml says otherwise of monitoring ({keys}); python run.py +recipe={model} makes a release "
        "that is watched so, of the finished run if nothing else is new"
    )


def _differing(one: MonitoringRecipe | None, other: MonitoringRecipe | None) -> str:
    if one is None or other is None:
        return "" if one is other else "all of it"
    return ", ".join(name for name in type(one).model_fields if getattr(one, name) != getattr(other, name))
