"""Run a recipe, or report the finished run of it; continue what was interrupted.

The snapshot comes first because the run id needs the data hash; torch is imported only if there is work for it.
"""

from __future__ import annotations

import gc
import os
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import MissingExtraError, StoreError

if TYPE_CHECKING:
    from totalml.data import Snapshot
    from totalml.progress import Progress
    from totalml.recipe import Recipe
    from totalml.runs import RunFolders
    from totalml.runs.attempt import Attempt
    from totalml.runs.identity import RunIdentity
    from totalml.store import Store


def run(recipe: Recipe) -> Path:
    """Take a recipe through its life.

    Returns: the folder of the finished attempt.
    Raises:
        GateError: the run is finished and whole, but did not pass its gates.
        TotalmlError: see `totalml.errors`; whatever was done until then is kept and continued by the next call.
    """
    if recipe.runtime.nodes == 1:
        return _run(recipe)
    from totalml.training.ranks.worker import run_launched

    return run_launched(recipe, _run)


def _run(recipe: Recipe) -> Path:
    from totalml.follow_up import follow_up
    from totalml.progress import Progress
    from totalml.runs import open_runs
    from totalml.store import locked, open_store

    progress = Progress.create(recipe.runtime.progress)
    where = recipe.runtime
    store = open_store(where.store, where.cache, progress.say)
    runs = open_runs(where.runs, where.cache, progress.say)
    attempt = _finished(recipe, store, runs)
    if attempt is not None:
        _say_finished(attempt, recipe, progress)
        if not runs.has(attempt):
            with locked(attempt.folder.parent / "lock"):
                _send(attempt, store, runs)
        _track_finished(recipe, attempt, store, progress, locked(attempt.folder.parent / "lock"))
    else:
        gc.enable()  # run.py starts without it
        attempt = _work(recipe, store, runs, progress)
    follow_up(recipe, attempt, store, runs, progress)
    return attempt.folder


def _finished(recipe: Recipe, store: Store, runs: RunFolders) -> Attempt | None:
    """The attempt that makes running needless; None if there is none, or only a look at the data can tell."""
    from totalml.data import remembered_hash
    from totalml.features.shared.sources import remembered_sources
    from totalml.runs.identity import RunIdentity, finished_attempt

    data_hash, sourced = remembered_hash(recipe.data, store), remembered_sources(recipe, store)
    if data_hash is None or sourced is None or recipe.data.snapshot not in (None, data_hash):
        return None
    return finished_attempt(RunIdentity(sourced, data_hash, runs))


def _work(recipe: Recipe, store: Store, runs: RunFolders, progress: Progress) -> Attempt:
    from totalml.data import take_snapshot

    started = time.perf_counter()
    snapshot = take_snapshot(recipe.data, store, progress)
    store.publish()
    return run_on(snapshot, recipe, store, runs, progress, time.perf_counter() - started)


def run_on(
    snapshot: Snapshot, recipe: Recipe, store: Store, runs: RunFolders, progress: Progress, seconds: float = 0.0
) -> Attempt:
    """Take a recipe through its life from a snapshot that stands in the store; its source is not asked.

    Args: seconds: that the snapshot took.
    Raises: TotalmlError: as `run`.
    """
    from totalml.comparison import save_code
    from totalml.features.shared.sources import with_sources
    from totalml.gates import bring_production
    from totalml.runs.identity import RunIdentity
    from totalml.store import locked

    recipe = with_sources(recipe, store)
    identity = RunIdentity(recipe, snapshot.data_hash, runs)
    store.refer_from(runs.root)
    with locked(identity.folder / "lock"):  # an identical run started meanwhile waits, then reports
        runs.settle(recipe.name, identity.run_id)
        attempt, earlier = _attempt(identity, progress)
        if attempt.status == "finished":
            _say_finished(attempt, recipe, progress)
            _send(attempt, store, runs)
            _track_finished(recipe, attempt, store, progress, nullcontext())
            return attempt
        with runs.published(attempt), _tracked(recipe, attempt, store, progress), attempt.recorded():
            save_code(recipe, store)
            store.publish("code")
            attempt.add_seconds("snapshot", seconds)
            bring_production(recipe.name, recipe.gates, store, runs)
            _live(recipe, snapshot, store, attempt, progress)
            attempt.save(compared=_compare(attempt, earlier, identity), tainted=_tainted(identity))
    return attempt


