"""One job of a sweep, in whatever process a launcher runs it: its log, and how it ended.

How it ended is written to a file at once, because a process may be killed before it can hand anything back.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from totalml.compose.command_line import job_recipe, task_overrides
from totalml.compose.merge import Merged
from totalml.errors import TRACEBACK_VARIABLE, GateError, Interrupted, TotalmlError
from totalml.store.atomic import write_atomically
from totalml.sweep.job_format import typed
from totalml.sweep.log import logged
from totalml.sweep.record import Status
from totalml.training.listen import Listener, Pruned, listening
from totalml.workers.parent import leave_with

if TYPE_CHECKING:
    from totalml.recipe import Recipe


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Args:
        folder: what the job returned, if that was a path.
        seconds: wall time in its process.
    """

    status: Status
    seconds: float
    folder: str | None = None
    error: str | None = None


@dataclass
class SweepTask:
    """What Hydra's launchers call for every job; travels to other processes by pickle.

    Args:
        live: show the job's lines on stderr as well as in its log.
        jobs: number and title of each job of the launch under way, in its order.
        listeners: job number -> what hears of its epochs.
        threads: of a job that says nothing of them itself; None: as many as a run alone.
        conductor: the process id of the sweep, where workers of this machine are to end with it.
    """

    project: Path
    job: Callable[[Recipe], object]
    folder: Path = Path()
    live: bool = False
    total: int = 0
    jobs: tuple[tuple[int, str], ...] = ()
    listeners: dict[int, Listener] | None = None
    threads: int | None = None
    conductor: int | None = None

    def __call__(self, config: DictConfig) -> None:
        from hydra.core.hydra_config import HydraConfig

        if self.conductor is not None:
            leave_with(self.conductor)
        number, title = self.jobs[HydraConfig.get().job.num]
        overrides = task_overrides()
        self.go(number, title, overrides, lambda: job_recipe(Merged(config), self.project, overrides))

    def go(self, number: int, title: str, overrides: Sequence[str], recipe: Callable[[], Recipe]) -> None:
        """Run one job and write down how it ended."""
        began = time.perf_counter()
        name = f"job {number} of {self.total}: {title}"
        with logged(log_file(self.folder, number), f"--- {name}", self.live), self._as_alone(overrides):
            ended = self._run(recipe, (self.listeners or {}).get(number))
        ended = {**ended, "seconds": round(time.perf_counter() - began, 3)}
        text = json.dumps(asdict(Ended(**ended)), ensure_ascii=False)
        write_atomically(end_file(self.folder, number), text.encode())
        if not self.live:
            print(f"{name}: {ended['status']} ({ended['seconds']:.1f} s)", file=sys.stderr)

    def as_job(self, recipe: Recipe) -> Recipe:
        """What is run for a recipe of the sweep; threads are stated, so that they are known before it runs."""
        runtime = recipe.runtime.model_copy(update={"threads": recipe.runtime.threads or self.threads})
        group = recipe.tracking.group or self.folder.name or None
        tracking = recipe.tracking.model_copy(update={"group": group})
        # Which job is the best is only known when all have ended, so none registers itself.
        alone = {"sweep": None, "registry": None}
        return recipe.model_copy(update={**alone, "runtime": runtime, "tracking": tracking})

    def _run(self, recipe: Callable[[], Recipe], listener: Listener | None) -> dict[str, Any]:
        try:
            with listening(listener):
                result = self.job(self.as_job(recipe()))
        except Pruned as end:
            print(end, file=sys.stderr)
            return {"status": "pruned", "error": str(end)}
        except (Interrupted, KeyboardInterrupt) as end:
            return {"status": "interrupted", "error": str(end)}
        except GateError as end:  # a whole run, that only may not be released
            print(end, file=sys.stderr)
            return {"status": "finished", "folder": str(end.folder)}
        except TotalmlError as error:
            if os.environ.get(TRACEBACK_VARIABLE) == "1":
                traceback.print_exc()
            print(error, file=sys.stderr)
            return {"status": "failed", "error": str(error)}
        except Exception as error:  # nobody foresaw it; the other jobs go on
            traceback.print_exc()
            return {"status": "failed", "error": f"{type(error).__name__}: {error}"}
        return {"status": "finished", "folder": str(result) if isinstance(result, Path) else None}

    @contextlib.contextmanager
    def _as_alone(self, overrides: Sequence[str]) -> Iterator[None]:
        """The command line that the run writes down is its own, and the recipe's code can be imported."""
        argv, path = sys.argv, sys.path
        sys.argv = ["run.py", *map(typed, overrides)]
        sys.path = [*path, *({str(self.project)} - {*path})]
        try:
            yield
        finally:
            sys.argv, sys.path = argv, path


def log_file(folder: Path, number: int) -> Path:
    return folder / f"{number}.log"


def end_file(folder: Path, number: int) -> Path:
    return folder / f"{number}.json"


def read_end(folder: Path, number: int) -> Ended | None:
    """None: the job has not ended, or its process was killed."""
    try:
        return Ended(**json.loads(end_file(folder, number).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
