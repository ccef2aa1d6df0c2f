"""Label by label, and which labels stand together."""

from totalml.evaluation.multilabel.record import LabelFigures, MultiLabelEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.multilabel.names import NONE
from totalml.report.number_format import MISSING, interval, percent, title
from totalml.report.number_format import figure as written

# A wider matrix cannot be read; the most frequent confusions are listed in its place.
WIDEST_MATRIX = 16
MOST_PAIRS = 20
MOST_LABELS = 60
MOST_NOTES = 40
COLUMNS = ("precision", "recall", "f1", "auroc", "average_precision")


def per_label(content: ReportContent[MultiLabelEvaluation]) -> Html:
    evaluation = content.evaluation
    order = evaluation.labels
    if len(order) > MOST_LABELS:
        order = tuple(sorted(order, key=lambda label: -evaluation.per_label[label].support)[:MOST_LABELS])
    rows = [[name_of(label), *_cells(evaluation.per_label[label])] for label in order]
    head = ["Label", "Samples", "Said from", *(title(name) for name in COLUMNS)]
    bounds = (
        f"Small figures are {percent(evaluation.confidence, 0)} bootstrap intervals"
        if evaluation.resamples
        else "No intervals were asked for"
    )
    text = f"Precision: how often it is right when it says the label. Recall: how much of the label it finds. {bounds}."
    shown = table("Each label by itself", head, rows, "numbers")
    return section("labels", "Label by label", tag("p", text), shown, _notes(evaluation, order))


def _cells(label: LabelFigures) -> list[str]:
    cells: list[str] = [f"{label.support:,}", percent(label.threshold, 0)]
    for name in COLUMNS:
        metric = label.figures[name]
        small = tag("small", interval(name, metric)) if metric.low is not None else ""
        cells.append(MISSING if metric.value is None else joined(tag("b", written(name, metric.value)), small))
    return cells


def _notes(evaluation: MultiLabelEvaluation, labels: tuple[str, ...]) -> Html | str:
    found = {f"{title(name)}: {metric.note}" for name, metric in evaluation.metrics.items() if metric.note}
    for label in labels:
        for name, metric in evaluation.per_label[label].figures.items():
            if metric.note:
                found.add(f"{title(name)} of {label[:60]}: {metric.note}")
    notes = sorted(found)[:MOST_NOTES]
    return tag("ul", *(tag("li", note) for note in notes), class_="notes") if notes else ""


def together(content: ReportContent[MultiLabelEvaluation]) -> Html:
    evaluation = content.evaluation
    if len(evaluation.labels) > WIDEST_MATRIX:
        text, shown = "Labels that are missed where another is wrongly said, most frequent first.", _pairs(evaluation)
    else:
        text = (
            "Rows are the labels that samples have, columns what the model says of these samples; each cell has the "
            "share of its row and the count. A sample with two labels counts in two rows, and what is said of it in "
            "each, so that a cell beside the diagonal need not be a mistake."
        )
        shown = _matrix(evaluation)
    return section("together", "What is said together with what", tag("p", text), shown)


def _matrix(evaluation: MultiLabelEvaluation) -> Html:
    names = [*(name_of(label, 24) for label in evaluation.labels), joined(NONE)]
    supports = [*(each.support for each in evaluation.per_label.values()), evaluation.without_label]
    head = tag("tr", tag("td", "labels ↓ model →"), *(tag("th", name, scope="col") for name in names))
    rows = []
    for k, counts in enumerate(evaluation.co_occurrence):
        cells = [_cell(count, supports[k], right=k == column) for column, count in enumerate(counts)]
        rows.append(tag("tr", tag("th", names[k], scope="row"), *cells))
    caption = f"Labels and answers of {evaluation.count:,} test samples"
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows), class_="matrix")
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _cell(count: int, support: int, *, right: bool) -> Html:
    share = count / support if support else 0.0
    shown = percent(share, 0) if count else MISSING
    small = tag("small", f"{count:,}") if count else ""
    return tag("td", tag("b", shown), small, class_="hit" if right else "miss", style=f"--share:{share:.3f}")


def _pairs(evaluation: MultiLabelEvaluation) -> Html:
    labels = evaluation.labels
    pairs = [
        (count, true, said)
        for true, counts in zip(labels, evaluation.taken_for, strict=True)
        for said, count in zip(labels, counts, strict=True)
        if count
    ]
    pairs.sort(key=lambda pair: -pair[0])
    rows: list[list[str]] = [[name_of(true), name_of(said), f"{count:,}"] for count, true, said in pairs[:MOST_PAIRS]]
    return table("Most frequent confusions", ["Missed", "Wrongly said", "Samples"], rows, "numbers")
