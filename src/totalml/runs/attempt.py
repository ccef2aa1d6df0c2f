"""The folder of a run: `runs/<recipe>/<run id>/<attempt>/`, and its `run.json`.

The run id says what was asked; an attempt is one go at it. A finished attempt is never written to again; one that
was killed or interrupted is continued by the next call with the same code and environment.
"""

import json
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from totalml.errors import Interrupted, QualityError, TotalmlError
from totalml.identity import digest_if_there
from totalml.store.atomic import explained, write_json

Status = Literal["running", "interrupted", "failed", "finished"]
SCHEMA = 1
RUN_FILE = "run.json"
RECIPE_FILE = "recipe.yaml"
QUALITY_FILE = "quality.json"
TRAINING_FILE = "training.json"
STEPS_FILE = "steps.npy"
METRICS_FILE = "metrics.json"
PREDICTIONS_FILE = "predictions.parquet"
GATES_FILE = "gates.json"
EXPLANATION_FILE = "explanation.json"
MAPS_FILE = "explanation.safetensors"
ROBUSTNESS_FILE = "robustness.json"
OUT_OF_DISTRIBUTION_FILE = "out_of_distribution.json"
OUT_OF_DISTRIBUTION_FIT = "out_of_distribution.safetensors"
OUT_OF_DISTRIBUTION_SCORES = "out_of_distribution.parquet"
DEEPCHECKS_FILE = "deepchecks.json"
PLAN_FILE = "plan.json"
DRILL_FILE = "drill.json"
DRILL_OUTCOMES = "drill.parquet"
REPORT_FILE = "report.html"
CARD_FILE = "MODEL_CARD.md"
WEIGHTS_FILE = "model.safetensors"
WANDB_FOLDER = "wandb"
LEARNT = (WEIGHTS_FILE, TRAINING_FILE, STEPS_FILE)
EVALUATED = (METRICS_FILE, PREDICTIONS_FILE)
EXPLAINED = (EXPLANATION_FILE, MAPS_FILE)
OUT_OF_DISTRIBUTION = (OUT_OF_DISTRIBUTION_FILE, OUT_OF_DISTRIBUTION_FIT, OUT_OF_DISTRIBUTION_SCORES)
# Those of a part that the recipe turns off are not there.
EVIDENCE = (*EXPLAINED, ROBUSTNESS_FILE, *OUT_OF_DISTRIBUTION, DEEPCHECKS_FILE, PLAN_FILE)
RESULTS = (RECIPE_FILE, QUALITY_FILE, *LEARNT, *EVALUATED, *EVIDENCE, GATES_FILE, REPORT_FILE, CARD_FILE)

BEGUN = (WEIGHTS_FILE, "checkpoints/*", "rank-*.log")  # in the folder of an attempt that came to its training
LOOKED_AT = 12  # earlier attempts, to tell what has changed since
MISSING = "no digest"  # of a file that an attempt did not leave


@dataclass
class Attempt:
    """Args:
    facts: what stands in `run.json`.
    """

    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def status(self) -> Status:
        return cast(Status, self.facts["status"])

    def made_like(self, made_with: dict[str, Any]) -> bool:
        """Whether code, files, environment and execution were the same, and remained so until it ended."""
        return not self.facts.get("tainted") and not self.unlike(made_with)

    def unlike(self, made_with: dict[str, Any]) -> list[str]:
        """Which of code, files, environment and execution were others."""
        return [part for part, made in made_with.items() if self.facts.get(part, {}).get("digest") != made["digest"]]

    def lost(self) -> list[str]:
        """Results of a finished attempt that are no longer in its folder, or no longer what it wrote there."""
        written = self.facts.get("results", {})
        return [name for name, found in self.results().items() if found != written.get(name, MISSING)]

    def results(self) -> dict[str, str | None]:
        """The digest of each result in the folder, None where it is not there."""
        return {name: digest_if_there(self.folder / name) for name in RESULTS}

    def save(self, **facts: Any) -> None:
        self.facts |= facts
        write_json(self.folder / RUN_FILE, self.facts)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; the seconds of a continued run add up."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add_seconds(name, time.perf_counter() - started)

    def add_seconds(self, stage: str, seconds: float) -> None:
        timings = self.facts.setdefault("seconds", {})
        timings[stage] = round(timings.get(stage, 0.0) + seconds, 3)

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Leave the status that fits how the block ends; of a new attempt that could not even start, nothing."""
        new = not (self.folder / RUN_FILE).exists()
        self.save(status="running")
        try:
            yield
        except (Interrupted, KeyboardInterrupt):
            self.save(status="interrupted", ended=now())
            raise
        except BaseException as error:
            if new and isinstance(error, TotalmlError) and not (isinstance(error, QualityError) or self._began()):
                shutil.rmtree(self.folder)
            else:
                self.save(status="failed", ended=now(), error=str(error))
            raise
        self.save(status="finished", ended=now(), error=None, results=self.results())

    def _began(self) -> bool:
        """Whether something was learnt, or a process of the training left a log to look at."""
        return any(next(self.folder.glob(pattern), None) for pattern in BEGUN)


def attempts_of(run: Path) -> tuple[list[Attempt], list[Path]]:
    """The attempts of a run, oldest first, and the `run.json` files that cannot be read."""
    read = {file: _read(file) for file in run.glob(f"*/{RUN_FILE}")}
    found = [attempt for attempt in read.values() if attempt is not None]
    unreadable = [file for file, attempt in read.items() if attempt is None]
    return sorted(found, key=lambda attempt: attempt.number), unreadable


def _read(file: Path) -> Attempt | None:
    """None if it is no whole `run.json`."""
    try:
        attempt = Attempt(file.parent, json.loads(file.read_text(encoding="utf-8")))
        complete = attempt.number and attempt.facts["status"] and attempt.facts["code"]["digest"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return attempt if complete else None


def earlier_of(recipe: Path, besides: Path) -> list[Attempt]:
    """The attempts below a recipe's folder that were written to last, the latest first, without that in `besides`."""
    files = sorted((file for file in recipe.glob(f"*/*/{RUN_FILE}") if file.parent != besides), key=_changed)
    read = (_read(file) for file in reversed(files[-LOOKED_AT:]))
    return [attempt for attempt in read if attempt is not None]


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # another process is replacing or deleting it
        return 0.0


def new_attempt(run: Path, facts: dict[str, Any]) -> Attempt:
    """Raises: StoreError: the folder cannot be made."""
    with explained(run):
        taken = [int(folder.name) for folder in run.glob("*") if folder.name.isdecimal()]
        folder = run / str(max(taken, default=0) + 1)
        folder.mkdir(parents=True)
    told = {"schema": SCHEMA, "attempt": int(folder.name), "key": uuid.uuid4().hex, "started": now()}
    return Attempt(folder, told | facts)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
