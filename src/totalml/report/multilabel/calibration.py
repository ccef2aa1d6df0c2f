"""How far the probabilities of labels can be trusted, and what would mend them."""

from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html
from totalml.report.reliability import Words, calibration_section

WORDS = Words(
    title="Probability and truth",
    ideal="as likely as it says",
    axes=("how likely the model says", "how often it is true"),
    noun="answer",
    said="said",
    true="true",
    heads=("Probability", "Answers", "Mean probability", "Have the label"),
    caption="Probability and truth by group",
    question="Can its probabilities be trusted?",
    gap="Mean probability of a label minus the share that has it",
    unchanged="One number for all labels; the predictions here are not changed.",
)


def calibration(content: ReportContent[MultiLabelEvaluation]) -> Html:
    """Reliability: of the labels given 80 %, samples should have 80 %."""
    text = (
        "The probabilities of all labels of all test samples, grouped; a dot's area is the size of its group. Dots "
        "below the line: rarer than it says. Mean distance to the line, label by label"
    )
    return calibration_section(WORDS, content.evaluation, text)
