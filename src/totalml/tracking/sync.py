"""Send a finished run to Weights & Biases from what its folder holds, after a look at whether all of it is there."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.runs.attempt import Attempt
    from totalml.tracking.record import TrackingRecord


def unsent(runs: Path) -> Iterator[Attempt]:
    """Finished runs that were tracked and have not arrived."""
    from totalml.runs.attempt import attempts_of
    from totalml.tracking.record import TRACKING_FILE, TrackingRecord

    for folder in sorted({file.parents[1] for file in runs.glob(f"*/*/*/{TRACKING_FILE}")}):
        for attempt in attempts_of(folder)[0]:
            record = TrackingRecord.load(attempt.folder)
            if attempt.status == "finished" and record and not record.sent:
                yield attempt


def send(attempt: Attempt, store: Path, arguments: argparse.Namespace) -> bool:
    """Whether all of it arrived; says so.

    Args:
        store: on this machine; what was never staged comes from it.
        arguments: project and entity, if they are others than the run was told of, and patience in seconds.
    """
    from totalml.tracking.tracked import job_of, write

    name = f"{attempt.facts['name']} {attempt.facts['run_id']}/{attempt.number}"
    if missing := _missing(attempt):
        print(f"{name} not sent: {missing}")
        return False
    record = _record(attempt, arguments)
    written = write(job_of(attempt, record, store, "online", arguments.patience), record)
    written.save(attempt.folder)
    print(f"{name} not sent: {written.problem}" if written.problem else f"{name} sent: {written.url}")
    return not written.problem


def _missing(attempt: Attempt) -> str | None:
    """What of the run is no longer there to be sent; what was never staged can still come from the store."""
    from totalml.tracking.staged import STAGED, fault

    if attempt.status != "finished":
        return f"this attempt is {attempt.status}"
    if lost := attempt.lost():
        return f"it has lost {', '.join(lost)}; run the recipe again"
    return fault(attempt.folder) if (attempt.folder / STAGED).is_dir() else None


def _record(attempt: Attempt, arguments: argparse.Namespace) -> TrackingRecord:
    from dataclasses import replace

    from totalml.recipe import TrackingRecipe
    from totalml.tracking.record import TrackingRecord
    from totalml.tracking.tracked import planned

    record = TrackingRecord.load(attempt.folder) or planned(attempt.facts["name"], TrackingRecipe(), attempt)
    given = {key: value for key in ("project", "entity") if (value := getattr(arguments, key))}
    # Of another project nothing is known.
    return replace(record, release=None, aliases=(), **given) if given else record
