"""How good the predictions on the test split are, and how sure that is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.evaluation.columns import Beside
    from totalml.evaluation.inputs import check_before_training, check_positive
    from totalml.evaluation.light import brightness
    from totalml.evaluation.measure import evaluate
    from totalml.evaluation.out_of_distribution.measure import measure_out_of_distribution
    from totalml.evaluation.out_of_distribution.record import OutOfDistribution
    from totalml.evaluation.record import CalibrationBin, Evaluation, Interval
    from totalml.evaluation.robustness.measure import measure_robustness
    from totalml.evaluation.robustness.record import Robustness

__all__ = [
    "Beside",
    "CalibrationBin",
    "Evaluation",
    "Interval",
    "OutOfDistribution",
    "Robustness",
    "brightness",
    "check_before_training",
    "check_positive",
    "evaluate",
    "measure_out_of_distribution",
    "measure_robustness",
]

_HOMES = {
    "Beside": "columns",
    "OutOfDistribution": "out_of_distribution.record",
    "Robustness": "robustness.record",
    "brightness": "light",
    "check_before_training": "inputs",
    "check_positive": "inputs",
    "evaluate": "measure",
    "measure_out_of_distribution": "out_of_distribution.measure",
    "measure_robustness": "robustness.measure",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'record')}"), name)
