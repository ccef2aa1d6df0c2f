"""What is taken for what, class by class."""

import numpy as np

from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.interval import Interval
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import MISSING, TITLES, interval, percent
from totalml.report.number_format import figure as written

# A wider matrix cannot be read; the most frequent confusions are listed instead.
WIDEST_MATRIX = 16
MOST_PAIRS = 20
MOST_CLASSES = 60
COLUMNS = ("precision", "recall", "f1", "auroc", "average_precision")


def confusion(content: ReportContent[ClassificationEvaluation]) -> Html:
    evaluation = content.evaluation
    if len(evaluation.classes) > WIDEST_MATRIX:
        shown = _pairs(evaluation)
        text = "How often samples of one class are taken for another, most frequent first."
    else:
        shown = _matrix(evaluation)
        text = "Rows are the labels, columns what the model says; each cell has the share of its row and the count."
    return section("confusion", "What is taken for what", tag("p", text), shown)


def _matrix(evaluation: ClassificationEvaluation) -> Html:
    names = [name_of(label, 24) for label in evaluation.classes]
    head = tag("tr", tag("td", "label ↓ model →"), *(tag("th", name, scope="col") for name in names))
    rows = []
    for k, counts in enumerate(evaluation.confusion):
        cells = [_cell(count, sum(counts), right=k == column) for column, count in enumerate(counts)]
        rows.append(tag("tr", tag("th", names[k], scope="row"), *cells))
    caption = f"Confusion matrix of {evaluation.count:,} test samples"
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *rows), class_="matrix")
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _cell(count: int, total: int, *, right: bool) -> Html:
    share = count / total if total else 0.0
    shown = percent(share, 0) if count else MISSING
    return tag(
        "td",
        tag("b", shown),
        tag("small", f"{count:,}") if count else "",
        class_="hit" if right else "miss",
        style=f"--share:{share:.3f}",
    )


def _pairs(evaluation: ClassificationEvaluation) -> Html:
    matrix = np.array(evaluation.confusion)
    wrong = matrix - np.diag(np.diag(matrix))
    rows = []
    for cell in np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]:
        true, said = divmod(int(cell), len(matrix))
        if wrong[true, said]:
            share = percent(wrong[true, said] / matrix[true].sum())
            rows.append(
                [name_of(evaluation.classes[true]), name_of(evaluation.classes[said]), f"{wrong[true, said]:,}", share]
            )
    return table("Most frequent confusions", ["Label", "Model says", "Samples", "Share of the label"], rows, "numbers")


def per_class(content: ReportContent[ClassificationEvaluation]) -> Html:
    evaluation = content.evaluation
    support = [sum(row) for row in evaluation.confusion]
    order = [int(k) for k in np.argsort([-count for count in support], kind="stable")[:MOST_CLASSES]]
    labels = [evaluation.classes[k] for k in (order if len(support) > MOST_CLASSES else range(len(support)))]
    rows = [[name_of(label), *_figures(evaluation.per_class[label])] for label in labels]
    shown = table(
        "Each class against the rest", ["Class", "Samples", *(TITLES[name] for name in COLUMNS)], rows, "numbers"
    )
    bounds = (
        f"Small figures are {percent(evaluation.confidence, 0)} bootstrap intervals"
        if evaluation.resamples
        else "No intervals were asked for"
    )
    text = f"Precision: how often it is right when it says the class. Recall: how much of the class it finds. {bounds}."
    return section("classes", "Class by class", tag("p", text), shown, _notes(evaluation, labels))


def _figures(figures: dict[str, Interval | int]) -> list[str]:
    cells: list[str] = [f"{figures['support']:,}"]
    for name in COLUMNS:
        metric = figures[name]
        if isinstance(metric, int) or metric.value is None:
            cells.append(MISSING)
        else:
            small = tag("small", interval(name, metric)) if metric.low is not None else ""
            cells.append(joined(tag("b", written(name, metric.value)), small))
    return cells


def _notes(evaluation: ClassificationEvaluation, labels: list[str]) -> Html | str:
    found = {f"{TITLES[name]}: {metric.note}" for name, metric in evaluation.metrics.items() if metric.note}
    for label in labels:
        for name in COLUMNS:
            metric = evaluation.per_class[label][name]
            if isinstance(metric, Interval) and metric.note:
                found.add(f"{TITLES[name]} of {label[:60]}: {metric.note}")
    notes = sorted(found)[:40]
    return tag("ul", *(tag("li", note) for note in notes), class_="notes") if notes else ""
