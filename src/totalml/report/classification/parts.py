"""What a report tells of a classifier."""

from collections.abc import Mapping
from typing import Any

from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.report.classification.baseline import Baseline
from totalml.report.classification.calibration import calibration
from totalml.report.classification.classes import confusion, per_class
from totalml.report.classification.gallery import gallery
from totalml.report.classification.sentences import facts, lead, purpose, verdict
from totalml.report.content import ReportContent
from totalml.report.markup import Html, name_of
from totalml.report.number_format import percent
from totalml.report.scale_bar import scale_bar
from totalml.report.task_parts import Answer

__all__ = [
    "answer",
    "baseline",
    "cards",
    "facts",
    "gallery",
    "hugging_face",
    "lead",
    "purpose",
    "scale",
    "sections",
    "titles",
    "verdict",
]

cards = ("balanced_accuracy", "f1", "auroc", "average_precision", "ece", "accuracy_against_gold")
titles = {"confusion": "Confusions", "classes": "Classes", "calibration": "Confidence"}
hugging_face = (
    "classification",
    {
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced_accuracy",
        "f1": "f1",
        "auroc": "roc_auc",
        "average_precision": "average_precision",
        "ece": "expected_calibration_error",
    },
)


def scale(content: ReportContent[ClassificationEvaluation]) -> Html:
    evaluation, simple = content.evaluation, Baseline.of(content.evaluation)
    best = evaluation.metrics.get("best_possible_accuracy")
    always = (name_of(simple.label, 24), simple.accuracy)
    return scale_bar(
        "accuracy", evaluation.metrics["accuracy"], evaluation.confidence, always, best.value if best else None
    )


def baseline(content: ReportContent[ClassificationEvaluation]) -> float:
    return Baseline.of(content.evaluation).accuracy


def answer(evaluation: ClassificationEvaluation, row: Mapping[str, Any]) -> Answer:
    label, said = row["label"], row["predicted"]
    sure = row["confidence"]
    return Answer(row["id"], label == said, label, said, f"{percent(sure, 0)} sure", -sure)


def sections(content: ReportContent[ClassificationEvaluation]) -> dict[str, Html]:
    return {
        "confusion": confusion(content),
        "classes": per_class(content),
        "calibration": calibration(content),
    }
