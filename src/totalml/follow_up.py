"""What follows a finished run: what its gates say, the closing table, its release, its drill, and what W&B is told.

A repeated call makes only what is not there yet.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from totalml.component import plain
from totalml.errors import DataError, EvaluationError, FeatureError, GateError, ModelError, StoreError
from totalml.identity import short
from totalml.runs.stored import stored_values

if TYPE_CHECKING:
    from pathlib import Path

    from totalml.gates import Verdict
    from totalml.progress import Progress
    from totalml.recipe import Recipe
    from totalml.runs import RunFolders
    from totalml.runs.attempt import Attempt
    from totalml.store import Store


def follow_up(recipe: Recipe, attempt: Attempt, store: Store, runs: RunFolders, progress: Progress) -> None:
    """Raises:
    GateError: the run is whole, but did not pass its gates.
    DataError, EvaluationError, FeatureError, ModelError, StoreError: no release could be made of it, or no drill held.
    """
    verdict = _verdict(attempt, store, progress)
    _show(attempt, verdict, runs.url(attempt), recipe.smoke)
    if not verdict.releasable:
        raise GateError(_stopped(verdict, attempt), attempt.folder)
    register_release(recipe, attempt, store, progress)
    _drill(recipe, attempt, store, runs, progress)
    if recipe.tracking.mode == "wandb":
        from totalml.release.tracked import tell_releases

        tell_releases(recipe.name, store, runs.root, progress.say, recipe.tracking.patience_s)


def _verdict(attempt: Attempt, store: Store, progress: Progress) -> Verdict:
    """What the gates say now; they are judged again if production has moved since."""
    from totalml.gates import current_verdict

    verdict, again = current_verdict(attempt, store)
    if again and verdict.production:
        progress.say(f"production is {verdict.production.version} now; the gates are judged against it")
    return verdict


def _stopped(verdict: Verdict, attempt: Attempt) -> str:
    from totalml.report.gate_words import brief, reason, word

    lines = [f"  {gate.title}: {word(gate)}; {reason(gate)}" for gate in verdict.not_passed]
    return "\n".join([f"{brief(verdict)} The run is whole and lies in {attempt.folder}", *lines])


def _show(attempt: Attempt, verdict: Verdict, url: str | None, smoke: bool) -> None:
    """The closing table, from what the attempt's folder holds."""
    from totalml.report import closing_table, show_closing_table
    from totalml.runs.attempt import METRICS_FILE, REPORT_FILE

    facts, folder = attempt.facts, attempt.folder
    try:
        metrics = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        stages = facts.get("stages", {})
        report = folder / REPORT_FILE
        rows = closing_table(metrics, facts["seconds"], stages, report, verdict, smoke, _advice(folder))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{folder / METRICS_FILE} is damaged ({error}); delete it and run again") from error
    if other := facts.get("compared"):
        same = "the same weights and predictions as" if other["identical"] else "not the same as"
        remark = "" if other["identical"] else f"{' and '.join(other['differs'])} differ"
        if changed := other.get("changed"):
            remark += f"{'; ' if remark else ''}with other {', '.join(changed)}"
        rows.insert(-1, ("Repeated", f"{same} attempt {other['attempt']}", remark))
    if facts.get("tainted"):
        rows.insert(-1, ("Tainted", facts["tainted"], "the same command runs it again"))
    if url:
        rows.insert(-1, ("Kept at", url, ""))
    show_closing_table(f"{facts['name']} {facts['run_id']} attempt {attempt.number}", rows)


def _advice(folder: Path) -> str:
    """What the plan says; empty where the recipe asks for none."""
    from totalml.runs.attempt import PLAN_FILE

    if not (folder / PLAN_FILE).exists():
        return ""
    from totalml.plan import Plan
    from totalml.report.plan import sentence

    return sentence(Plan.load(folder))


def register_release(recipe: Recipe, attempt: Attempt, store: Store, progress: Progress) -> None:
    """Make the release of a run that passed its gates, if the recipe asks for it and none is watched as it says."""
    from totalml.release.register import is_due, register

    if not is_due(recipe, attempt, store):
        if recipe.registry and not recipe.gates and not recipe.smoke:
            progress.say(
                f"no release was made, for it has no gates; totalml promote {recipe.name} makes one all the same, "
                "and puts it in production"
                f"{_as_it_was(recipe, attempt)}"
            )
        return
    try:
        registered = register(recipe, attempt, store, progress)
    except (DataError, EvaluationError, FeatureError, ModelError, StoreError) as error:
        told = f"The run is whole and passed its gates, but no release was made of it: {error}"
        raise type(error)(told) from error
    named = f"{recipe.name}@{registered.alias}"
    print(f"{named}: release {short(registered.release, 12)}; totalml promote {named} puts it in production")


def _as_it_was(recipe: Recipe, attempt: Attempt) -> str:
    """Told where the recipe says otherwise of monitoring by now: without gates nobody but a person makes a release."""
    if stored_values(attempt.folder).get("monitoring") == plain(recipe.monitoring, where=True):
        return ""
    return ", watched as the run says, not as the recipe does by now; a deployment file says it anew"


def _drill(recipe: Recipe, attempt: Attempt, store: Store, runs: RunFolders, progress: Progress) -> None:
    """Hold the drill that the recipe asks for, if none was held yet, and tell what it came to."""
    if recipe.drill is None:
        return
    from totalml.drill.record import DrillRecord
    from totalml.drill.tables import told
    from totalml.store import locked

    with locked(attempt.folder.parent / "lock"):
        record = DrillRecord.load(attempt.folder, recipe)
        if record is None:
            from totalml.drill.hold import hold_drill

            try:
                record = hold_drill(recipe, recipe.drill, attempt, store, progress)
            except (DataError, FeatureError, ModelError, StoreError) as error:
                raise type(error)(f"The run is whole, but its drill could not be held: {error}") from error
            runs.publish(attempt)
    sys.stdout.write(told(record))
