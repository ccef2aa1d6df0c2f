"""Predicted beside true, and what is left between them."""

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.charts import Axes, Line, cloud, column, curve, figure
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import quantity
from totalml.report.pictures import spread
from totalml.values.shown import counted

MOST_TARGETS = 4
MOST_POINTS = 600
MOST_BINS = 30
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SHARE_SHOWN = 0.04  # of the range, around the points


def predicted(content: ReportContent[RegressionEvaluation]) -> Html:
    """Scatter of predicted against true, and of the error against predicted."""
    evaluation = content.evaluation
    text = (
        f"Each dot is a {content.noun} of the test split; on the line, it is predicted exactly. Beside it, how far it "
        "is off: a pattern there is something that the model could still learn."
    )
    shown = [_pair(evaluation, t) for t in range(min(len(evaluation.targets), MOST_TARGETS))]
    return section("predicted", "Predicted and true", tag("p", text), *shown, _left_out(evaluation))


def errors(content: ReportContent[RegressionEvaluation]) -> Html:
    """Histogram of the errors, and their quantiles."""
    evaluation = content.evaluation
    text = "Said minus true: to the right of 0 it says too much, to the left too little."
    shown = [_histogram(evaluation, t) for t in range(min(len(evaluation.targets), MOST_TARGETS))]
    return section("errors", "How far it is off", tag("p", text), *shown, _left_out(evaluation))


def _pair(evaluation: RegressionEvaluation, t: int) -> Html:
    truth, said, unit = _values(evaluation, t)
    points = spread(np.argsort(truth, kind="stable"), MOST_POINTS)
    whole, off = _range(np.concatenate([truth, said])), _range(said - truth)
    name, count = evaluation.targets[t], counted(evaluation.count, "sample")
    both = Axes(whole, whole)
    exact = Line("ideal", "exact", [(end, end) for end in whole])
    strength = _correlation(truth, said)
    scatter = figure(
        f"{name}: predicted against true",
        f"Scatter of predicted against true {name}, {count}. Correlation {strength}.",
        both,
        (_axis("true", unit), _axis("predicted", unit)),
        curve(both, exact),
        cloud(both, [(truth[k], said[k]) for k in points]),
        legend=(exact,),
    )
    least, most = float((said - truth).min()), float((said - truth).max())
    beside = Axes(_range(said), off)
    none = Line("ideal", "exact", [(end, 0.0) for end in beside.x])
    residuals = figure(
        f"{name}: error against predicted",
        f"Scatter of the error against predicted {name}, {count}; from {quantity(least)} to {quantity(most, unit)}.",
        beside,
        (_axis("predicted", unit), _axis("said minus true", unit)),
        curve(beside, none),
        cloud(beside, [(said[k], said[k] - truth[k]) for k in points]),
        legend=(none,),
    )
    return tag("div", scatter, residuals, class_="pair")


def _histogram(evaluation: RegressionEvaluation, t: int) -> Html:
    truth, said, unit = _values(evaluation, t)
    off, name = said - truth, evaluation.targets[t]
    counts, edges = np.histogram(off, bins=min(MOST_BINS, max(1, round(len(off) ** 0.5))))
    axes = Axes((float(edges[0]), float(edges[-1])), (0.0, float(counts.max())))
    bars = [
        column(axes, low, high, count, f"{quantity(low)} to {quantity(high, unit)}: {counted(count, 'sample')}")
        for low, high, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
        if count
    ]
    quantiles = np.quantile(off, QUANTILES).tolist()
    drawn = figure(
        f"{name}: errors",
        f"Histogram of the errors of {name}; half of them lie from {quantity(quantiles[1])} to "
        f"{quantity(quantiles[3], unit)}.",
        axes,
        (_axis("said minus true", unit), "samples"),
        *bars,
    )
    rows = [
        [f"{100 * share:g} of 100 are below", quantity(value, unit, "+")]
        for share, value in zip(QUANTILES, quantiles, strict=True)
    ]
    listed = table(f"Errors of {name}", ["Share", "Said minus true"], rows, "numbers")
    return tag("div", drawn, listed, class_="pair")


def _values(evaluation: RegressionEvaluation, t: int) -> tuple[Floats, Floats, str]:
    truth, said = (evaluation.column(part)[:, t] for part in ("truth", "value"))
    return truth, said, evaluation.units.get(evaluation.targets[t], "")


def _range(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    room = SHARE_SHOWN * (high - low) or 0.5
    return low - room, high + room


def _correlation(truth: Floats, said: Floats) -> str:
    if np.ptp(truth) == 0 or np.ptp(said) == 0:
        return "undefined"
    return f"{np.corrcoef(truth, said)[0, 1]:.2f}"


def _axis(what: str, unit: str) -> str:
    return f"{what}, {unit}" if unit else what


def _left_out(evaluation: RegressionEvaluation) -> Html:
    names = evaluation.targets[MOST_TARGETS:]
    if not names:
        return joined()
    return tag("p", "Not drawn, to keep the page small: ", Html(", ".join(name_of(name) for name in names)), ".")
