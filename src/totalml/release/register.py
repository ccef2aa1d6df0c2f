"""Register a run that passed its gates: its release is made, and the journal says so.

Nothing is registered that answers otherwise through the path of the service than it did in its run.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from totalml.errors import ModelError, StoreError
from totalml.machine import user
from totalml.registry import REGISTERED, Aliases, Promotion
from totalml.release.bundle import open_bundle
from totalml.release.watched import settings_of

if TYPE_CHECKING:
    from totalml.progress import Progress
    from totalml.recipe import Recipe
    from totalml.runs.attempt import Attempt
    from totalml.store import Store


def is_due(recipe: Recipe, attempt: Attempt, store: Store) -> bool:
    """Whether a run that passed its gates is to be registered, and is not yet, or is to be watched otherwise by now."""
    if recipe.registry is None or not recipe.gates or recipe.smoke:
        return False
    last = last_registered(recipe.name, attempt, store)
    if last is None:
        return True
    with suppress(StoreError):  # whoever promotes or serves a release that cannot be read is told so
        return settings_of(open_bundle(last.release, store)) != recipe.monitoring
    return False


def last_registered(model: str, attempt: Attempt, store: Store) -> Promotion | None:
    """None: no release was made of the run when it was finished."""
    history = reversed(Aliases(store, model).history())
    return next((each for each in history if each.how == REGISTERED and each.names(attempt)), None)


def register(recipe: Recipe, attempt: Attempt, store: Store, progress: Progress) -> Promotion:
    """Make the release of a run and point the recipe's alias at it.

    Raises:
        EvaluationError: a column that is to be watched is none of the snapshot.
        ModelError: the model cannot be exported, or answers otherwise than it did in the run.
        StoreError: the store cannot be read or written.
    """
    from totalml.recipe import RegistryRecipe
    from totalml.release.make import make_release
    from totalml.release.parity import parity_of
    from totalml.runs.attempt import now

    again = last_registered(recipe.name, attempt, store) is not None
    progress.say(f"{'monitoring is another by now' if again else 'the gates passed'}; making the release")
    alias = (recipe.registry or RegistryRecipe()).alias
    bundle = make_release(recipe, attempt, store, progress)
    parity = parity_of(bundle, attempt, store)
    if not parity.passed:
        raise ModelError(
            f"{parity.told()}. Look for what decodes, scales or codes otherwise there, or set registry=null to "
            "release nothing."
        )
    registered = promotion_of(attempt, now(), alias, release=bundle.hash, how=REGISTERED)
    Aliases(store, recipe.name).move(lambda _: registered)
    return registered


def promotion_of(
    attempt: Attempt, when: str, alias: str, release: str, how: str, why: str = "", forced: tuple[str, ...] = ()
) -> Promotion:
    """By whoever is at this machine."""
    facts = attempt.facts
    version = facts["run_id"], attempt.number, facts["outputs"]["weights"]
    return Promotion(when, alias, *version, user(), why, how, release, forced)
