"""Run a recipe, or report the finished run of it; continue what was interrupted.

The snapshot comes first because the run id needs the data hash; torch is imported only if there is work for it.
"""

from __future__ import annotations

import gc
import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import StoreError

if TYPE_CHECKING:
    from totalml.attempt import Attempt
    from totalml.progress import Progress
    from totalml.recipe import Recipe


def run(recipe: Recipe) -> Path:
    """Take a recipe through its life.

    Returns: the folder of the finished attempt.
    Raises: TotalmlError: see `totalml.errors`; whatever was done until then is kept and continued by the next call.
    """
    from totalml.data import take_snapshot
    from totalml.identity import config_hash, run_id
    from totalml.progress import Progress
    from totalml.recipe import what
    from totalml.store import Store, locked

    gc.enable()  # run.py starts without it
    progress = Progress.create(recipe.runtime.progress)
    store = Store(Path(recipe.runtime.store))
    started = time.perf_counter()
    snapshot = take_snapshot(recipe.data, store, progress)
    ids = {"config_hash": config_hash(what(recipe)), "data_hash": snapshot.data_hash}
    name = run_id(ids["config_hash"], ids["data_hash"])
    folder = Path(recipe.runtime.runs) / recipe.name / name
    facts = {"name": recipe.name, "run_id": name, **ids, "command": _command()}
    with locked(folder / "lock"):  # an identical run started meanwhile waits, then reports
        attempt, earlier = _attempt(recipe, folder, facts, progress)
        if attempt.status == "finished":
            progress.say(f"this run is finished: attempt {attempt.number}; runtime.rerun=true runs it again")
        else:
            with attempt.recorded():
                attempt.add_seconds("snapshot", time.perf_counter() - started)
                _stages()(recipe, snapshot, store, attempt, progress)
                attempt.save(compared=_compare(attempt, earlier))
    _show(attempt)
    return attempt.folder


def _stages() -> Callable[..., None]:
    """The stages after the snapshot; bringing them brings torch and lightning."""
    # Threads of torch that spin while they wait make training twenty times slower beside any other process.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    gc.disable()  # a third of the time of importing thousands of classes
    from totalml.lifecycle import live

    gc.freeze()
    gc.enable()
    return live


def _attempt(recipe: Recipe, folder: Path, facts: dict[str, Any], progress: Progress) -> tuple[Attempt, list[Attempt]]:
    """The attempt to report or to work on, and the finished ones to compare it with."""
    from totalml import fingerprint
    from totalml.attempt import attempts_of, new_attempt

    made_with = {
        "code": fingerprint.code(recipe),
        "environment": fingerprint.environment(),
        "execution": fingerprint.execution(recipe.runtime),
    }
    earlier, unreadable = attempts_of(folder)
    for file in unreadable:
        progress.say(f"{file} cannot be read; that attempt is left alone and another one is made")
    finished = [attempt for attempt in earlier if attempt.status == "finished"]
    alike = [attempt for attempt in earlier if attempt.made_like(made_with)]
    if alike and alike[-1].status != "finished":
        return alike[-1], finished
    if alike and not recipe.runtime.rerun:
        if not (lost := alike[-1].lost()):
            return alike[-1], finished
        progress.say(f"attempt {alike[-1].number} has lost {', '.join(lost)}; the run is done again")
    return new_attempt(folder, {**facts, **made_with, "status": "running"}), finished


def _show(attempt: Attempt) -> None:
    """The closing table, from what the attempt's folder holds."""
    from totalml.attempt import METRICS_FILE, REPORT_FILE
    from totalml.report import closing_table, show_closing_table

    facts, folder = attempt.facts, attempt.folder
    try:
        metrics = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        rows = closing_table(metrics, facts["seconds"], folder / REPORT_FILE)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{folder / METRICS_FILE} is damaged ({error}); delete it and run again") from error
    if other := facts.get("compared"):
        same = "the same weights and predictions as" if other["identical"] else "not the same as"
        remark = "" if other["identical"] else f"{' and '.join(other['differs'])} differ"
        rows.insert(-1, ("Repeated", f"{same} attempt {other['attempt']}", remark))
    show_closing_table(f"{facts['name']} {facts['run_id']} attempt {attempt.number}", rows)


def _compare(attempt: Attempt, earlier: list[Attempt]) -> dict[str, Any] | None:
    """Whether the last finished attempt of the same run came to the same weights and predictions."""
    if not earlier:
        return None
    mine, theirs = attempt.facts["outputs"], earlier[-1].facts["outputs"]
    differs = sorted(key for key in mine if mine[key] != theirs.get(key))
    return {"attempt": earlier[-1].number, "identical": not differs, "differs": differs}


def _command() -> str:
    """The command line of this process, for running it again."""
    return shlex.join(["python", *sys.argv])


def made_with(recipe: Recipe) -> dict[str, Any]:
    """Code, environment and execution: what besides recipe and data an attempt is known by."""
    from totalml import fingerprint

    return {
        "code": fingerprint.code(recipe),
        "environment": fingerprint.environment(),
        "execution": fingerprint.execution(recipe.runtime),
    }


def finished_attempt(recipe: Recipe, data_hash: str, made_with: dict[str, Any]) -> Attempt | None:
    """The attempt that `run` would report instead of working; None if there is work to do. Imports no torch.

    Args:
        data_hash: of the recipe's snapshot.
    """
    from totalml.attempt import attempts_of
    from totalml.identity import config_hash, run_id
    from totalml.recipe import what

    if recipe.runtime.rerun:
        return None
    folder = Path(recipe.runtime.runs) / recipe.name / run_id(config_hash(what(recipe)), data_hash)
    alike = [attempt for attempt in attempts_of(folder)[0] if attempt.made_like(made_with)]
    last = alike[-1] if alike else None
    return last if last and last.status == "finished" and not last.lost() else None
