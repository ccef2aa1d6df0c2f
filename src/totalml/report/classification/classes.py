"""What is taken for what, class by class."""

import numpy as np

from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.report.by_class import COLUMNS, MOST_PAIRS, MOST_ROWS, WIDEST_MATRIX, bounds, cells, matrix, notes
from totalml.report.content import ReportContent
from totalml.report.markup import Html, name_of, section, table, tag
from totalml.report.number_format import percent, title


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
    caption = f"Confusion matrix of {evaluation.count:,} test samples"
    names = [name_of(label, 24) for label in evaluation.classes]
    totals = [sum(counts) for counts in evaluation.confusion]
    return matrix(caption, "label ↓ model →", names, evaluation.confusion, totals)


def _pairs(evaluation: ClassificationEvaluation) -> Html:
    counts = np.array(evaluation.confusion)
    wrong = counts - np.diag(np.diag(counts))
    rows = []
    for cell in np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]:
        true, said = divmod(int(cell), len(counts))
        if wrong[true, said]:
            share = percent(wrong[true, said] / counts[true].sum())
            rows.append(
                [name_of(evaluation.classes[true]), name_of(evaluation.classes[said]), f"{wrong[true, said]:,}", share]
            )
    return table("Most frequent confusions", ["Label", "Model says", "Samples", "Share of the label"], rows, "numbers")


def per_class(content: ReportContent[ClassificationEvaluation]) -> Html:
    evaluation = content.evaluation
    support = [sum(row) for row in evaluation.confusion]
    order = [int(k) for k in np.argsort([-count for count in support], kind="stable")[:MOST_ROWS]]
    labels = [evaluation.classes[k] for k in (order if len(support) > MOST_ROWS else range(len(support)))]
    figures = {label: evaluation.per_class[label] for label in labels}
    rows = [[name_of(label), f"{each['support']:,}", *cells(each)] for label, each in figures.items()]
    head = ["Class", "Samples", *(title(name) for name in COLUMNS)]
    shown = table("Each class against the rest", head, rows, "numbers")
    text = (
        "Precision: how often it is right when it says the class. Recall: how much of the class it finds. "
        f"{bounds(evaluation)}."
    )
    return section("classes", "Class by class", tag("p", text), shown, notes(evaluation, figures.items()))
