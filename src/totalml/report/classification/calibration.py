"""How far the confidence can be trusted, what would mend it, and from where on to act."""

from totalml.evaluation.calibration.record import Threshold
from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.interval import Interval
from totalml.report.charts import Axes, Line, curve, figure, upright
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, table, tag
from totalml.report.number_format import interval, percent
from totalml.report.reliability import Words, calibration_section

WORDS = Words(
    title="Confidence and being right",
    ideal="as sure as it is right",
    axes=("how sure the model is", "how often it is right"),
    noun="sample",
    said="sure",
    true="right",
    heads=("Confidence", "Samples", "Mean confidence", "Right"),
    caption="Confidence and accuracy by group",
    question="Can its confidence be trusted?",
    gap="Mean confidence minus the share that is right",
    unchanged="Which class is likeliest stays the same, and the predictions here are not changed.",
)


def calibration(content: ReportContent[ClassificationEvaluation]) -> Html:
    """Reliability: among predictions made with 80 % confidence, 80 % should be right."""
    evaluation, check = content.evaluation, content.evaluation.confidence_check
    text = (
        "Predictions are grouped by how sure the model was; a dot's area is the size of its group. "
        "Dots below the line mean too sure. Mean distance to the line"
    )
    threshold = [_threshold(check.threshold, evaluation)] if check and check.threshold else []
    return calibration_section(WORDS, evaluation, text, *threshold)


def _threshold(threshold: Threshold, evaluation: ClassificationEvaluation) -> Html:
    positive = joined("“", name_of(threshold.positive), "”")
    never = threshold.value > 1
    rule = joined("Never say ", positive) if never else joined("Say ", positive, f" from {percent(threshold.value)} on")
    sure = f"{percent(evaluation.confidence, 0)} interval"
    lead = ": with the recipe's costs that was cheapest on the validation split. On the test split "
    text = joined(rule, lead, _saved(threshold, sure), " The predictions here are not changed.")
    rows = [
        ["True positive rate", *_rate(threshold.true_positive_rate)],
        ["False positive rate", *_rate(threshold.false_positive_rate)],
    ]
    listed = table("On the test split with this threshold", ["Figure", "Value", sure], rows, "numbers")
    pair = tag("div", _cost_curve(threshold), listed, class_="pair")
    return joined(tag("h3", "From where on to act"), tag("p", text), pair)


def _saved(threshold: Threshold, sure: str) -> str:
    saving = threshold.saving
    if saving.low == saving.high:
        return f"it changes nothing: a sample costs {threshold.cost:.3f} on average, with it or without."
    return (
        f"a sample then costs {threshold.cost:.3f} on average instead of {threshold.default_cost:.3f}; "
        f"it saves {saving.value:.3f} ({saving.low:.3f} to {saving.high:.3f}, {sure})."
    )


def _rate(rate: Interval) -> list[str]:
    return ["–", rate.note or ""] if rate.value is None else [percent(rate.value), interval("recall", rate)]


def _cost_curve(threshold: Threshold) -> Html:
    top = max(cost for _, cost in threshold.curve) or 1.0
    axes = Axes((0.0, 1.0), (0.0, top))
    line = Line("second", "validation", threshold.curve)
    chosen = min(threshold.value, 1.0)
    return figure(
        "Cost by threshold",
        f"Mean cost on the validation split by threshold; cheapest at {percent(chosen)}.",
        axes,
        ("threshold", "mean cost of a sample"),
        curve(axes, line),
        upright(axes, chosen, "chosen"),
        legend=(line,),
    )
