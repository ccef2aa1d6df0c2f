"""How the model fares as time goes on: courses of series, each series in figures, error and coverage by period."""

from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.periods import Period
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.content import ReportContent
from totalml.report.forest import forest
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.moments import moment
from totalml.report.number_format import MISSING, TITLES, interval, percent, quantity
from totalml.report.number_format import figure as written
from totalml.report.regression.courses import courses, ranked

MOST_ROWS = 40
COLUMNS = ("mae", "bias", "mase", "skill", "coverage")


def over_time(content: ReportContent[RegressionEvaluation]) -> Html:
    """Nothing where all samples are of one moment, or of none."""
    evaluation = content.evaluation
    tables = [_by_period(evaluation, name) for name in evaluation.targets if evaluation.periods.get(name)]
    if not tables:
        return joined()
    text = "Figures of the test split from its beginning to its end: a forecast may be worse the further it reaches."
    each = [_each_series(evaluation)] if evaluation.per_series else []
    return section("time", "Over time", *courses(evaluation), tag("p", text), *tables, *each)


def _by_period(evaluation: RegressionEvaluation, name: str) -> Html:
    periods = evaluation.periods[name]
    head, caption = ["From", "To", "Samples", "Mean absolute error"], f"{name}, by time"
    if all(one.coverage.value is not None for one in periods):
        head, caption = [*head, "Truths inside", "Interval", "Mean width"], f"{caption}; the line is what is promised"
    least = min(one.coverage.low or 0.0 for one in periods)
    return table(caption, head, [_row(one, evaluation, name, least) for one in periods], "numbers groups")


def _row(one: Period, evaluation: RegressionEvaluation, name: str, least: float) -> list[str]:
    unit, coverage = evaluation.unit_of(name), one.coverage
    known = [moment(one.last), f"{one.count:,}", quantity(one.mae, unit)]
    if coverage.value is None or coverage.low is None or coverage.high is None:
        return [moment(one.first), *known]
    off = not coverage.low <= evaluation.promised <= coverage.high
    word = " hold too rarely" if coverage.high < evaluation.promised else " hold too often"
    return [
        tag("strong", moment(one.first), word) if off else joined(moment(one.first)),
        *known,
        joined(tag("b", percent(coverage.value)), tag("small", interval("coverage", coverage))),
        forest(coverage, evaluation.promised, least, "second" if off else "first"),
        quantity(one.width or 0.0, unit),
    ]


def _each_series(evaluation: RegressionEvaluation) -> Html:
    """The worst first."""
    names = ranked(evaluation.per_series)[::-1]
    rows = [
        [name_of(name), *(_cell(key, evaluation.per_series[name][key], evaluation.unit) for key in COLUMNS)]
        for name in names[:MOST_ROWS]
    ]
    more = f", the worst {MOST_ROWS} of {len(names):,}" if len(names) > MOST_ROWS else ""
    return table(f"Each series{more}", ["Series", *(TITLES[key] for key in COLUMNS)], rows, "numbers groups")


def _cell(name: str, metric: Interval, unit: str) -> str:
    return MISSING if metric.value is None else written(name, metric.value, unit)
