"""Total ML: one recipe for the whole life of a model.

From a notebook: `totalml.run(totalml.compose("guinness", "training.epochs=5"))` and `totalml.runs("guinness")`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.notebook import compose, run, runs

__version__ = "0.1.0"
__all__ = ["compose", "run", "runs"]

_ROOMS = ("compose", "runs")  # callable


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module(f"{__name__}.{name}") if name in _ROOMS else import_module(f"{__name__}.notebook").run
