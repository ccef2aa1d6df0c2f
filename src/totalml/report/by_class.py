"""What a table of classes and one of labels share: figures with their intervals, notes, and who is taken for whom."""

from collections.abc import Iterable, Mapping, Sequence

from totalml.evaluation.interval import Interval
from totalml.evaluation.record import Evaluation
from totalml.report.markup import Html, joined, tag
from totalml.report.number_format import MISSING, interval, percent, title
from totalml.report.number_format import figure as written

# A wider matrix cannot be read; the most frequent confusions are listed instead.
WIDEST_MATRIX = 16
MOST_PAIRS = 20
MOST_ROWS = 60
MOST_NOTES = 40
COLUMNS = ("precision", "recall", "f1", "auroc", "average_precision")


def cells(figures: Mapping[str, Interval | int]) -> list[str]:
    """Of `COLUMNS`, each with its interval below."""
    written_out: list[str] = []
    for name in COLUMNS:
        metric = figures[name]
        if isinstance(metric, int) or metric.value is None:
            written_out.append(MISSING)
        else:
            small = tag("small", interval(name, metric)) if metric.low is not None else ""
            written_out.append(joined(tag("b", written(name, metric.value)), small))
    return written_out


def bounds(evaluation: Evaluation) -> str:
    """What the small figures are."""
    if not evaluation.resamples:
        return "No intervals were asked for"
    return f"Small figures are {percent(evaluation.confidence, 0)} bootstrap intervals"


def notes(evaluation: Evaluation, shown: Iterable[tuple[str, Mapping[str, Interval | int]]]) -> Html | str:
    """Why a figure is missing, of the whole and of each class shown."""
    found = {f"{title(name)}: {metric.note}" for name, metric in evaluation.metrics.items() if metric.note}
    for label, figures in shown:
        for name, metric in figures.items():
            if isinstance(metric, Interval) and metric.note:
                found.add(f"{title(name)} of {label[:60]}: {metric.note}")
    listed = sorted(found)[:MOST_NOTES]
    return tag("ul", *(tag("li", note) for note in listed), class_="notes") if listed else ""


def matrix(
    caption: str, corner: str, names: Sequence[Html], counts: Sequence[Sequence[int]], totals: Sequence[int]
) -> Html:
    """Args: counts: (K, K) rows are the truth; totals: (K,) what each row's shares are of."""
    head = tag("tr", tag("td", corner), *(tag("th", name, scope="col") for name in names))
    rows = []
    for k, row in enumerate(counts):
        shares = [_cell(count, totals[k], right=k == column) for column, count in enumerate(row)]
        rows.append(tag("tr", tag("th", names[k], scope="row"), *shares))
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows), class_="matrix")
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _cell(count: int, total: int, *, right: bool) -> Html:
    share = count / total if total else 0.0
    shown = percent(share, 0) if count else MISSING
    small = tag("small", f"{count:,}") if count else ""
    return tag("td", tag("b", shown), small, class_="hit" if right else "miss", style=f"--share:{share:.3f}")
