"""The end of a sweep: the table of its jobs, the best one's command line, the page, and what failed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from totalml.report.number_format import MISSING, duration
from totalml.sweep.backtest import FOLD, Candidate, backtest, best_of
from totalml.sweep.job_format import brief, command, figure, shown
from totalml.sweep.page import write_page
from totalml.sweep.record import STATE_FILE, Job, SweepRecord
from totalml.terminal import aligned

MOST_ROWS = 60
WIDEST_VALUE = 32
MOST_ERROR_LINES = 6


def close(record: SweepRecord) -> None:
    """Print the table and write `sweep.html`."""
    page = write_page(record)
    print(table(record))
    if candidates := backtest(record):
        print(means(record, candidates))
    if best := best_of(record):
        print(f"Best: {command(best.overrides)}")
    if stopped := record.stopped():
        numbers = ", ".join(str(job.number) for job in stopped)
        print(f"Gates: {len(stopped)} of {len(record.jobs)} jobs may not be released: {numbers}")
    print(f"Sweep: {page}")
    sys.stdout.flush()


def table(record: SweepRecord) -> str:
    """The jobs, best first, as aligned columns."""
    keys = record.differing()
    ranked = record.ranked()
    rows = [["job", *keys, record.metric, "time", "how"], *(_row(job, keys) for job in ranked[:MOST_ROWS])]
    more = len(ranked) - MOST_ROWS
    return "\n".join([*aligned(rows), *([f"and {more} more, in {STATE_FILE}"] if more > 0 else [])])


def means(record: SweepRecord, candidates: Sequence[Candidate]) -> str:
    """What is swept besides the folds, best mean first, as aligned columns."""
    keys = [key for key in record.differing() if key != FOLD]
    head = ["folds", *keys, f"mean {record.metric}", "least", "most"]
    return "\n".join(aligned([head, *(_mean(each, keys) for each in candidates[:MOST_ROWS])]))


def _mean(candidate: Candidate, keys: Sequence[str]) -> list[str]:
    values = [_cut(brief(candidate.parameters.get(key, MISSING))) for key in keys]
    reached = candidate.reached
    ends = [figure(min(reached)), figure(max(reached))] if reached else [MISSING, MISSING]
    return [str(len(reached)), *values, figure(candidate.mean), *ends]


def _row(job: Job, keys: list[str]) -> list[str]:
    values = [_cut(brief(job.parameters.get(key, MISSING))) for key in keys]
    time = MISSING if job.seconds is None else duration(job.seconds)
    return [str(job.number), *values, figure(job.metric), time, job.how]


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST_VALUE else f"{text[: WIDEST_VALUE - 1]}…"


def failures(failed: list[Job], total: int) -> str:
    """Each failed job with its parameters, its error and its log."""
    lines = [f"{len(failed)} of {total} jobs failed; the others are kept, and the same command tries these again:"]
    for job in failed:
        told = (job.error or "no message").splitlines()
        lines += [f"job {job.number}: {shown(job.parameters)}", *(f"  {line}" for line in told[:MOST_ERROR_LINES])]
        lines.append(f"  log: {job.log}")
    return "\n".join(lines)
