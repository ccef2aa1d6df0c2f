"""Run a small recipe for real, quietly."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

from totalml.comparison.figures import metric
from totalml.comparison.metrics import read_metrics
from totalml.runs.attempt import METRICS_FILE

if TYPE_CHECKING:
    from totalml.project import Place


def run_smoke(name: str, place: Place) -> str:
    """Returns: what it reached, in a few words.
    Raises: TotalmlError: see `totalml.errors`.
    """
    from totalml.compose import compose_recipe
    from totalml.runner import run

    where = [f"runtime.runs={place.runs}", f"runtime.store={place.store}", "runtime.progress=none"]
    recipe = compose_recipe(place.project, [f"+recipe={name}", *where, "tracking.mode=none"])
    with contextlib.redirect_stdout(io.StringIO()):  # the closing table
        folder = run(recipe)
    first, reached = next(iter(read_metrics(folder / METRICS_FILE).items()))
    return f"runs: {first} {metric(first, reached)}"
