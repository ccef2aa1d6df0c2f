"""Questions about the data that are asked before anything is trained."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.quality.class_balance import ClassBalance
    from totalml.quality.deepchecks import Deepchecks
    from totalml.quality.duplicates import Duplicates
    from totalml.quality.missing_values import MissingValues
    from totalml.quality.report import Finding, QualityReport
    from totalml.quality.run_checks import check_quality
    from totalml.quality.split_leakage import SplitLeakage
    from totalml.quality.split_sizes import SplitSizes

_HOMES = {
    "ClassBalance": "class_balance",
    "Deepchecks": "deepchecks",
    "Duplicates": "duplicates",
    "Finding": "report",
    "MissingValues": "missing_values",
    "QualityReport": "report",
    "SplitLeakage": "split_leakage",
    "SplitSizes": "split_sizes",
    "check_quality": "run_checks",
}
__all__ = [
    "ClassBalance",
    "Deepchecks",
    "Duplicates",
    "Finding",
    "MissingValues",
    "QualityReport",
    "SplitLeakage",
    "SplitSizes",
    "check_quality",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
