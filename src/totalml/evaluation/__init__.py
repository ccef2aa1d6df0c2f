"""How good the predictions on the test split are, and how sure that is."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.evaluation.before_training import check_before_training
    from totalml.evaluation.calibration.record import CalibrationBin
    from totalml.evaluation.classification.inputs import check_positive
    from totalml.evaluation.classification.measure import evaluate
    from totalml.evaluation.columns import SampleContext
    from totalml.evaluation.explanation.measure import explain
    from totalml.evaluation.explanation.record import Explanation
    from totalml.evaluation.light import brightness
    from totalml.evaluation.out_of_distribution.measure import measure_out_of_distribution
    from totalml.evaluation.out_of_distribution.record import OutOfDistribution
    from totalml.evaluation.paired import Paired, read_evaluation
    from totalml.evaluation.parts import Given, Part, asked_and_left_out
    from totalml.evaluation.predicted import Known, Predicted
    from totalml.evaluation.record import Evaluation, Interval
    from totalml.evaluation.robustness.measure import measure_robustness
    from totalml.evaluation.robustness.record import Robustness
    from totalml.evaluation.suites.measure import ask_suites
    from totalml.evaluation.suites.record import ModelSuites

__all__ = [
    "CalibrationBin",
    "Evaluation",
    "Explanation",
    "Given",
    "Interval",
    "Known",
    "ModelSuites",
    "OutOfDistribution",
    "Paired",
    "Part",
    "Predicted",
    "Robustness",
    "SampleContext",
    "ask_suites",
    "asked_and_left_out",
    "brightness",
    "check_before_training",
    "check_positive",
    "evaluate",
    "explain",
    "measure_out_of_distribution",
    "measure_robustness",
    "read_evaluation",
]

__getattr__ = lazy_exports(__name__)
