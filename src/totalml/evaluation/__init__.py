"""How good the predictions on the test split are, and how sure that is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.evaluation.inputs import check_positive
    from totalml.evaluation.measure import evaluate
    from totalml.evaluation.record import CalibrationBin, Evaluation, Interval

__all__ = ["CalibrationBin", "Evaluation", "Interval", "check_positive", "evaluate"]

_HOMES = {"check_positive": "inputs", "evaluate": "measure"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'record')}"), name)
