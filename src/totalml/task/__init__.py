"""What a recipe can have predicted, and what that means for training, evaluation and report.

Importing a task is light; torch, numpy and the rooms that a task speaks for come when they are needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.task.classification import Classification
    from totalml.task.regression import Regression

__all__ = ["Classification", "Regression"]

_HOMES = {"Classification": "classification", "Regression": "regression"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
