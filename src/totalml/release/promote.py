"""Point an alias of a model, `production` unless told otherwise, at a release of a run that passed its gates.

  totalml promote guinness                     the latest finished run of a recipe
  totalml promote guinness@candidate           what another alias points at, or guinness@ and a bundle hash
  totalml promote 4f1c2a9b03d7                 a release by its hash alone, as registry list shows it
  totalml promote 4f1c2a9b-77d0e3a1/1          a run

Of a run without a release one is made. Refused with exit code 3: a run that did not pass its gates; a release whose
inputs or answers would let down the callers of what the alias points at; and one that answers otherwise through the
path of the service than it did in its run. If production has moved since a run was judged, it is judged again first;
what the alias pointed at before may always come back. --force overrules, and stands in the history. Who may do so says
team.yaml, where the project has one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.errors import GateError, RecipeError, StoreError
from totalml.identity import short
from totalml.recipe.gates import PRODUCTION
from totalml.release.named import find_promotion, is_reference, named
from totalml.release.tracked import tell_releases

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.registry import Promotion
    from totalml.release.bundle import Bundle
    from totalml.runs.attempt import Attempt
    from totalml.store import Store


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help="a recipe, model@alias, model@hash, or a run")
    parser.add_argument("--alias", default=PRODUCTION, help="what to point at it (production)")
    parser.add_argument("--why", metavar="TEXT", default="", help="kept in the journal")
    parser.add_argument("--force", action="store_true", help="although a gate or a check did not pass")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.gates.record import Verdict
    from totalml.registry import Aliases
    from totalml.team import require_promoter

    alias, store = named("alias", arguments.alias), place.open_store()
    attempt, release = _named(arguments.what, place, store)
    require_promoter(attempt.facts["name"], place.project)
    require_whole(attempt)
    aliases = Aliases(store, attempt.facts["name"])
    candidate = _Candidate(attempt, release, alias, arguments.why, arguments.force, store)
    promoted = aliases.move(candidate.decide)
    if promoted is None:
        print(f"{alias} of {aliases.model} is {candidate.before[-1].version} already")
        return 0
    told = f"; before: {candidate.before[-1].version}" if candidate.before else ""
    print(f"{alias} of {aliases.model}: {promoted.version}, release {short(promoted.release, 12)}{told}")
    for reason in promoted.forced:
        print(f"overruled: {reason}")
    if not Verdict.load(attempt.folder).gates:
        print("no gate was asked, as the recipe has none; say by 'gates' what a release must hold to")
    tell_releases(aliases.model, store, place.runs, print)
    return 0


@dataclass
class _Candidate:
    """A run that an alias is to point at.

    Args:
        release: its bundle hash, where that was named; empty: the latest of the run, or one that is made.
        before: where the alias pointed, as it was last seen.
    """

    attempt: Attempt
    release: str
    alias: str
    why: str
    force: bool
    store: Store
    before: Sequence[Promotion] = ()

    def decide(self, history: list[Promotion]) -> Promotion | None:
        """Asked once more if somebody moves an alias meanwhile: what it is held against is what stands then.

        Returns: None: it stands there already.
        Raises: GateError: it is not to be promoted.
        """
        from totalml.release.register import promotion_of
        from totalml.release.signature import let_down
        from totalml.runs.attempt import now

        self.before = [each for each in history if each.alias == self.alias]
        standing = self.before[-1] if self.before else None
        asked = self.release or _latest(self.attempt, history)
        if standing and standing.release and standing.names(self.attempt) and asked == standing.release:
            return None
        failed = self._refused([*_not_passed(self.attempt, self.before, self.store)])
        bundle = _release(self.attempt, asked, self.store)
        told = let_down(bundle, standing.release if standing else "", self.store)
        misfits = (f"signature: {misfit}" for misfit in told)
        failed = self._refused([*failed, *misfits, *self._parity(bundle)])
        stood = any(each.names(self.attempt) and each.release in ("", bundle.hash) for each in self.before)
        how = "rolled back" if stood else "promoted"
        return promotion_of(self.attempt, now(), self.alias, bundle.hash, how, self.why, tuple(failed))

    def _refused(self, failed: list[str]) -> list[str]:
        if failed and not self.force:
            raise GateError(_refusal(self.attempt, failed), self.attempt.folder)
        return failed

    def _parity(self, bundle: Bundle) -> Iterator[str]:
        """What does not hold of the parity gate."""
        from totalml.release.parity import parity_of

        parity = parity_of(bundle, self.attempt, self.store)
        if not parity.passed:
            yield f"parity: {parity.told()}"


def require_whole(attempt: Attempt) -> None:
    """Raises: RecipeError: it is unfinished or tainted. StoreError: it is damaged."""
    run = f"{attempt.facts['run_id']}/{attempt.number}"
    if attempt.status != "finished":
        raise RecipeError(f"command line: run {run} is {attempt.status}; the same run.py command goes on with it")
    if tainted := attempt.facts.get("tainted"):
        raise RecipeError(f"command line: run {run} cannot be trusted: {tainted}; run it again")
    if lost := attempt.lost():
        raise StoreError(f"run {run} is damaged: gone or changed: {', '.join(lost)}; run it again")


def _named(text: str, place: Place, store: Store) -> tuple[Attempt, str]:
    """A run, and the bundle hash of its release where that is what was named."""
    from totalml.runs.find import find_run

    if not is_reference(text):
        return find_run(text, place.runs), ""
    try:
        promotion = find_promotion(text, store)
    except RecipeError as error:
        raise RecipeError(_with_last_run(str(error), text.partition("@")[0], place)) from error
    return find_run(promotion.version, place.runs), promotion.release


def _with_last_run(told: str, recipe: str, place: Place) -> str:
    last = _last_run(recipe, place)
    return f"{told} Its {last}" if last and told.endswith("?") else f"{told}; its {last}" if last else told


def _last_run(recipe: str, place: Place) -> str:
    """Why there may be no release of a recipe: nothing is made of a run whose gates failed. Empty: it has no run."""
    from totalml.gates.record import Verdict
    from totalml.runs.attempt import REPORT_FILE
    from totalml.runs.find import finished_runs

    if not (runs := finished_runs(recipe, place.runs)):
        return ""
    last = runs[-1]
    run, verdict = f"{last.facts['run_id']}/{last.number}", Verdict.load(last.folder)
    if verdict.releasable:
        return f"last run is {run}, of which totalml promote {run} makes a release"
    failed = ", ".join(gate.title for gate in verdict.not_passed)
    return f"last run, {run}, did not pass its gates ({failed}): {last.folder / REPORT_FILE}"


def _not_passed(attempt: Attempt, history: Sequence[Promotion], store: Store) -> Iterator[str]:
    """Gates that did not."""
    from totalml.gates.production import current_verdict
    from totalml.gates.record import Verdict

    was_there = any(earlier.names(attempt) for earlier in history)
    verdict, again = (Verdict.load(attempt.folder), False) if was_there else current_verdict(attempt, store)
    now = ", against what is in production now" if again else ""
    yield from (f"{gate.title}: {gate.outcome}{now}" for gate in verdict.not_passed if not verdict.releasable)


def _latest(attempt: Attempt, history: Sequence[Promotion]) -> str:
    """Of the releases of a run the one that was registered last; empty: none was made."""
    from totalml.registry import REGISTERED

    made = [each for each in history if each.release and each.names(attempt)]
    registered = [each for each in made if each.how == REGISTERED]
    return (registered or made)[-1].release if made else ""


def _release(attempt: Attempt, known: str, store: Store) -> Bundle:
    """One that is known, or else one that is made."""
    from totalml.progress import Progress
    from totalml.release.bundle import open_bundle
    from totalml.runs.stored import stored_recipe

    if known:
        bundle = open_bundle(known, store)
        bundle.verify()
        return bundle
    from totalml.release.make import make_release

    progress = Progress.create()
    progress.say("making the release of this run")
    return make_release(stored_recipe(attempt.folder), attempt, store, progress)


def _refusal(attempt: Attempt, failed: list[str]) -> str:
    from totalml.runs.attempt import REPORT_FILE

    listed = "\n".join(f"  {each}" for each in failed)
    return (
        f"run {attempt.facts['run_id']}/{attempt.number} is not promoted:\n{listed}\n"
        f"Its report says more: {attempt.folder / REPORT_FILE}. --force overrules this, and says so in the history"
    )
