"""A finished run: what it found, and the model that it trained."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import RecipeError, StoreError
from totalml.identity import file_digest
from totalml.notebook.project import open_project
from totalml.project import Place, find_place
from totalml.runs.attempt import METRICS_FILE, PREDICTIONS_FILE, REPORT_FILE, WEIGHTS_FILE, Attempt
from totalml.runs.find import finished_runs
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.gates import Verdict
    from totalml.notebook.composed import ComposedRecipe
    from totalml.notebook.metrics import Metrics
    from totalml.notebook.predictor import Predictor
    from totalml.notebook.report import Report


@dataclass(frozen=True, repr=False)
class Run:
    """What it holds is read when it is asked for, and held to the digest that the run wrote down.

    Whatever is asked raises StoreError where a file is gone or changed.
    """

    attempt: Attempt
    place: Place

    @property
    def name(self) -> str:
        return str(self.attempt.facts["name"])

    @property
    def run_id(self) -> str:
        """`<config hash>-<data hash>`."""
        return str(self.attempt.facts["run_id"])

    @property
    def folder(self) -> Path:
        return self.attempt.folder

    @cached_property
    def metrics(self) -> Metrics:
        from totalml.comparison.metrics import read_metrics
        from totalml.notebook.metrics import Metrics

        return Metrics(read_metrics(self._result(METRICS_FILE)))

    @cached_property
    def predictions(self) -> pa.Table:
        """What it said about each test sample."""
        from totalml.data.snapshot import read_parquet

        return read_parquet(self._result(PREDICTIONS_FILE).read_bytes())

    @cached_property
    def recipe(self) -> ComposedRecipe:
        """As the run was made; `totalml.run` takes it.

        Raises: RecipeError: today's code no longer takes it.
        """
        from totalml.notebook.composed import ComposedRecipe
        from totalml.runs.stored import stored_recipe

        project = open_project(self.place.project)
        command = shlex.split(self.attempt.facts["command"])[1:]
        return ComposedRecipe.of(stored_recipe(self.folder), project, command)

    @property
    def verdict(self) -> Verdict:
        """What the gates say now; they are judged again if production has moved since."""
        from totalml.gates import current_verdict

        return current_verdict(self.attempt, self.place.open_store())[0]

    @property
    def releasable(self) -> bool:
        """Whether every gate passed."""
        return self.verdict.releasable

    def model(self) -> Predictor:
        """The model of the best epoch, ready to predict."""
        from totalml.notebook.predictor import Predictor

        return Predictor.load(self._result(WEIGHTS_FILE).parent, self.recipe)

    def report(self) -> Report:
        """It shows itself in a notebook; `path` is the page."""
        from totalml.notebook.report import Report

        return Report(self._result(REPORT_FILE))

    def __repr__(self) -> str:
        facts = self.attempt.facts
        return f"{self.name} {self.run_id} attempt {self.attempt.number}, finished {facts['ended']}"

    def _result(self, name: str) -> Path:
        file = self.folder / name
        try:
            found = file_digest(file)
        except OSError as error:
            raise StoreError(f"{file} cannot be read ({error}); run the recipe again") from error
        if found != self.attempt.facts.get("results", {}).get(name):
            raise StoreError(f"{file} is not what its run wrote; run the recipe again")
        return file


def runs(
    recipe: str,
    *,
    project: str | Path | None = None,
    runs: str | Path | None = None,
    store: str | Path | None = None,
) -> list[Run]:
    """The finished runs of a recipe, the newest first; those of other places are not looked for.

    Args:
        recipe: its name.
        project: a folder of the project; None: the current one.
        runs, store: where they lie; None: as the recipes have it.
    Raises: RecipeError: there is no such recipe and no run of it, or no project.
    """
    place = find_place(open_project(project), *(None if each is None else str(each) for each in (runs, store)))
    found = finished_runs(recipe, place.runs)
    known = place.recipes()
    if not found and recipe not in known:
        hint = did_you_mean(recipe, known) or f"; there are: {', '.join(known)}"
        raise RecipeError(f"there is no recipe {recipe!r} and no run of it in {place.runs}{hint}")
    return [Run(attempt, place) for attempt in reversed(found)]