def _send(attempt: Attempt, store: Store, runs: RunFolders) -> None:
    """Send what the process that finished the attempt was killed before it could."""
    store.publish()
    runs.publish(attempt)


def _track_finished(
    recipe: Recipe, attempt: Attempt, store: Store, progress: Progress, lock: AbstractContextManager[None]
) -> None:
    """Tell W&B of a finished run if that is asked for only now; a folder that may only be read stays a whole run."""
    from totalml.tracking.record import is_due

    if not is_due(recipe.tracking.mode, attempt.folder):
        return
    from totalml.tracking.tracked import track_finished

    try:
        with lock:
            track_finished(recipe, attempt, store, progress)
    except StoreError as error:
        progress.say(f"not tracked: {error}")


def _live(recipe: Recipe, snapshot: Snapshot, store: Store, attempt: Attempt, progress: Progress) -> None:
    from totalml.runs.attempt import earlier_of

    before = [earlier.facts.get("stages", {}) for earlier in earlier_of(attempt.folder.parents[1], attempt.folder)]
    _stages()(recipe, snapshot, store, attempt, before, progress)


def _tracked(recipe: Recipe, attempt: Attempt, store: Store, progress: Progress) -> AbstractContextManager[None]:
    if recipe.tracking.mode == "none":
        return nullcontext()
    from totalml.tracking.tracked import tracked

    return tracked(recipe, attempt, store, progress)


def _stages() -> Callable[..., None]:
    """The stages after the snapshot; bringing them brings torch and lightning.

    Raises: MissingExtraError: they are not installed.
    """
    if find_spec("torch") is None:
        raise MissingExtraError("torch", "train", "running a recipe")
    # Threads of torch that spin while they wait make training twenty times slower beside any other process.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    gc.disable()  # a third of the time of importing thousands of classes
    from totalml.lifecycle import live

    gc.freeze()
    gc.enable()
    return live


def _attempt(identity: RunIdentity, progress: Progress) -> tuple[Attempt, list[Attempt]]:
    """The attempt to report or to work on, and the finished ones to compare it with."""
    from totalml.runs.attempt import attempts_of, new_attempt

    earlier, unreadable = attempts_of(identity.folder)
    for file in unreadable:
        progress.say(f"{file} cannot be read; that attempt is left alone and another one is made")
    finished = [attempt for attempt in earlier if attempt.status == "finished"]
    alike = [attempt for attempt in earlier if attempt.made_like(identity.made_with)]
    if alike:
        identity.runs.complete(alike[-1])
    if alike and alike[-1].status != "finished":
        return alike[-1], finished
    if alike and not identity.recipe.runtime.rerun:
        if not (lost := alike[-1].lost()):
            return alike[-1], finished
        progress.say(f"attempt {alike[-1].number}: gone or changed: {', '.join(lost)}; the run is done again")
    return new_attempt(identity.folder, {**identity.facts(), "command": _command(), "status": "running"}), finished


def _say_finished(attempt: Attempt, recipe: Recipe, progress: Progress) -> None:
    from totalml.data import say_pin

    say_pin(recipe.data, attempt.facts["data_hash"], progress)
    progress.say(f"this run is finished: attempt {attempt.number}; runtime.rerun=true runs it again")


def _compare(attempt: Attempt, earlier: list[Attempt], identity: RunIdentity) -> dict[str, Any] | None:
    """Whether an earlier finished attempt of the same run came to the same weights and predictions.

    The last one that was made alike, or else the last one and what was not alike.
    """
    if not earlier:
        return None
    alike = [each for each in earlier if each.made_like(identity.made_with)]
    other = (alike or earlier)[-1]
    mine, theirs = attempt.facts["outputs"], other.facts["outputs"]
    differs = sorted(key for key in mine if mine[key] != theirs.get(key))
    changed = other.unlike(identity.made_with)
    return {"attempt": other.number, "identical": not differs, "differs": differs, "changed": changed}


def _tainted(identity: RunIdentity) -> str | None:
    """Why the result may not be what its fingerprint says: code and files are read late, and may be edited before."""
    from totalml.fingerprint import edited

    what = edited(identity.recipe, identity.made_with)
    return f"{what} changed while the run was under way" if what else None


def _command() -> str:
    """The command line of this process, for running it again."""
    return shlex.join(["python", *sys.argv])
