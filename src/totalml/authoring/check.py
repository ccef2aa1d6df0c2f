"""Compose and validate every recipe, and show all mistakes at once with file and line; look for the pinned data; run
the recipes marked `smoke: true`.

  totalml recipe check                             all of them
  totalml recipe check guinness --no-smoke         one, without running anything
  totalml recipe check --no-smoke --pins=strict    the pinned data must be there, or its source must give it

A recipe that leaves a value to the command line (???) is checked with a stand-in, and told.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from totalml.errors import RecipeError, TotalmlError
from totalml.identity import short
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.comparison.composed import Composed
    from totalml.project import Place


@dataclass(frozen=True)
class Checked:
    """Args:
    notes: what was found, in a few words each.
    failures: the pin or the smoke run; mistakes of the recipe itself stand in `recipe`.
    """

    name: str
    recipe: Composed
    notes: tuple[str, ...] = ()
    failures: tuple[TotalmlError, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", help="recipes; all of them if none is named")
    parser.add_argument("--no-smoke", action="store_true", help="run nothing")
    parser.add_argument(
        "--pins",
        choices=("note", "strict"),
        default="note",
        help="note: say if pinned data is not in the store; strict: take it from its source, or fail",
    )


def run(arguments: argparse.Namespace, place: Place) -> int:
    checked = [_check(name, arguments, place) for name in _names(arguments.names, place)]
    width = max((len(each.name) for each in checked), default=0)
    for each in checked:
        verdict = "wrong" if each.recipe.mistakes or each.failures else "valid"
        print(f"{each.name:<{width}}  {verdict}  {'; '.join([*_hash(each.recipe), *each.notes])}".rstrip())
    errors = [*_mistakes(checked), *(failure for each in checked for failure in each.failures)]
    for error in errors:
        print(error, file=sys.stderr)
    return errors[0].exit_code if errors else 0


def _names(asked: Sequence[str], place: Place) -> list[str]:
    there = place.recipes()
    names = [name.removeprefix("recipes/").removesuffix(".yaml") for name in asked]
    if unknown := [name for name in names if name not in there]:
        hint = did_you_mean(unknown[0], there) or f"; there are: {', '.join(there) or 'none'}"
        raise RecipeError(f"command line: there is no recipe {unknown[0]!r}{hint}")
    return names or there


def _check(name: str, arguments: argparse.Namespace, place: Place) -> Checked:
    from totalml.authoring.columns import look_for_columns
    from totalml.authoring.pins import look_for_pin
    from totalml.comparison.composed import compose_one

    recipe = compose_one(place.project, name)
    if recipe.values is None or recipe.values["sweep"]:
        recipe = replace(recipe, mistakes=recipe.mistakes or _mistakes_of_sweep(name, place))
    if recipe.mistakes or recipe.values is None:
        return Checked(name, recipe, _needs(recipe))
    called = recipe.values["name"]
    if called != name:
        wrong = RecipeError(f"recipes/{name}.yaml: 'name' is {called!r}; a recipe is named like its file: {name!r}")
        return Checked(name, recipe, _needs(recipe), (wrong,))
    notes, failures = [*_needs(recipe), *never_shown(recipe.values)], []
    try:
        notes += look_for_columns(recipe)
        notes += look_for_pin(recipe, place, strict=arguments.pins == "strict")
        notes += [] if arguments.no_smoke else _smoke(recipe, place)
    except TotalmlError as error:
        failures.append(error)
        notes.append(f"{type(error).__name__}, see below")
    return Checked(name, recipe, tuple(notes), tuple(failures))


def _mistakes_of_sweep(name: str, place: Place) -> tuple[str, ...]:
    """What is wrong with the values that the recipe's own sweep would give to its jobs."""
    from totalml.comparison.composed import real_mistakes
    from totalml.sweep.carried import carried_sweep, check_parameters

    sweep, given = carried_sweep(place.project, [f"+recipe={name}"])
    try:
        if sweep is not None:
            check_parameters(place.project, given, sweep.parameters)
    except RecipeError as error:
        return tuple(real_mistakes(error.mistakes))
    return ()


def _needs(recipe: Composed) -> tuple[str, ...]:
    return (f"needs {', '.join(recipe.needs)}",) if recipe.needs else ()


def never_shown(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns that reviewers are to see, though requests bring those alone that the model sees or a monitor watches."""
    from totalml.recipe.monitoring import MonitoringRecipe

    table, own = (values["features"].get(kind) for kind in ("table", "own"))
    if own:  # what these make is known only once they are run
        return ()
    sent = {*MonitoringRecipe.model_validate(values["monitoring"]).columns}
    sent |= {*table["numeric"], *table["categorical"]} if table else set()
    missing = [name for name in values["review"]["shows"] if name not in sent]
    told = f"review.shows: no request brings {', '.join(missing)}, unless monitoring.slices or populations names it"
    return (told,) if missing else ()


def _hash(recipe: Composed) -> list[str]:
    return [f"config {short(recipe.config_hash)}"] if recipe.config_hash else []


def _smoke(recipe: Composed, place: Place) -> list[str]:
    """Run it, if it is marked so, like `python run.py`; a finished run with the same code is found again."""
    if not recipe.values or not recipe.values["smoke"] or recipe.needs:
        return []
    from totalml.authoring.smoke import run_smoke

    return [run_smoke(str(recipe.values["name"]), place)]


def _mistakes(checked: Sequence[Checked]) -> list[RecipeError]:
    """Each line once: a mistake in conf/ is one of every recipe that uses the file."""
    found: dict[str, list[str]] = {}
    for each in checked:
        for line in each.recipe.mistakes:
            found.setdefault(line, []).append(each.name)
    lines = [line + (f" ({', '.join(names)})" if len(names) > 1 else "") for line, names in found.items()]
    return [RecipeError(*lines)] if lines else []
