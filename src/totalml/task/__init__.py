"""What a recipe can have predicted, and what that means for training, evaluation and report.

Importing a task is light; torch, numpy and the rooms that a task speaks for come when they are needed.
"""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.task.classification import Classification
    from totalml.task.multilabel import MultiLabel
    from totalml.task.regression import Regression

__all__ = ["Classification", "MultiLabel", "Regression"]

__getattr__ = lazy_exports(__name__)
