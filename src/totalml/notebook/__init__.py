"""Recipes and runs from Python, as in a notebook: compose, run, look at what was found, ask the model.

`import totalml` offers these names; nothing is imported before one of them is used, torch only by a run or a model.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.notebook.composed import ComposedRecipe, compose
    from totalml.notebook.finished_run import Run, runs
    from totalml.notebook.metrics import Metrics
    from totalml.notebook.predictor import Predictor
    from totalml.notebook.report import Report
    from totalml.notebook.running import run

__all__ = ["ComposedRecipe", "Metrics", "Predictor", "Report", "Run", "compose", "run", "runs"]

_HOMES = {
    "ComposedRecipe": "composed",
    "Metrics": "metrics",
    "Predictor": "predictor",
    "Report": "report",
    "Run": "finished_run",
    "compose": "composed",
    "run": "running",
    "runs": "finished_run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
