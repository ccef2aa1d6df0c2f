"""Whether the intervals hold the truth as often as promised, and for which answers they do not."""

from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.evaluation.regression.thirds import Third
from totalml.report.content import ReportContent
from totalml.report.forest import forest
from totalml.report.markup import Html, joined, section, table, tag
from totalml.report.number_format import MISSING, TITLES, interval, percent, quantity
from totalml.report.number_format import figure as written

WORDS = ("low", "middle", "high")
COLUMNS = ("mae", "bias", "rmse", "r2", "mase", "skill", "coverage", "interval_width")


def intervals(content: ReportContent[RegressionEvaluation]) -> Html:
    """Coverage overall, and by third of what was said."""
    evaluation = content.evaluation
    coverage = evaluation.metrics["coverage"]
    if coverage.value is None:
        text = f"There are none: {coverage.note or 'no validation sample'}."
        return section("intervals", "Do its intervals hold?", tag("p", text))
    text = (
        f"Each answer comes with an interval that is to hold the truth for {percent(evaluation.promised, 0)} of "
        f"{content.noun}s like those of the validation split, by which it was made (split conformal). It held for "
        f"{percent(coverage.value)} of the test split. The promise is about all of them together, so look at the "
        "thirds: small, middle and large answers."
    )
    return section("intervals", "Do its intervals hold?", tag("p", text), *_tables(evaluation))


def _tables(evaluation: RegressionEvaluation) -> list[Html]:
    head = ["Answers", "From and to", "Samples", "Truths inside", "Interval", "Mean width"]
    return [
        table(
            f"{name}, by what was said; the upright line is what is promised",
            head,
            [_row(word, one, evaluation, name) for word, one in zip(WORDS, evaluation.thirds[name], strict=False)],
            "numbers groups",
        )
        for name in evaluation.targets
        if evaluation.thirds[name]
    ]


def _row(word: str, one: Third, evaluation: RegressionEvaluation, name: str) -> list[str]:
    unit, coverage = evaluation.units.get(name, ""), one.coverage
    low, high = coverage.low or 0.0, coverage.high or 1.0
    off = not low <= evaluation.promised <= high
    least = min(part.coverage.low or 0.0 for part in evaluation.thirds[name])
    return [
        tag("strong", word, " hold too rarely" if high < evaluation.promised else " hold too often")
        if off
        else joined(word),
        f"{quantity(one.low)} to {quantity(one.high, unit)}",
        f"{one.count:,}",
        joined(tag("b", percent(coverage.value or 0.0)), tag("small", interval("coverage", coverage))),
        forest(coverage, evaluation.promised, least, "second" if off else "first"),
        quantity(one.width, unit),
    ]


def targets(content: ReportContent[RegressionEvaluation]) -> Html | str:
    """Every figure of every target in its own unit; nothing where there is one target."""
    evaluation = content.evaluation
    if not evaluation.several:
        return ""
    rows = [
        [joined(name), *(_cell(key, figures[key], evaluation.units.get(name, "")) for key in COLUMNS)]
        for name, figures in evaluation.per_target.items()
    ]
    head = ["Target", *(TITLES[key] for key in COLUMNS)]
    text = (
        "Each in its own unit. The figures of the first screen are the mean over the targets, in deviations of the "
        "training truth where a figure has a unit."
    )
    return section("targets", "Each target", tag("p", text), table("Figures by target", head, rows, "numbers groups"))


def _cell(name: str, metric: Interval, unit: str) -> str:
    if metric.value is None:
        return joined(MISSING, tag("small", metric.note or ""))
    return joined(tag("b", written(name, metric.value, unit)), tag("small", interval(name, metric, unit)))
