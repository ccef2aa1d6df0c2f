"""Point an alias of a model, `production` unless told otherwise, at what it pointed at before.

  totalml rollback guinness --why "scores collapsed"                 the one before the present one
  totalml rollback guinness --to 4f1c2a9b --why "known to be good"   a release that stood there once, by its hash

Given twice it is back where it was, since the one before is then the one that was rolled back; --to goes further back.
One event of the journal: model, thresholds and the monitor's reference come back together, because they are one
release. Its files are held to their digests first; gates are not asked again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
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


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--to", metavar="RELEASE", help="its bundle hash or the start of it (the one before)")
    parser.add_argument("--alias", default=PRODUCTION, help="what to roll back (production)")
    parser.add_argument("--why", metavar="TEXT", required=True, help="kept in the journal")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.machine import user
    from totalml.registry import Aliases
    from totalml.runs.attempt import now

    if not arguments.why.strip():
        raise RecipeError("command line: --why is empty; say to those who read the history what happened")
    if arguments.to is not None and not arguments.to.strip():
        raise RecipeError("command line: --to is empty; give the bundle hash or its start, or leave it out")
    store, alias = place.open_store(), named("alias", arguments.alias)
    history_of(arguments.model, store)
    before: list[Promotion] = []

    def decide(history: list[Promotion]) -> Promotion | None:
        before[:] = [each for each in history if each.alias == alias]
        target = _target(arguments.model, alias, before, arguments.to)
        _require_whole(target, store)
        told = {"when": now(), "who": user(), "why": arguments.why, "how": "rolled back", "forced": ()}
        return None if _same(target, before[-1]) else replace(target, **told)

    back = Aliases(store, arguments.model).move(decide)
    if back is None:
        print(f"{alias} of {arguments.model} is {before[-1].version} already")
        return 0
    print(f"{alias} of {arguments.model}: back to {_named(back)}; before: {_named(before[-1])}")
    if before[-1].how == "rolled back" and arguments.to is None:
        why = f" ({before[-1].why})" if before[-1].why else ""
        print(f"that undid the rollback of {before[-1].when[:19]}{why}; --to names a release that stood there earlier")
    tell_releases(arguments.model, store, place.runs, print)
    return 0


def _target(model: str, alias: str, history: Sequence[Promotion], to: str | None) -> Promotion:
    """Raises: RecipeError: there is nothing to go back to."""
    if not history:
        raise RecipeError(f"command line: {alias} of {model} never pointed at anything; totalml promote does that")
    if to is not None:
        found = {each.release or each.version: each for each in history if _starts(each, to.removeprefix(PREFIX))}
        if len(found) != 1:
            there = ", ".join(dict.fromkeys(_named(each) for each in reversed(history)))
            which = "is the start of several releases" if found else "never stood there"
            raise RecipeError(f"command line: {to!r} {which}; {alias} of {model} pointed at: {there}")
        return next(iter(found.values()))
    earlier = [each for each in history if not _same(each, history[-1])]
    if not earlier:
        raise RecipeError(f"command line: {alias} of {model} pointed at {_named(history[-1])} only; nothing was before")
    return earlier[-1]


def _require_whole(target: Promotion, store: Store) -> None:
    """Raises: StoreError: its release is gone or changed."""
    if target.release:
        from totalml.release.bundle import open_bundle

        open_bundle(target.release, store).verify()


def _same(one: Promotion, other: Promotion) -> bool:
    return (one.release, one.run_id, one.attempt, one.weights) == (
        other.release,
        other.run_id,
        other.attempt,
        other.weights,
    )


def _starts(promotion: Promotion, text: str) -> bool:
    return promotion.release.removeprefix(PREFIX).startswith(text) if promotion.release else promotion.version == text


def _named(promotion: Promotion) -> str:
    return (
        f"release {short(promotion.release, 12)} (run {promotion.version})" if promotion.release else promotion.version
    )
