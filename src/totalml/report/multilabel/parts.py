"""What a report tells of a model of labels."""

from collections.abc import Mapping
from typing import Any

from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html
from totalml.report.multilabel.baseline import Baseline
from totalml.report.multilabel.calibration import calibration
from totalml.report.multilabel.gallery import gallery, probabilities, wrongness
from totalml.report.multilabel.labels import per_label, together
from totalml.report.multilabel.names import listed
from totalml.report.multilabel.sentences import facts, lead, purpose, verdict
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

cards = ("hamming_accuracy", "f1_macro", "f1_micro", "auroc_macro", "average_precision_macro", "ece")
titles = {"labels": "Labels", "together": "Together", "calibration": "Probabilities"}
hugging_face = (
    "classification",
    {
        "exact_match": "exact_match",
        "f1_macro": "f1",
        "auroc_macro": "roc_auc",
        "average_precision_macro": "average_precision",
        "ece": "expected_calibration_error",
    },
)


def scale(content: ReportContent[MultiLabelEvaluation]) -> Html:
    evaluation, simple = content.evaluation, Baseline.of(content.evaluation)
    always = (simple.title, simple.exact_match)
    return scale_bar("exact_match", evaluation.metrics["exact_match"], evaluation.confidence, always, None)


def baseline(content: ReportContent[MultiLabelEvaluation]) -> float:
    return Baseline.of(content.evaluation).exact_match


def answer(evaluation: MultiLabelEvaluation, row: Mapping[str, Any]) -> Answer:
    labels, said = row["labels"], row["predicted"]
    wrong = len(set(labels) ^ set(said))
    remark = f"{wrong} of {len(evaluation.labels)} labels wrong" if wrong else "every label right"
    order = -wrongness(set(labels), set(said), probabilities(evaluation, dict(row)))
    return Answer(row["id"], not wrong, listed(labels), listed(said), remark, order)


def sections(content: ReportContent[MultiLabelEvaluation]) -> dict[str, Html]:
    return {"labels": per_label(content), "together": together(content), "calibration": calibration(content)}
