"""How far the confidence can be trusted, what would mend it, and from where on to act."""

from collections.abc import Sequence

from totalml.evaluation.calibration.record import Calibration, CalibrationBin, Temperature, Threshold
from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.interval import Interval
from totalml.report.charts import Axes, Line, curve, dot, figure, upright
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import counted, interval, percent, points_interval


def calibration(content: ReportContent[ClassificationEvaluation]) -> Html:
    """Reliability: among predictions made with 80 % confidence, 80 % should be right."""
    evaluation = content.evaluation
    check = evaluation.confidence_check
    bins = _filled(evaluation.calibration)
    ece = percent(evaluation.metrics["ece"].value or 0.0)
    text = (
        "Predictions are grouped by how sure the model was; a dot's area is the size of its group. "
        f"Dots below the line mean too sure. Mean distance to the line (ECE): {ece}."
    )
    rows = [
        [f"{100 * one.low:.0f} to {percent(one.high, 0)}", f"{one.count:,}", percent(x), percent(y)]
        for one, (x, y) in zip(bins, _points(bins), strict=True)
    ]
    listed = table(
        "Confidence and accuracy by group", ["Confidence", "Samples", "Mean confidence", "Right"], rows, "numbers"
    )
    pair = tag("div", _reliability(evaluation, bins, ece), listed, class_="pair")
    more = [_sureness(check, evaluation), _temperature(check.temperature, evaluation)] if check else []
    threshold = [_threshold(check.threshold, evaluation)] if check and check.threshold else []
    return section("calibration", "Can its confidence be trusted?", tag("p", text), pair, *more, *threshold)


def _reliability(evaluation: ClassificationEvaluation, bins: Sequence[CalibrationBin], ece: str) -> Html:
    axes = Axes((0.0, 1.0), (0.0, 1.0), percent=True)
    perfect = Line("ideal", "as sure as it is right", [(0, 0), (1, 1)])
    measured = Line("first", "this model", _points(bins))
    check = evaluation.confidence_check
    mended = []
    if check and check.temperature.value.value is not None:
        mended = [Line("second", "after temperature scaling", _points(_filled(check.temperature.bins)))]
    most = max(one.count for one in bins)
    dots = [
        dot(
            axes.place(x, y),
            "first",
            3 + 6 * (one.count / most) ** 0.5,
            f"{counted(one.count, 'sample')}: {percent(x, 0)} sure, {percent(y, 0)} right",
        )
        for one, (x, y) in zip(bins, measured.points, strict=True)
    ]
    lines = (perfect, *mended, measured)
    return figure(
        "Confidence and being right",
        f"Reliability diagram, {len(bins)} groups of predictions. Calibration error {ece}.",
        axes,
        ("how sure the model is", "how often it is right"),
        *(curve(axes, line) for line in lines),
        *dots,
        legend=lines[::-1],
    )


def _sureness(check: Calibration, evaluation: ClassificationEvaluation) -> Html:
    sureness = check.sureness
    bounds = f"{points_interval(sureness)} points ({percent(evaluation.confidence, 0)} interval)"
    lead = "Mean confidence minus the share that is right"
    if check.off:
        verdict = tag("strong", f"beyond the {100 * check.tolerance:g} points that the recipe tolerates")
    else:
        verdict = joined(f"not clearly beyond the {100 * check.tolerance:g} points that the recipe tolerates")
    return tag("p", f"{lead}: {bounds}, ", verdict, ".")


def _temperature(temperature: Temperature, evaluation: ClassificationEvaluation) -> Html:
    title, fitted = tag("h3", "Temperature"), temperature.value
    if fitted.value is None:
        return joined(title, tag("p", f"None could be fitted: {fitted.note}."))
    bounds = f"{fitted.low:.2f} to {fitted.high:.2f}, {percent(evaluation.confidence, 0)} interval"
    text = (
        f"Divided by {fitted.value:.2f} ({bounds}), its logits would fit the validation split best; above 1 means that "
        "they are too large. Which class is likeliest stays the same, and the predictions here are not changed."
    )
    rows = [
        ["Calibration error (ECE)", percent(temperature.ece), percent(temperature.ece_scaled)],
        ["Log loss", f"{temperature.log_loss:.3f}", f"{temperature.log_loss_scaled:.3f}"],
    ]
    listed = table("On the test split", ["Figure", "As it is", "Scaled"], rows, "numbers")
    return joined(title, tag("div", tag("p", text), listed, class_="pair"))


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


def _filled(bins: Sequence[CalibrationBin]) -> list[CalibrationBin]:
    return [one for one in bins if one.count]


def _points(bins: Sequence[CalibrationBin]) -> list[tuple[float, float]]:
    return [(one.confidence or 0.0, one.accuracy or 0.0) for one in bins]
