"""Point an alias of a model, `production` unless told otherwise, at what it pointed at before.

  totalml rollback guinness --why "scores collapsed"                 the one before the present one
  totalml rollback guinness --to 4f1c2a9b --why "known to be good"   a release that stood there once, by its hash

Given twice it is back where it was, since the one before is then the one that was rolled back; --to goes further back.
One event of the journal: model, thresholds and the monitor's reference come back together, because they are one
release. Its files are held to their digests first; gates are not asked again. Who may do so says team.yaml, where the
project has one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from totalml.errors import RecipeError
from totalml.identity import PREFIX, short
from totalml.recipe.gates import PRODUCTION
from totalml.release.named import history_of, named
from totalml.release.tracked import tell_releases

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.registry import Promotion
    from totalml.store import Store


ROLLED_BACK = "rolled back"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--to", metavar="RELEASE", help="its bundle hash or the start of it (the one before)")
    parser.add_argument("--alias", default=PRODUCTION, help="what to roll back (production)")
    parser.add_argument("--why", metavar="TEXT", required=True, help="kept in the journal")


def run(arguments: argparse.Namespace, place: Place) -> int:
    if not arguments.why.strip():
        raise RecipeError("command line: --why is empty; say to those who read the history what happened")
    if arguments.to is not None and not arguments.to.strip():
        raise RecipeError("command line: --to is empty; give the bundle hash or its start, or leave it out")
    from totalml.team import require_promoter

    store, alias = place.open_store(), named("alias", arguments.alias)
    history_of(arguments.model, store)
    require_promoter(arguments.model, place.project)
    back, before = roll_back(store, arguments.model, alias, arguments.why, arguments.to)
    if back is None:
        print(f"{alias} of {arguments.model} is {before[-1].version} already")
        return 0
    print(told(arguments.model, back, before))
    if before[-1].how == ROLLED_BACK and arguments.to is None:
        why = f" ({before[-1].why})" if before[-1].why else ""
        print(f"that undid the rollback of {before[-1].when[:19]}{why}; --to names a release that stood there earlier")
    tell_releases(arguments.model, store, place.runs, print)
    return 0


def roll_back(
    store: Store,
    model: str,
    alias: str,
    why: str,
    to: str | None = None,
    allow: Callable[[Sequence[Promotion], Promotion], None] = lambda *_: None,
    *,
    other_model: bool = False,
) -> tuple[Promotion | None, Sequence[Promotion]]:
    """Point an alias at what it pointed at before, by one event.

    Args:
        to: the start of a bundle hash; None: the one before the present one.
        other_model: leave out releases that differ from the present one in no weight, such as in what is watched.
        allow: asked with the history of the alias and where it would go back to; what it raises ends it.
    Returns: the event, None if it stands there already; and the history of the alias before that.
    Raises: RecipeError: there is nothing to go back to. StoreError: it is gone or changed.
    """
    from totalml.machine import user
    from totalml.registry import Aliases
    from totalml.runs.attempt import now

    before: list[Promotion] = []

    def decide(history: list[Promotion]) -> Promotion | None:
        before[:] = [each for each in history if each.alias == alias]
        target = target_of(model, alias, before, to, other_model=other_model)
        allow(before, target)
        _require_whole(target, store)
        if same_release(target, before[-1]):
            return None
        return replace(target, when=now(), who=user(), why=why, how=ROLLED_BACK, forced=())

    return Aliases(store, model).move(decide), before


def told(model: str, back: Promotion, before: Sequence[Promotion]) -> str:
    return f"{back.alias} of {model}: back to {_named(back)}; before: {_named(before[-1])}"


def target_of(
    model: str, alias: str, history: Sequence[Promotion], to: str | None, *, other_model: bool = False
) -> Promotion:
    """As `roll_back`. Raises: RecipeError: there is nothing to go back to."""
    if not history:
        raise RecipeError(f"command line: {alias} of {model} never pointed at anything; totalml promote does that")
    if to is not None:
        found = {each.release or each.version: each for each in history if _starts(each, to.removeprefix(PREFIX))}
        if len(found) != 1:
            there = ", ".join(dict.fromkeys(_named(each) for each in reversed(history)))
            which = "is the start of several releases" if found else "never stood there"
            raise RecipeError(f"command line: {to!r} {which}; {alias} of {model} pointed at: {there}")
        return next(iter(found.values()))
    same = _same_model if other_model else same_release
    earlier = [each for each in history if not same(each, history[-1])]
    if not earlier:
        only = f"run {history[-1].version}" if other_model else _named(history[-1])
        raise RecipeError(f"command line: {alias} of {model} pointed at {only} only; nothing was before")
    return earlier[-1]


def _require_whole(target: Promotion, store: Store) -> None:
    """Raises: StoreError: its release is gone or changed."""
    if target.release:
        from totalml.release.bundle import open_bundle

        open_bundle(target.release, store).verify()


def same_release(one: Promotion, other: Promotion) -> bool:
    return one.release == other.release and _same_model(one, other)


def _same_model(one: Promotion, other: Promotion) -> bool:
    return (one.run_id, one.attempt, one.weights) == (other.run_id, other.attempt, other.weights)


def _starts(promotion: Promotion, text: str) -> bool:
    return promotion.release.removeprefix(PREFIX).startswith(text) if promotion.release else promotion.version == text


def _named(promotion: Promotion) -> str:
    return (
        f"release {short(promotion.release, 12)} (run {promotion.version})" if promotion.release else promotion.version
    )
