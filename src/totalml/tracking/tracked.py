"""Track a run: epochs while it goes on where a backend is asked, everything else when it has ended.

Whatever happens here costs the run nothing but a stated time: its results lie in its folder before W&B hears of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.recipe import TrackingRecipe
from totalml.runs.attempt import Attempt, now
from totalml.tracking.companion import SilentError, asked, companion
from totalml.tracking.record import TrackingRecord, is_due, wandb_id
from totalml.training.listen import listening

if TYPE_CHECKING:
    from totalml.progress import Progress
    from totalml.recipe import Recipe
    from totalml.store import Store
    from totalml.training.history import Epoch


@contextmanager
def tracked(recipe: Recipe, attempt: Attempt, store: Store, progress: Progress) -> Iterator[None]:
    """Track the run that the block brings to its end; if it fails, only what is open already hears of that."""
    tracking = recipe.tracking
    record = planned(recipe.name, tracking, attempt)
    online = tracking.mode == "wandb"
    job = job_of(attempt, record, store.root, "online" if online else "offline", tracking.patience_s)
    # Told now also where there is nothing to open yet: it imports wandb while the run goes on.
    _tell({"do": "open", **job} if online else {"do": "wait"})
    try:
        with listening(partial(_tell_epoch, recipe.task.score) if online else None):
            yield
    except BaseException:
        if online:
            _tell({"do": "fail"})
        raise
    _write_and_tell(job, record, attempt, progress)


def track_finished(recipe: Recipe, attempt: Attempt, store: Store, progress: Progress) -> None:
    """Track a run that had ended before this was asked, unless it was told of already; its results are only read.

    Hold the lock of the run, so that two who ask at once send it once.

    Raises: StoreError: its folder cannot be written.
    """
    tracking = recipe.tracking
    if not is_due(tracking.mode, attempt.folder):
        return
    record = planned(recipe.name, tracking, attempt)
    mode = "online" if tracking.mode == "wandb" else "offline"
    _write_and_tell(job_of(attempt, record, store.root, mode, tracking.patience_s), record, attempt, progress)


def _write_and_tell(job: dict[str, Any], record: TrackingRecord, attempt: Attempt, progress: Progress) -> None:
    record.save(attempt.folder)  # whatever happens now, `totalml track sync` finds it
    written = write(job, record)
    written.save(attempt.folder)
    progress.say(_line(written, job["mode"] == "online", attempt))


def planned(name: str, tracking: TrackingRecipe, attempt: Attempt) -> TrackingRecord:
    """The record of a run that nobody has heard of yet."""
    project = tracking.project or name
    return TrackingRecord(wandb_id(attempt.facts), project, tracking.entity, tracking.group, tuple(tracking.tags))


def job_of(attempt: Attempt, record: TrackingRecord, store: Path, mode: str, patience_s: float) -> dict[str, Any]:
    """What the companion is told of a run."""
    told = {key: getattr(record, key) for key in ("id", "project", "entity", "group", "tags")}
    where = {"folder": str(attempt.folder.absolute()), "store": str(store)}
    return {**where, "mode": mode, "patience_s": patience_s, **told}


def write(job: dict[str, Any], record: TrackingRecord) -> TrackingRecord:
    """Have the companion write, or send, a whole run; the record says what came of it."""
    answer = asked({"do": "write", **job}, job["patience_s"])
    if problem := answer.get("problem"):
        return replace(record, problem=problem, sent=None)
    return replace(record, problem=None, url=answer.get("url"), sent=now() if job["mode"] == "online" else None)


def _tell_epoch(score: str, epoch: Epoch, epochs: int) -> None:
    _tell({"do": "epoch", "values": asdict(epoch) | {"score": score}})


def _tell(message: dict[str, Any]) -> None:
    with suppress(SilentError, OSError):
        companion().tell(message)


def _line(record: TrackingRecord, online: bool, attempt: Attempt) -> str:
    named = f"{attempt.facts['run_id']}/{attempt.number}"
    if record.problem:
        what = "not sent to W&B" if online else "not written for W&B"
        why = record.problem.removesuffix(".")
        return f"{what}: {why}. The run is whole; `totalml track sync {named}` sends it later"
    return f"W&B: {record.url}" if online else f"W&B run {record.id} is in the run folder; totalml track sync sends it"
