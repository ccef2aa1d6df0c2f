"""What a person calls a release: `guinness@production`, `guinness@` and the start of its bundle hash, or that alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.errors import RecipeError
from totalml.identity import PREFIX
from totalml.recipe.bounds import NAME
from totalml.recipe.gates import PRODUCTION
from totalml.registry import Aliases, Promotion, models
from totalml.release.bundle import Bundle, open_bundle
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.store import Store

START = re.compile(rf"(?:{PREFIX})?([0-9a-f]{{4,64}})")
WHAT_IT_CAN_BE = "a release is named as model@alias, model@hash or its hash, of which 4 digits or more are enough"
COMMAND_LINE = "command line"
NOTHING = "nothing is registered; totalml promote makes a release"
_BARE = re.compile(rf"(?:{PREFIX})?[0-9a-f]{{9,64}}")  # no run id has more than 8 in a row


def is_reference(text: str) -> bool:
    return "@" in text or _BARE.fullmatch(text) is not None


def spelled_out(text: str, store: Store, asked: str = COMMAND_LINE) -> str:
    """A release with its model, where only the hash was given, as `totalml registry list` shows it.

    Raises: RecipeError: several releases start so.
    """
    if not (start := START.fullmatch(text)):
        return text
    known = {model: Aliases(store, model).history() for model in sorted(models(store))}
    found = {f"{model}@{each.release}" for model in known for each in known[model] if names(text, each.release)}
    if len(found) > 1:
        told = ", ".join(sorted(found))
        raise RecipeError(f"{asked}: {start[1]} is the start of several releases: {told}; give more of it")
    return found.pop() if found else text


def names(text: str, release: str) -> bool:
    """Whether it is the start of a release's hash."""
    start = START.fullmatch(text)
    return start is not None and release.removeprefix(PREFIX).startswith(start[1])


def find_promotion(text: str, store: Store, asked: str = COMMAND_LINE) -> Promotion:
    """What an alias of a model points at now, or what was registered with a hash.

    Args: asked: where the text stands.
    Raises: RecipeError: there is no such model, alias or release, or several start so.
    """
    model, _, which = spelled_out(text, store, asked).partition("@")
    history = history_of(model, store, asked)
    if (start := START.fullmatch(which)) and (found := _of_hash(start[1], history, text, asked)):
        return found
    points = {each.alias: each for each in history}
    if which not in points:
        if not which:
            raise RecipeError(f"{asked}: say which release of {model}: {_those(model, points)}; {WHAT_IT_CAN_BE}")
        hint = did_you_mean(which, points) or f"; there are {_those(model, points)}, and {WHAT_IT_CAN_BE}"
        raise RecipeError(f"{asked}: {model} has no alias or release {which!r}{hint}")
    return points[which]


@dataclass(frozen=True)
class Named:
    """What a person called, with its model.

    Args:
        alias: None: it was called by its hash, and stays.
        release: its bundle hash now.
    """

    text: str
    model: str
    alias: str | None
    release: str


def find_named(text: str, store: Store) -> Named:
    """Raises: RecipeError: as `find_promotion`, or it points at a run of which no release was made."""
    text = spelled_out(text, store)
    release = require_release(find_promotion(text, store), text)
    model, _, which = text.partition("@")
    return Named(text, model, None if names(which, release) else which, release)


def find_release(text: str, store: Store) -> Bundle:
    """Raises: RecipeError: as `find_promotion`, or it points at a run of which no release was made.
    StoreError: the release is not in the store, or is damaged.
    """
    promotion = find_promotion(text, store)
    return open_bundle(require_release(promotion, text), store)


def find_of_model(text: str, store: Store) -> tuple[str, Bundle]:
    """A model's name, and its release: of `guinness` what is in production, of `guinness@candidate` as it says.

    Raises: as `find_release`.
    """
    model, _, which = text.partition("@")
    return model, find_release(f"{model}@{which or PRODUCTION}", store)


def require_release(promotion: Promotion, text: str, asked: str = COMMAND_LINE) -> str:
    """Its hash. Raises: RecipeError: there is none."""
    if not promotion.release:
        raise RecipeError(
            f"{asked}: {text} is run {promotion.version}, of which no release was made; "
            f"totalml promote {promotion.version} --alias {promotion.alias} makes it"
        )
    return promotion.release


def history_of(model: str, store: Store, asked: str = COMMAND_LINE) -> list[Promotion]:
    """Raises: RecipeError: nothing of that name was ever registered, or it names an alias too."""
    if "@" in model:
        name, _, alias = model.partition("@")
        told = f"give {name}" + (f", and --alias {alias}" if NAME.fullmatch(alias) else "")
        raise RecipeError(f"{asked}: a model is wanted here, not {model!r}; {told}")
    history = Aliases(store, named("model", model, asked)).history()
    if not history:
        known = sorted(models(store))
        there = f"there are: {', '.join(known)}" if known else NOTHING
        hint = did_you_mean(model, known) or f"; {there}"
        raise RecipeError(f"{asked}: no model {model!r} is registered in the store {store.root}{hint}")
    return history


def named(kind: str, text: str, asked: str = COMMAND_LINE) -> str:
    """Raises: RecipeError: no model or alias can be called so."""
    if not NAME.fullmatch(text):
        raise RecipeError(f"{asked}: {text!r} is no {kind}'s name; small letters, digits and _ make one")
    return text


def _those(model: str, aliases: Iterable[str]) -> str:
    return ", ".join(f"{model}@{alias}" for alias in aliases)


def _of_hash(start: str, history: Sequence[Promotion], text: str, asked: str) -> Promotion | None:
    found = {each.release: each for each in history if each.release.removeprefix(PREFIX).startswith(start)}
    found.pop("", None)
    if len(found) > 1:
        raise RecipeError(f"{asked}: {text} is the start of several releases: {', '.join(sorted(found))}")
    return next(iter(found.values()), None)
