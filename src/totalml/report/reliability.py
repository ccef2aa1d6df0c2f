"""Probabilities beside what came true, and one temperature for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from totalml.evaluation.calibration.record import Calibration, CalibrationBin, Temperature
from totalml.evaluation.calibration.temperature import COLDEST, HOTTEST
from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.report.charts import Axes, Line, curve, dot, figure
from totalml.report.markup import Html, joined, section, table, tag
from totalml.report.number_format import percent, points_interval
from totalml.values.shown import counted


@dataclass(frozen=True)
class Words:
    """What probabilities are of.

    Args:
        title: of the plot.
        ideal: of the line that a perfect model follows.
        axes: what is said, and what is true.
        noun: one of what is counted.
        said, true: after a percentage, in what a dot says of itself.
        heads: of the table: the group, how many, the mean, what came true.
        caption: of the table.
        question: title of the section.
        gap: what the mean distance between said and true is called.
        unchanged: what dividing by the temperature leaves as it is.
    """

    title: str
    ideal: str
    axes: tuple[str, str]
    noun: str
    said: str
    true: str
    heads: tuple[str, str, str, str]
    caption: str
    question: str
    gap: str
    unchanged: str


def calibration_section(
    words: Words, evaluation: ClassificationEvaluation | MultiLabelEvaluation, text: str, *more: Html
) -> Html:
    """Plot and table, and what the recipe's check found.

    Args: text: stands before the calibration error.
    """
    check = evaluation.confidence_check
    ece = percent(evaluation.metrics["ece"].value or 0.0)
    mended = check.temperature if check and not _any_would_do(check.temperature) else None
    shown = [_reliability(words, evaluation.calibration, mended, ece)]
    if check:
        shown.append(_sureness(words.gap, check, evaluation.confidence))
        shown.append(_temperature(check.temperature, evaluation.confidence, words.unchanged))
    return section("calibration", words.question, tag("p", f"{text} (ECE): {ece}."), *shown, *more)


def _reliability(words: Words, bins: Sequence[CalibrationBin], mended: Temperature | None, ece: str) -> Html:
    """A plot and a table; bins without anything in them are left out."""
    bins = _filled(bins)
    rows = [
        [f"{100 * one.low:.0f} to {percent(one.high, 0)}", f"{one.count:,}", percent(x), percent(y)]
        for one, (x, y) in zip(bins, _points(bins), strict=True)
    ]
    listed = table(words.caption, list(words.heads), rows, "numbers")
    return tag("div", _plot(words, bins, mended, ece), listed, class_="pair")


def _plot(words: Words, bins: Sequence[CalibrationBin], mended: Temperature | None, ece: str) -> Html:
    axes = Axes((0.0, 1.0), (0.0, 1.0), percent=True)
    perfect = Line("ideal", words.ideal, [(0, 0), (1, 1)])
    measured = Line("first", "this model", _points(bins))
    scaled = []
    if mended and mended.value.value is not None:
        scaled = [Line("second", "after temperature scaling", _points(_filled(mended.bins)))]
    most = max(one.count for one in bins)
    dots = [
        dot(
            axes.place(x, y),
            "first",
            3 + 6 * (one.count / most) ** 0.5,
            f"{counted(one.count, words.noun)}: {percent(x, 0)} {words.said}, {percent(y, 0)} {words.true}",
        )
        for one, (x, y) in zip(bins, measured.points, strict=True)
    ]
    lines = (perfect, *scaled, measured)
    return figure(
        words.title,
        f"Reliability diagram, {len(bins)} groups of {words.noun}s. Calibration error {ece}.",
        axes,
        words.axes,
        *(curve(axes, line) for line in lines),
        *dots,
        legend=lines[::-1],
    )


def _sureness(lead: str, check: Calibration, confidence: float) -> Html:
    bounds = f"{points_interval(check.sureness)} points ({percent(confidence, 0)} interval)"
    tolerated = f"the {100 * check.tolerance:g} points that the recipe tolerates"
    verdict = tag("strong", f"beyond {tolerated}") if check.off else joined(f"not clearly beyond {tolerated}")
    return tag("p", f"{lead}: {bounds}, ", verdict, ".")


def _temperature(scaling: Temperature, confidence: float, remark: str) -> Html:
    """Args: remark: what dividing by it leaves as it is."""
    title, fitted = tag("h3", "Temperature"), scaling.value
    if fitted.value is None:
        return joined(title, tag("p", f"None could be fitted: {fitted.note}."))
    if _any_would_do(scaling):
        text = f"None is told: the validation split is too small to tell one from {COLDEST:g} from one of {HOTTEST:g}."
        return joined(title, tag("p", text))
    bounds = f"{fitted.low:.2f} to {fitted.high:.2f}, {percent(confidence, 0)} interval"
    text = (
        f"Divided by {fitted.value:.2f} ({bounds}), its logits would fit the validation split best; above 1 means that "
        f"they are too large. {remark}"
    )
    rows = [
        ["Calibration error (ECE)", percent(scaling.ece), percent(scaling.ece_scaled)],
        ["Log loss", f"{scaling.log_loss:.3f}", f"{scaling.log_loss_scaled:.3f}"],
    ]
    listed = table("On the test split", ["Figure", "As it is", "Scaled"], rows, "numbers")
    return joined(title, tag("div", tag("p", text), listed, class_="pair"))


def _any_would_do(scaling: Temperature) -> bool:
    """Whether its interval is as wide as what was searched."""
    low, high = scaling.value.low, scaling.value.high
    return low is not None and high is not None and low <= COLDEST and high >= HOTTEST


def _filled(bins: Sequence[CalibrationBin]) -> list[CalibrationBin]:
    return [one for one in bins if one.count]


def _points(bins: Sequence[CalibrationBin]) -> list[tuple[float, float]]:
    return [(one.confidence or 0.0, one.accuracy or 0.0) for one in bins]
