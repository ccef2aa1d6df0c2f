"""How good the predictions on the test split are, and how sure that is."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

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

__getattr__ = lazy_exports(__name__)
