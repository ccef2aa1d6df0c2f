"""What a sweep knows of its jobs; kept in `sweep.json`, so that a person or a script can look at any time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from totalml.kinds import Direction
from totalml.store.atomic import write_atomically

Status = Literal["waiting", "finished", "pruned", "failed", "interrupted"]
SCHEMA = 1
STATE_FILE = "sweep.json"
PAGE_FILE = "sweep.html"


@dataclass(frozen=True)
class Job:
    """One run of a sweep.

    Args:
        number: counted from 1; names its log file.
        overrides: all of its command line, as Hydra reads them.
        parameters: key -> value of what is swept.
        reused: its run was finished before the sweep came to it.
        folder: of its attempt.
        seconds: that its run took, whenever that was.
        metric: what jobs are ranked by; None: unknown or undefined.
        releasable: whether its run passed its gates; None: there is no such run.
    """

    number: int
    overrides: tuple[str, ...]
    parameters: Mapping[str, str]
    status: Status = "waiting"
    reused: bool = False
    run_id: str | None = None
    folder: str | None = None
    seconds: float | None = None
    metric: float | None = None
    releasable: bool | None = None
    error: str | None = None
    log: str | None = None

    @property
    def how(self) -> str:
        """`trained`, `reused`, or what else became of it."""
        return ("reused" if self.reused else "trained") if self.status == "finished" else self.status


@dataclass
class SweepRecord:
    """Args:
    folder: `runs/sweeps/<name>/<sweep id>`.
    metric: the name of what jobs are ranked by.
    """

    folder: Path
    name: str
    sweep_id: str
    sampler: str
    metric: str
    direction: Direction
    jobs: dict[int, Job] = field(default_factory=dict)

    def update(self, jobs: Iterable[Job]) -> None:
        """Take in the jobs as they are now, and write everything down."""
        self.jobs |= {job.number: job for job in jobs}
        facts = {key: value for key, value in vars(self).items() if key not in ("folder", "jobs")}
        listed = [asdict(self.jobs[number]) for number in sorted(self.jobs)]
        text = json.dumps({"schema": SCHEMA, **facts, "jobs": listed}, indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(self.folder / STATE_FILE, f"{text}\n".encode())

    def ranked(self) -> list[Job]:
        """Best first; then those without a metric, pruned ones and failed ones."""
        order = ("finished", "pruned", "interrupted", "waiting", "failed")

        def place(job: Job) -> tuple[int, float, int]:
            value = math.inf if job.metric is None else job.metric
            return order.index(job.status), value if self.direction == "minimize" else -value, job.number

        # Without a metric last in both directions.
        return sorted(self.jobs.values(), key=lambda job: (place(job)[0], job.metric is None, *place(job)[1:]))

    def best(self) -> Job | None:
        """The finished job with the best metric."""
        first = next(iter(self.ranked()), None)
        return first if first and first.status == "finished" and first.metric is not None else None

    def failed(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.status == "failed"]

    def stopped(self) -> list[Job]:
        """Jobs whose runs are whole but did not pass their gates."""
        return [job for job in self.jobs.values() if job.releasable is False]

    def differing(self) -> list[str]:
        """The swept keys that have more than one value."""
        keys = list(dict.fromkeys(key for job in self.jobs.values() for key in job.parameters))
        return [key for key in keys if len({job.parameters.get(key) for job in self.jobs.values()}) > 1]
