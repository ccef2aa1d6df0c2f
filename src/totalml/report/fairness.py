"""Whether groups of people are treated alike."""

from collections.abc import Sequence
from itertools import groupby

from totalml.evaluation.fairness.record import Fairness, GroupFigure
from totalml.evaluation.record import Evaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import interval, of_hundred, percent, points, points_interval, quantity
from totalml.values.shown import counted

TITLES = {
    "selection_rate": "Says it",
    "true_positive_rate": "Says it where true",
    "false_positive_rate": "Says it where false",
    "calibration": "Too sure of it by",
}
# The same where answers are numbers.
ERROR_TITLES = {"mae": "Off by", "bias": "Says too much by"}
MOST_ROWS = 40
MOST_TOLD = 5
MOST_LABELS = 8


def told(content: ReportContent) -> Html | str:
    """The widest gap that counts, or that there is none, in one sentence for the first screen."""
    fairness = content.evaluation.fairness
    if fairness is None or not fairness.looked_at:
        return ""
    gaps = fairness.gaps()
    if not gaps:
        return f"{_columns(fairness)}: no clear difference of more than {_tolerance(fairness)}."
    return joined(tag("strong", "Does not treat all alike. "), _sentence(gaps[0], content.evaluation))


def fairness(content: ReportContent) -> Html | str:
    record = content.evaluation.fairness
    if record is None:
        return ""
    gaps = record.gaps()
    verdict = tag("strong", f"{counted(len(gaps), 'gap')} beyond that.") if gaps else joined("No gap is.")
    listed = tag("ul", *(tag("li", _sentence(one, content.evaluation)) for one in gaps[:MOST_TOLD])) if gaps else ""
    text = (
        f"Each group beside all others. A gap counts if even its nearer bound is beyond "
        f"{_tolerance(record)}, with at least {record.min_support} samples on both sides; intervals hold for all "
        f"{counted(record.looked_at, 'gap')} at once ({percent(record.confidence, 0)}). "
    )
    tables = {label: list(of_label) for label, of_label in groupby(_by_label(record), key=lambda one: one.label)}
    first = sorted(tables, key=lambda label: not any(one.counts for one in tables[label]))[:MOST_LABELS]
    shown = [_table(label, tables[label], content.evaluation) for label in first]
    if len(tables) > len(first):
        shown.append(tag("p", f"{len(tables) - len(first)} more are in metrics.json."))
    return section("fairness", "Does it treat groups alike?", tag("p", text, verdict), listed, *shown)


def gap_in_words(evaluation: Evaluation, one: GroupFigure) -> str:
    """`−20.1 points to the rest (−38.2 to −2.0)`."""
    if one.figure not in ERROR_TITLES:
        return f"{points(one.gap.value or 0.0)} points to the rest ({points_interval(one.gap)})"
    gap = quantity(one.gap.value or 0.0, evaluation.unit_of(one.label), "+")
    return f"{gap} to the rest ({interval(one.figure, one.gap)})"


def _tolerance(record: Fairness) -> str:
    if _of_errors(record.figures):
        return f"{record.tolerance:g} deviations of the truth"
    return f"{100 * record.tolerance:g} points"


def _of_errors(figures: Sequence[GroupFigure]) -> bool:
    return any(one.figure in ERROR_TITLES for one in figures)


def _error_sentence(gap: GroupFigure, unit: str) -> Html:
    value, rest = (
        quantity(each, unit, "" if gap.figure == "mae" else "+") for each in (gap.value.value or 0.0, gap.rest)
    )
    lead = "is off by" if gap.figure == "mae" else "is on average wrong by"
    return joined("For ", name_of(gap.group), " ", name_of(gap.label), f" {lead} {value}, for all others by {rest}.")


def _sentence(gap: GroupFigure, evaluation: Evaluation) -> Html:
    if gap.figure in ERROR_TITLES:
        return _error_sentence(gap, evaluation.unit_of(gap.label))
    value = gap.value.value or 0.0
    rest = gap.rest
    said, group = joined("“", name_of(gap.label), "”"), name_of(gap.group)
    if gap.figure == "calibration":
        told = joined("For ", group, " its probability of ", said, f" is off by {points(value)} points, ")
        return joined(told, f"for all others by {points(rest)}.")
    where = {"true_positive_rate": " where that is the label", "false_positive_rate": " where that is not the label"}
    lead = joined("It says ", said, where.get(gap.figure, ""), f" for {of_hundred(value, gap.count)} in ", group)
    return joined(lead, f", for {of_hundred(rest)} among all others.")


def _table(label: str, figures: list[GroupFigure], evaluation: Evaluation) -> Html:
    rows, titles = [], ERROR_TITLES if _of_errors(figures) else TITLES
    for group, of_group in groupby(sorted(figures, key=_order)[: MOST_ROWS * len(titles)], key=lambda one: one.group):
        cells = {one.figure: one for one in of_group}
        shown = [_cell(cells[name], evaluation) if name in cells else "–" for name in titles]
        rows.append([name_of(group), f"{cells[next(iter(titles))].count:,}", *shown])
    return table(f"For “{label[:60]}”", ["Group", "Samples", *titles.values()], rows, "numbers groups")


def _cell(one: GroupFigure, evaluation: Evaluation) -> Html:
    value = one.value.value or 0.0
    if one.figure in ERROR_TITLES:
        main, bounds = quantity(value, evaluation.unit_of(one.label)), interval(one.figure, one.value)
        gap = gap_in_words(evaluation, one) if one.gap.value is not None else "too few to compare"
        return joined(tag("b", main), tag("small", bounds), tag("small", tag("strong", gap) if one.counts else gap))
    main = f"{points(value)} points" if one.figure == "calibration" else percent(value)
    bounds = points_interval(one.value) if one.figure == "calibration" else interval("recall", one.value)
    gap = f"{points_interval(one.gap)} to the rest" if one.gap.value is not None else "too few to compare"
    gap_shown = tag("strong", gap) if one.counts else joined(gap)
    return joined(tag("b", main), tag("small", bounds), tag("small", gap_shown))


def _columns(fairness: Fairness) -> str:
    names = dict.fromkeys(one.column.replace("_", " ") for one in fairness.figures)
    return "By " + " and ".join(names)


def _by_label(record: Fairness) -> list[GroupFigure]:
    return sorted(record.figures, key=lambda one: one.label)


def _order(one: GroupFigure) -> tuple[str, str]:
    return one.column, one.group
