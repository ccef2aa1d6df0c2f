"""How good the predictions on the test split are, and how sure that is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.evaluation.columns import Beside
    from totalml.evaluation.inputs import check_before_training, check_positive
    from totalml.evaluation.light import brightness
    from totalml.evaluation.measure import evaluate
    from totalml.evaluation.record import CalibrationBin, Evaluation, Interval
    from totalml.evaluation.suites.measure import ask_suites
    from totalml.evaluation.suites.record import ModelSuites

__all__ = [
    "Beside",
    "CalibrationBin",
    "Evaluation",
    "Interval",
    "ModelSuites",
    "ask_suites",
    "brightness",
    "check_before_training",
    "check_positive",
    "evaluate",
]

_HOMES = {
    "Beside": "columns",
    "ModelSuites": "suites.record",
    "ask_suites": "suites.measure",
    "brightness": "light",
    "check_before_training": "inputs",
    "check_positive": "inputs",
    "evaluate": "measure",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'record')}"), name)
