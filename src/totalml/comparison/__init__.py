"""What differs between two runs, recipes or revisions: each part by a function of its own, all by `compare`."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.comparison.compared import Comparison, compare
    from totalml.comparison.environment import FactChange, environment_changes, execution_changes, file_changes
    from totalml.comparison.metrics import MetricChange, metric_changes
    from totalml.comparison.side import Side, find_side, run_side
    from totalml.comparison.sources import FileChange, code_changes, load_code, save_code

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

__getattr__ = lazy_exports(__name__)
