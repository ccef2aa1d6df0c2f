"""What differs between two runs, recipes or revisions: each part by a function of its own, all by `compare`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.comparison.compared import Comparison, compare
    from totalml.comparison.environment import FactChange, environment_changes, execution_changes, file_changes
    from totalml.comparison.metrics import MetricChange, metric_changes
    from totalml.comparison.side import Side, find_side, run_side
    from totalml.comparison.sources import FileChange, code_changes, load_code, save_code

_HOME = {
    "Comparison": "compared",
    "FactChange": "environment",
    "FileChange": "sources",
    "MetricChange": "metrics",
    "Side": "side",
    "code_changes": "sources",
    "compare": "compared",
    "environment_changes": "environment",
    "execution_changes": "environment",
    "file_changes": "environment",
    "find_side": "side",
    "load_code": "sources",
    "metric_changes": "metrics",
    "run_side": "side",
    "save_code": "sources",
}

__all__ = [
    "Comparison",
    "FactChange",
    "FileChange",
    "MetricChange",
    "Side",
    "code_changes",
    "compare",
    "environment_changes",
    "execution_changes",
    "file_changes",
    "find_side",
    "load_code",
    "metric_changes",
    "run_side",
    "save_code",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"totalml.comparison.{_HOME[name]}"), name)
