"""What a person calls a definition of a shared feature: its name as it stands, an id that it had, or a git revision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.catalogue.stored_values import kept_values
from totalml.catalogue.uses import Use, id_of
from totalml.comparison.revision import commit_of, file_at
from totalml.component import plain
from totalml.compose.shared import definition_file, shared_feature, shared_names
from totalml.errors import RecipeError
from totalml.fingerprint import feature_id
from totalml.identity import PREFIX, short
from totalml.kinds import SharedFeature
from totalml.recipe.bounds import SHARED_NAME
from totalml.target import did_you_mean
from totalml.validate import InvalidRecipe, component_of

if TYPE_CHECKING:
    from totalml.project import Place

SHORTEST = 8  # digits of an id
_ID = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}")
WHAT_IT_CAN_BE = "team/name, team/name@id with 8 digits of its id or more, or team/name@revision of git"


@dataclass(frozen=True)
class Named:
    """Args:
    text: as a person calls it.
    values: of the definition, plain.
    where: it stands.
    """

    text: str
    name: str
    id: str
    values: Mapping[str, Any]
    where: str

    def feature(self) -> SharedFeature:
        """Raises: RecipeError: today's code no longer takes it."""
        try:
            return component_of(dict(self.values), SharedFeature)  # type: ignore[type-abstract]
        except InvalidRecipe as error:
            raise RecipeError(*(f"{self.where}: {mistake.message}" for mistake in error.mistakes)) from error


def find_definition(text: str, place: Place, used: list[Use]) -> Named:
    """Args: used: all uses of the project.

    Raises: RecipeError: there is no such feature, id or revision.
    """
    name, _, which = text.partition("@")
    if not SHARED_NAME.fullmatch(name):
        raise RecipeError(f"command line: {text!r} names no shared feature; give {WHAT_IT_CAN_BE}")
    if not which:
        return _standing(text, place)
    if _ID.fullmatch(which) and (found := _of_id(text, name, which, place, used)):
        return found
    return _of_revision(text, name, which, place)


def _standing(name: str, place: Place) -> Named:
    feature = shared_feature(place.project, name)
    return Named(name, name, feature_id(feature), plain(feature, where=True), definition_file(name))


def _of_id(text: str, name: str, which: str, place: Place, used: list[Use]) -> Named | None:
    """In the file that stands, else in what runs, releases and the store wrote down; None: it is nowhere."""
    known: list[Named] = []
    if name in shared_names(place.project):
        known.append(_standing(name, place))
    known += [Named(text, name, each.id, each.definition, each.who) for each in used if each.feature == name]
    kept = kept_values(place.open_store()).values()
    known += [Named(text, name, each.id, each.definition, str(each.folder)) for each in kept]
    found = {each.id: each for each in reversed(known) if each.id.removeprefix(PREFIX).startswith(which)}
    if len(found) > 1:
        told = ", ".join(sorted(short(id_, 16) for id_ in found))
        raise RecipeError(f"command line: {which} is the start of several ids: {told}; give more of it")
    return next(iter(found.values()), None)


def _of_revision(text: str, name: str, which: str, place: Place) -> Named:
    try:
        commit = commit_of(place.project, which)
    except RecipeError as error:
        raise RecipeError(
            f"command line: {which!r} is no id of {name} that a file, run, release or the store knows, and no revision "
            f"of git; give {WHAT_IT_CAN_BE}"
        ) from error
    written = file_at(place.project, commit, definition_file(name))
    if written is None:
        names = shared_names(place.project)
        raise RecipeError(f"command line: {which} has no {definition_file(name)}{did_you_mean(name, names)}")
    return _read(text, name, written, f"{which}:{definition_file(name)}")


def _read(text: str, name: str, written: str, where: str) -> Named:
    import yaml

    try:
        values = yaml.safe_load(written)
        feature = component_of(values, SharedFeature)  # type: ignore[type-abstract]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RecipeError(f"{where}: it is no YAML: {error}") from error
    except InvalidRecipe as error:
        raise RecipeError(*(f"{where}: {mistake.message}" for mistake in error.mistakes)) from error
    return Named(text, name, id_of(plain(feature, where=True)), plain(feature, where=True), where)
