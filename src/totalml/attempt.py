"""The folder of a run: `runs/<recipe>/<run id>/<attempt>/`, and its `run.json`.

The run id says what was asked; an attempt is one go at it. A finished attempt is never written to again; one that
was killed or interrupted is continued by the next call with the same code and environment.
"""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from totalml.errors import Interrupted
from totalml.store.atomic import explained, write_atomically

Status = Literal["running", "interrupted", "failed", "finished"]
SCHEMA = 1
RUN_FILE = "run.json"
RECIPE_FILE = "recipe.yaml"
QUALITY_FILE = "quality.json"
METRICS_FILE = "metrics.json"
PREDICTIONS_FILE = "predictions.parquet"
REPORT_FILE = "report.html"
WEIGHTS_FILE = "model.safetensors"
RESULTS = (RECIPE_FILE, QUALITY_FILE, METRICS_FILE, PREDICTIONS_FILE, WEIGHTS_FILE, REPORT_FILE)


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
        """Whether code, environment and execution were the same."""
        return all(self.facts[part]["digest"] == made_with[part]["digest"] for part in made_with)

    def lost(self) -> list[str]:
        """Results of a finished attempt that are no longer in its folder, or empty."""
        files = {name: self.folder / name for name in RESULTS}
        return [name for name, file in files.items() if not file.is_file() or not file.stat().st_size]

    def save(self, **facts: Any) -> None:
        self.facts |= facts
        self.write(RUN_FILE, self.facts)

    def write(self, name: str, values: Any) -> None:
        """Write a JSON file into the folder, whole or not at all."""
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(self.folder / name, f"{text}\n".encode())

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
        """Leave the status that fits how the block ends."""
        self.save(status="running")
        try:
            yield
        except (Interrupted, KeyboardInterrupt):
            self.save(status="interrupted", ended=now())
            raise
        except BaseException as error:
            self.save(status="failed", ended=now(), error=str(error))
            raise
        self.save(status="finished", ended=now(), error=None)


def attempts_of(run: Path) -> tuple[list[Attempt], list[Path]]:
    """The attempts of a run, oldest first, and the `run.json` files that cannot be read."""
    found, unreadable = [], []
    for file in run.glob(f"*/{RUN_FILE}"):
        try:
            attempt = Attempt(file.parent, json.loads(file.read_text(encoding="utf-8")))
            complete = attempt.number and attempt.facts["status"] and attempt.facts["code"]["digest"]
        except (ValueError, KeyError, TypeError):
            complete = False
        if complete:
            found.append(attempt)
        else:
            unreadable.append(file)
    return sorted(found, key=lambda attempt: attempt.number), unreadable


def new_attempt(run: Path, facts: dict[str, Any]) -> Attempt:
    """Raises: StoreError: the folder cannot be made."""
    with explained(run):
        taken = [int(folder.name) for folder in run.glob("*") if folder.name.isdigit()]
        folder = run / str(max(taken, default=0) + 1)
        folder.mkdir(parents=True)
    told = {"schema": SCHEMA, "attempt": int(folder.name), "key": uuid.uuid4().hex, "started": now()}
    return Attempt(folder, told | facts)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
