"""Send runs to Weights & Biases that were tracked offline, or whose backend could not be reached.

  totalml track sync                       every finished run that has not arrived yet
  totalml track sync 4f1c2a9b guinness     these, wherever they were tracked until now

A run is sent from what its folder holds, so it may have been moved; that nothing of it is missing is checked first.
The account is that of `wandb login` or WANDB_API_KEY; WANDB_BASE_URL names another backend. Sending a run a second
time replaces it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import TrackingError

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.runs.attempt import Attempt
    from totalml.tracking.record import TrackingRecord


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="*", help="a run id or its start, <run id>/<attempt>, a folder, a recipe's name")
    parser.add_argument("--project", help="of W&B (as the recipe said; its name)")
    parser.add_argument("--entity", help="of W&B (as the recipe said; the account's own)")
    parser.add_argument("--patience", metavar="SECONDS", type=float, default=300.0, help="for each run (300)")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.runs.find import find_run

    attempts = [find_run(text, place.runs) for text in arguments.run] or list(_unsent(place.runs))
    if not attempts:
        print("every tracked run has been sent")
    failed = [each for each in attempts if not _send(each, place, arguments)]
    if failed:
        raise TrackingError(f"{len(failed)} of {len(attempts)} runs were not sent; give the same command again")
    return 0


def _unsent(runs: Path) -> Iterator[Attempt]:
    from totalml.runs.attempt import attempts_of
    from totalml.tracking.record import TRACKING_FILE, TrackingRecord

    for folder in sorted({file.parents[1] for file in runs.glob(f"*/*/*/{TRACKING_FILE}")}):
        for attempt in attempts_of(folder)[0]:
            record = TrackingRecord.load(attempt.folder)
            if attempt.status == "finished" and record and not record.sent:
                yield attempt


def _send(attempt: Attempt, place: Place, arguments: argparse.Namespace) -> bool:
    """Whether all of it arrived; says so."""
    from totalml.tracking.tracked import job_of, write

    name = f"{attempt.facts['name']} {attempt.facts['run_id']}/{attempt.number}"
    if missing := _missing(attempt):
        print(f"{name} not sent: {missing}")
        return False
    record = _record(attempt, arguments)
    written = write(job_of(attempt, record, place.store, "online", arguments.patience), record)
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
    return replace(record, **given)
