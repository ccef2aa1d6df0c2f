"""How good the predictions on the test split are, and how sure that is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.evaluation.columns import Beside
    from totalml.evaluation.explanation.measure import explain
    from totalml.evaluation.explanation.record import Explanation
    from totalml.evaluation.inputs import check_before_training, check_positive
    from totalml.evaluation.light import brightness
    from totalml.evaluation.measure import evaluate
    from totalml.evaluation.out_of_distribution.measure import measure_out_of_distribution
    from totalml.evaluation.out_of_distribution.record import OutOfDistribution
    from totalml.evaluation.paired import PairedAccuracy, paired_accuracy, read_predictions
    from totalml.evaluation.record import CalibrationBin, Evaluation, Interval
    from totalml.evaluation.robustness.measure import measure_robustness
    from totalml.evaluation.robustness.record import Robustness
    from totalml.evaluation.suites.measure import ask_suites
    from totalml.evaluation.suites.record import ModelSuites

__all__ = [
    "Beside",
    "CalibrationBin",
    "Evaluation",
    "Explanation",
    "Interval",
    "ModelSuites",
    "OutOfDistribution",
    "PairedAccuracy",
    "Robustness",
    "ask_suites",
    "brightness",
    "check_before_training",
    "check_positive",
    "evaluate",
    "explain",
    "measure_out_of_distribution",
    "measure_robustness",
    "paired_accuracy",
    "read_predictions",
]

_HOMES = {
    "Beside": "columns",
    "PairedAccuracy": "paired",
    "Explanation": "explanation.record",
    "OutOfDistribution": "out_of_distribution.record",
    "Robustness": "robustness.record",
    "ModelSuites": "suites.record",
    "ask_suites": "suites.measure",
    "brightness": "light",
    "check_before_training": "inputs",
    "check_positive": "inputs",
    "evaluate": "measure",
    "paired_accuracy": "paired",
    "read_predictions": "paired",
    "explain": "explanation.measure",
    "measure_out_of_distribution": "out_of_distribution.measure",
    "measure_robustness": "robustness.measure",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'record')}"), name)
