"""How far the probabilities of labels can be trusted, and what would mend them."""

from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html, section, tag
from totalml.report.number_format import percent
from totalml.report.reliability import Words, reliability, sureness, temperature

WORDS = Words(
    title="Probability and truth",
    ideal="as likely as it says",
    axes=("how likely the model says", "how often it is true"),
    noun="answer",
    said="said",
    true="true",
    heads=("Probability", "Answers", "Mean probability", "Have the label"),
    caption="Probability and truth by group",
)
UNCHANGED = "One number for all labels; the predictions here are not changed."


def calibration(content: ReportContent[MultiLabelEvaluation]) -> Html:
    """Reliability: of the labels given 80 %, samples should have 80 %."""
    evaluation, check = content.evaluation, content.evaluation.confidence_check
    ece = percent(evaluation.metrics["ece"].value or 0.0)
    text = (
        "The probabilities of all labels of all test samples, grouped; a dot's area is the size of its group. Dots "
        f"below the line: rarer than it says. Mean distance to the line, label by label (ECE): {ece}."
    )
    drawn = reliability(WORDS, evaluation.calibration, check.temperature if check else None, ece)
    more = []
    if check:
        lead = "Mean probability of a label minus the share that has it"
        more = [
            sureness(lead, check, evaluation.confidence),
            temperature(check.temperature, evaluation.confidence, UNCHANGED),
        ]
    return section("calibration", "Can its probabilities be trusted?", tag("p", text), drawn, *more)
