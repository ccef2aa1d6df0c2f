"""How good the predictions on the test split are, and how sure that is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.evaluation.columns import Beside
    from totalml.evaluation.explanation.measure import explain
    from totalml.evaluation.explanation.record import Explanation
    from totalml.evaluation.inputs import check_before_training, check_positive
    from totalml.evaluation.light import brightness
    from totalml.evaluation.measure import evaluate
    from totalml.evaluation.paired import PairedAccuracy, paired_accuracy, read_predictions
    from totalml.evaluation.record import CalibrationBin, Evaluation, Interval

__all__ = [
    "Beside",
    "CalibrationBin",
    "Evaluation",
    "Explanation",
    "Interval",
    "PairedAccuracy",
    "brightness",
    "check_before_training",
    "check_positive",
    "evaluate",
    "explain",
    "paired_accuracy",
    "read_predictions",
]

_HOMES = {
    "Beside": "columns",
    "PairedAccuracy": "paired",
    "Explanation": "explanation.record",
    "brightness": "light",
    "check_before_training": "inputs",
    "check_positive": "inputs",
    "evaluate": "measure",
    "paired_accuracy": "paired",
    "read_predictions": "paired",
    "explain": "explanation.measure",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'record')}"), name)
