"""Groups of samples that the model is less often right on."""

from collections.abc import Sequence

from totalml.evaluation.record import Evaluation
from totalml.evaluation.slices.record import Slice, Slices
from totalml.report.content import ReportContent
from totalml.report.forest import forest
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import chance, counted, interval, of_hundred, percent, points, points_interval

MOST_ROWS = 40
MOST_NAMED = 20
NAME_LENGTH = 90


def less_often(evaluation: Evaluation) -> Html:
    """`; less often for age group 61+ (71 of 100)`; empty if nothing is clearly worse."""
    worse = evaluation.slices.worse()[:2] if evaluation.slices else []
    named = [joined(tag("em", _name(one)), f" ({of_hundred(one.accuracy.value or 0.0)})") for one in worse]
    return joined("; less often for ", Html(" and for ".join(named))) if named else Html("")


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
    one = worse[0]
    bounds = interval("accuracy", one.accuracy)
    return joined(
        tag("strong", "Clearly less often right for ", _name(one)),
        f": {percent(one.accuracy.value or 0.0)} of {counted(one.count, content.noun)} ({bounds}), "
        f"against {_rest(one)} of all others. {counted(len(worse), 'such group')} among {compared} compared; ",
        tag("a", "see them all", href="#slices"),
        ".",
    )


def slices(content: ReportContent) -> Html | str:
    record = content.evaluation.slices
    if record is None:
        return ""
    return section(
        "slices",
        "Where it is right less often",
        tag("p", _explained(record, content.noun)),
        _declared(record, content.evaluation),
        _found(record, content.evaluation),
        _left_out(record),
    )


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
    accuracy = evaluation.metrics[evaluation.headline].value or 0.0
    shown = found[:MOST_ROWS]
    low = min(one.accuracy.low or 0.0 for one in shown)
    head = ["Group", "Samples", "Right", "Interval", "Points to the rest", "By chance alone"]
    rows: list[list[str]] = [
        [
            tag("strong", _name(one), " is worse") if one.worse else _name(one),
            f"{one.count:,}",
            _cell(percent(one.accuracy.value or 0.0), interval("accuracy", one.accuracy)),
            forest(one.accuracy, accuracy, low, "second" if one.worse else "first"),
            _cell(points(one.gap.value or 0.0), points_interval(one.gap)),
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


def _rest(one: Slice) -> str:
    return percent((one.accuracy.value or 0.0) - (one.gap.value or 0.0))
