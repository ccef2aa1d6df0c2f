"""Groups of samples that the model is less often right on."""

from collections.abc import Sequence

from totalml.evaluation.record import Evaluation
from totalml.evaluation.slices.record import Slice, Slices
from totalml.report.content import ReportContent
from totalml.report.forest import forest
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import chance, interval, of_hundred, percent, points, points_interval, quantity
from totalml.report.number_format import figure as written
from totalml.values.shown import counted

MOST_ROWS = 40
MOST_NAMED = 20
NAME_LENGTH = 90
# Whether the figure is an error -> columns of the table.
HEADS = {
    False: ("Right", "Interval", "Points to the rest"),
    True: ("Mean error", "Interval", "More than the rest", "Bias"),
}


def less_often(evaluation: Evaluation) -> Html:
    """`; less often for age group 61+ (71 of 100)`, `; further off for ...`; empty if nothing is clearly worse."""
    record = evaluation.slices
    worse = record.worse()[:2] if record else []
    if record is None or not worse:
        return Html("")
    lead = "further off" if record.lower_is_better else "less often"
    named = [joined(tag("em", _name(one)), f" ({_short(record, one, evaluation)})") for one in worse]
    return joined(f"; {lead} for ", Html(" and for ".join(named)))


def told(content: ReportContent) -> Html | str:
    """What was looked at, in one sentence for the first screen."""
    slices = content.evaluation.slices
    if slices is None or not slices.looked_at:
        return ""
    compared = f"{counted(slices.looked_at, 'group')} of {content.noun}s"
    size = counted(content.evaluation.count, content.noun)
    worse = slices.worse()
    if not worse:
        return f"Among {compared} none is clearly harder for it, as far as {size} can tell."
    one, unit = worse[0], content.evaluation.unit
    bounds = interval(slices.figure, one.value, unit)
    value, rest = (written(slices.figure, each, unit) for each in (one.value.value or 0.0, one.rest))
    lead = "Clearly further off" if slices.lower_is_better else "Clearly less often right"
    return joined(
        tag("strong", f"{lead} for ", _name(one)),
        f": {value} {'for' if slices.lower_is_better else 'of'} {counted(one.count, content.noun)} ({bounds}), "
        f"against {rest} of all others. {counted(len(worse), 'such group')} among {compared} compared; ",
        tag("a", "see them all", href="#slices"),
        ".",
    )


def slices(content: ReportContent) -> Html | str:
    record = content.evaluation.slices
    if record is None:
        return ""
    return section(
        "slices",
        "Where it is further off" if record.lower_is_better else "Where it is right less often",
        tag("p", _explained(record, content.noun)),
        _declared(record, content.evaluation),
        _found(record, content.evaluation),
        _left_out(record),
    )


def in_words(record: Slices, one: Slice, evaluation: Evaluation, noun: str) -> str:
    """`right for 71.0 % of 40 pictures (55.0 to 83.0 %), −20.1 points to the rest (−38.2 to −2.0)`, without a name."""
    value, bounds = (
        written(record.figure, one.value.value or 0.0, evaluation.unit),
        interval(record.figure, one.value, evaluation.unit),
    )
    of = f"{'off by' if record.lower_is_better else 'right for'} {value}"
    gap, gap_bounds = _gap(record, one, evaluation)
    points_of = "" if record.lower_is_better else " points"
    samples = f"{'for' if record.lower_is_better else 'of'} {counted(one.count, noun)}"
    return f"{of} {samples} ({bounds}), {gap}{points_of} to the rest ({gap_bounds})"


def _short(record: Slices, one: Slice, evaluation: Evaluation) -> str:
    value = one.value.value or 0.0
    return written(record.figure, value, evaluation.unit) if record.lower_is_better else of_hundred(value, one.count)


def _gap(record: Slices, one: Slice, evaluation: Evaluation) -> tuple[str, str]:
    """The gap, and its bounds."""
    if not record.lower_is_better:
        return points(one.gap.value or 0.0), points_interval(one.gap)
    return quantity(one.gap.value or 0.0, evaluation.unit, "+"), interval(record.figure, one.gap)


def _explained(record: Slices, noun: str) -> str:
    return (
        f"Each group of {noun}s beside all others, groups of at least {record.min_support}. A group is called worse "
        f"only if chance alone makes such a gap in fewer than {percent(record.error_rate, 0)} of evaluations, however "
        f"many groups were looked at. Intervals hold for all groups of a table at once "
        f"({percent(record.confidence, 0)})."
    )


def _declared(record: Slices, evaluation: Evaluation) -> Html:
    if not record.declared:
        return Html("")
    caption = f"{counted(len(record.declared), 'group')} that the recipe names"
    return joined(tag("h3", "Groups that the recipe names"), _table(caption, record.declared, evaluation))


def _found(record: Slices, evaluation: Evaluation) -> Html:
    if not record.searched:
        return Html("")
    tried = f"{counted(record.searched, 'group')} and combinations of two were searched"
    worse = any(one.worse for one in record.found)
    text = (
        f"{tried}; those that are worse, beyond what the ones above them explain."
        if worse
        else f"{tried}; none is worse than chance explains. These came closest."
    )
    shown = _table("Groups found by searching", record.found, evaluation)
    return joined(tag("h3", "Groups found by searching"), tag("p", text), shown)


def _table(caption: str, found: Sequence[Slice], evaluation: Evaluation) -> Html:
    record = evaluation.slices
    assert record is not None  # noqa: S101 - whoever has slices has their record
    # A share of right answers is the headline of its task, whatever that calls it.
    whole = evaluation.metrics.get(record.figure, evaluation.metrics[evaluation.headline]).value or 0.0
    shown = found[:MOST_ROWS]
    low = min(one.value.low or 0.0 for one in shown)
    most = max(one.value.high or 0.0 for one in shown) if record.lower_is_better else 1.0
    head = ["Group", "Samples", *HEADS[record.lower_is_better], "By chance alone"]
    rows: list[list[str]] = [
        [
            tag("strong", _name(one), " is worse") if one.worse else _name(one),
            f"{one.count:,}",
            _cell(
                written(record.figure, one.value.value or 0.0, evaluation.unit),
                interval(record.figure, one.value, evaluation.unit),
            ),
            forest(one.value, whole, low, "second" if one.worse else "first", most),
            _cell(*_gap(record, one, evaluation)),
            *(
                [_cell(quantity(one.bias.value or 0.0, evaluation.unit, "+"), interval("bias", one.bias))]
                if one.bias
                else []
            ),
            chance(one.p),
        ]
        for one in shown
    ]
    if len(found) > len(shown):
        caption += f", the {len(shown)} with the widest gaps; all are in metrics.json"
    return table(f"{caption}; the upright line is all samples", head, rows, "numbers groups")


def _cell(value: str, bounds: str) -> Html:
    return joined(tag("b", value), tag("small", bounds))


def _left_out(record: Slices) -> Html:
    notes: list[str] = []
    if record.too_small:
        names = [name_of(name) for name in record.too_small[:MOST_NAMED]]
        more = len(record.too_small) - len(names)
        rest = f" and {more} more" if more else ""
        notes.append(joined(f"Fewer than {record.min_support} samples: ", Html(", ".join(names)), rest, "."))
    for name, why in list(record.left_out.items())[:MOST_NAMED]:
        notes.append(joined("Not searched: ", name_of(name), f", because {why}."))
    return tag("ul", *(tag("li", note) for note in notes), class_="notes") if notes else Html("")


def _name(one: Slice) -> Html:
    return name_of(one.name, NAME_LENGTH)
