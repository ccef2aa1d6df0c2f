"""Point an alias of a recipe, `production` unless told otherwise, at a run that passed its gates.

  totalml promote guinness                     its latest finished run
  totalml promote 4f1c2a9b-77d0e3a1/1          that one; of an earlier one again, a rollback
  totalml promote --list guinness              where its aliases point, and where they did

Nothing is copied: the run stays in its folder, and a journal in the store says since when it is in production. A run
that did not pass its gates is refused with exit code 3, one that is unfinished or damaged as well. If production has
moved since a run was judged, it is judged again first; what the alias pointed at before may always come back.
"""

from __future__ import annotations

import argparse
import getpass
import re
from typing import TYPE_CHECKING

from totalml.errors import GateError, RecipeError, StoreError
from totalml.identity import short
from totalml.recipe.gates import PRODUCTION

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.registry import Promotion
    from totalml.runs.attempt import Attempt

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="RUN_OR_RECIPE", help="of a recipe, its latest finished run")
    parser.add_argument("--alias", default=PRODUCTION, help="what to point at it (production)")
    parser.add_argument("--why", metavar="TEXT", default="", help="kept in the journal")
    parser.add_argument("--list", action="store_true", help="show where the aliases of a recipe point, and did")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.registry import Aliases
    from totalml.runs.find import find_run

    if arguments.list:
        print("\n".join(_listed(_name("recipe", arguments.what), place)))
        return 0
    alias, attempt = _name("alias", arguments.alias), find_run(arguments.what, place.runs)
    aliases = Aliases(place.open_store(), attempt.facts["name"])
    _require_whole(attempt)
    before: list[Promotion] = []

    def decide(history: list[Promotion]) -> Promotion | None:
        before[:] = [each for each in history if each.alias == alias]
        _require_passed(attempt, before, place)
        return None if before and before[-1].names(attempt) else _promotion(attempt, alias, arguments.why)

    if (promoted := aliases.move(decide)) is None:
        print(f"{alias} of {aliases.model} is {before[-1].version} already")
        return 0
    told = f"; before: {before[-1].version}" if before else ""
    print(f"{alias} of {aliases.model}: {promoted.version}, weights {short(promoted.weights)}{told}")
    return 0


def _require_whole(attempt: Attempt) -> None:
    named = f"{attempt.facts['run_id']}/{attempt.number}"
    if attempt.status != "finished":
        raise RecipeError(f"command line: run {named} is {attempt.status}; the same run.py command goes on with it")
    if tainted := attempt.facts.get("tainted"):
        raise RecipeError(f"command line: run {named} cannot be trusted: {tainted}; run it again")
    if lost := attempt.lost():
        raise StoreError(f"run {named} is damaged: gone or changed: {', '.join(lost)}; run it again")


def _require_passed(attempt: Attempt, history: list[Promotion], place: Place) -> None:
    """Raises: GateError: a gate did not pass."""
    from totalml.gates.production import current_verdict
    from totalml.gates.record import Verdict

    was_there = any(earlier.names(attempt) for earlier in history)
    verdict, again = (
        (Verdict.load(attempt.folder), False) if was_there else current_verdict(attempt, place.open_store())
    )
    if not verdict.releasable:
        now = " against what is in production now" if again else ""
        named = "\n".join(f"  {gate.title}: {gate.outcome}" for gate in verdict.not_passed)
        raise GateError(
            f"run {attempt.facts['run_id']}/{attempt.number} is not promoted: {len(verdict.not_passed)} of "
            f"{len(verdict.gates)} gates did not pass{now}:\n{named}\nIts report says more: {attempt.folder}",
            attempt.folder,
        )


def _promotion(attempt: Attempt, alias: str, why: str) -> Promotion:
    from totalml.registry import Promotion
    from totalml.runs.attempt import now

    facts = attempt.facts
    return Promotion(now(), alias, facts["run_id"], attempt.number, facts["outputs"]["weights"], _who(), why)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a name for its user
        return "unknown"


def _listed(recipe: str, place: Place) -> list[str]:
    """Raises: RecipeError: there is no such recipe."""
    from totalml.registry import Aliases
    from totalml.target import did_you_mean

    history = Aliases(place.open_store(), recipe).history()
    if not history:
        if recipe not in (known := place.recipes()):
            raise RecipeError(f"command line: there is no recipe {recipe!r}{did_you_mean(recipe, known)}")
        return [f"no run of {recipe} was ever promoted"]
    points = {each.alias: each for each in history}
    lines = [f"{alias}: {each.version} since {each.when}" for alias, each in points.items()]
    earlier = [
        f"  {each.when}  {each.alias}  {each.version}  weights {short(each.weights)}  {each.who}  {each.why}".rstrip()
        for each in reversed(history)
    ]
    return [*lines, "", "latest first:", *earlier]


def _name(kind: str, text: str) -> str:
    if not NAME.fullmatch(text):
        raise RecipeError(f"command line: {text!r} is no {kind}'s name; small letters, digits and _ make one")
    return text
