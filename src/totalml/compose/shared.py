"""The shared features of a project: conf/shared/<team>/<name>.yaml, each a component by itself.

A recipe names them. What a name means is written out while composing, so that the whole definition counts for the
config hash and stands in the recipe of the run.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from totalml.compose.config_file import read_config
from totalml.compose.config_sources import SHARED
from totalml.compose.mistakes import invalid
from totalml.compose.origins import Layer, Origins, read_layer
from totalml.compose.section_file import interpolated
from totalml.errors import RecipeError
from totalml.fingerprint import feature_id
from totalml.identity import short
from totalml.kinds import SharedFeature
from totalml.recipe.bounds import SHARED_NAME
from totalml.target import did_you_mean
from totalml.validate import InvalidRecipe, Mistake, component_of

_NAMED = re.compile(rf"({SHARED_NAME.pattern})(?:@([0-9a-f]{{8,64}}))?")


@dataclass(frozen=True)
class WrittenOut:
    """Args:
    values: of the recipe, with definitions in place of names.
    named: `team/name` at each place of the list where a definition of that name was found.
    """

    values: dict[str, Any]
    mistakes: list[Mistake] = field(default_factory=list)
    named: dict[int, str] = field(default_factory=dict)


def definition_file(name: str) -> str:
    """Where a definition stands in a project. Args: name: `team/name`."""
    return f"conf/{SHARED}/{name}.yaml"


def shared_names(project: Path) -> list[str]:
    """`team/name` of every definition, sorted."""
    folder = project / "conf" / SHARED
    # A link that leads out of the folder would show in a message what is no definition, and no part of a review.
    inside = (file for file in folder.glob("*/*.yaml") if file.resolve().is_relative_to(folder.resolve()))
    names = (file.relative_to(folder).with_suffix("").as_posix() for file in inside)
    return sorted(name for name in names if SHARED_NAME.fullmatch(name))


def shared_features(project: Path) -> dict[str, SharedFeature]:
    """Every definition of a project by its name.

    Raises: RecipeError: with the mistakes of all files.
    """
    found: dict[str, SharedFeature] = {}
    wrong: list[str] = []
    for name in shared_names(project):
        try:
            found[name] = _standing(project, name)
        except RecipeError as error:
            wrong += error.mistakes
    if wrong:
        raise RecipeError(*wrong)
    return found


def shared_feature(project: Path, name: str) -> SharedFeature:
    """Raises: RecipeError: there is no such definition, or there are mistakes in it; all at once."""
    if name not in (there := shared_names(project)):
        raise RecipeError(f"command line: {_absent(name, there)}")
    return _standing(project, name)


def _standing(project: Path, name: str) -> SharedFeature:
    try:
        return _read(project, name, ())[1]
    except InvalidRecipe as error:
        raise invalid(error, Origins([_layer(project, name, ())], [])) from error


def write_out(values: dict[str, Any], project: Path) -> WrittenOut:
    """Args:
        values: of a composed recipe, whose `features.shared` may hold names.
    Raises: RecipeError: the file of a definition is no plain YAML.
    """
    features = values.get("features")
    named = features.get("shared") if isinstance(features, dict) else None
    if not isinstance(features, dict) or not isinstance(named, list):
        return WrittenOut(values)
    shared, there = list(named), shared_names(project)
    out = WrittenOut({**values, "features": {**features, "shared": shared}})
    for place, given in enumerate(named):
        if isinstance(given, str):
            shared[place] = _in_its_place(given, place, there, project, out)
    return out


def layers_of(named: Mapping[int, str], project: Path) -> list[Layer]:
    """The files of the features that a recipe names, for the places of their keys.

    Args: named: `team/name` by place of the list.
    """
    there = {*shared_names(project)}
    return [
        _layer(project, name, ("features", "shared", place, "feature"))
        for place, name in named.items()
        if name in there
    ]


def _in_its_place(
    given: str, place: int, there: Sequence[str], project: Path, out: WrittenOut
) -> Mapping[str, Any] | None:
    path = ("features", "shared", place)
    found = _NAMED.fullmatch(given)
    name, pin = found.groups() if found else (given, None)
    if found is None or name not in there:
        hint = "" if found else "expected team/name, or team/name@id with 8 digits of its id or more; "
        out.mistakes.append(Mistake(path, f"{hint}{_absent(name, there)}"))
        return None
    out.named[place] = name
    try:
        values, feature = _read(project, name, (*path, "feature"))
    except InvalidRecipe as error:
        out.mistakes.extend(error.mistakes)
        return None
    now = short(feature_id(feature), 64)
    if pin is not None and not now.startswith(pin):
        told = f"{name!r} is pinned to {pin}, and {definition_file(name)} has become {now[: len(pin)]}"
        out.mistakes.append(Mistake(path, f"{told}; bring the definition back, or pin the new id"))
    return {"name": name, "pin": pin, "feature": values}


def _read(project: Path, name: str, path: tuple[str | int, ...]) -> tuple[Any, SharedFeature]:
    """The values of a definition, and what they are.

    Args: path: where it stands, for its mistakes.
    """
    file = definition_file(name)
    values = OmegaConf.to_container(read_config(project / file, file), resolve=False)
    if mistakes := interpolated(values, path):
        raise InvalidRecipe(mistakes)
    try:
        return values, component_of(values, SharedFeature)  # type: ignore[type-abstract]
    except InvalidRecipe as error:
        raise InvalidRecipe([Mistake((*path, *each.path), each.message) for each in error.mistakes]) from error


def _layer(project: Path, name: str, package: tuple[str | int, ...]) -> Layer:
    file = definition_file(name)
    return Layer(file, package, read_layer(file, project / file, "").root)


def _absent(name: str, there: Sequence[str]) -> str:
    hint = did_you_mean(name, there) or f"; there are: {', '.join(there) or 'none'}"
    return f"there is no shared feature {name!r} in conf/{SHARED}/{hint}"
