"""Label by label, and which labels stand together."""

from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.report.by_class import COLUMNS, MOST_PAIRS, MOST_ROWS, WIDEST_MATRIX, bounds, cells, matrix, notes
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.multilabel.names import NONE
from totalml.report.number_format import percent, title


def per_label(content: ReportContent[MultiLabelEvaluation]) -> Html:
    evaluation = content.evaluation
    order = evaluation.labels
    if len(order) > MOST_ROWS:
        order = tuple(sorted(order, key=lambda label: -evaluation.per_label[label].support)[:MOST_ROWS])
    shown = {label: evaluation.per_label[label] for label in order}
    rows = [
        [name_of(label), f"{each.support:,}", percent(each.threshold, 0), *cells(each.figures)]
        for label, each in shown.items()
    ]
    head = ["Label", "Samples", "Said from", *(title(name) for name in COLUMNS)]
    text = (
        "Precision: how often it is right when it says the label. Recall: how much of the label it finds. "
        f"{bounds(evaluation)}."
    )
    below = notes(evaluation, ((label, each.figures) for label, each in shown.items()))
    return section(
        "labels", "Label by label", tag("p", text), table("Each label by itself", head, rows, "numbers"), below
    )


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
    caption = f"Labels and answers of {evaluation.count:,} test samples"
    names = [*(name_of(label, 24) for label in evaluation.labels), joined(NONE)]
    supports = [*(each.support for each in evaluation.per_label.values()), evaluation.without_label]
    return matrix(caption, "labels ↓ model →", names, evaluation.co_occurrence, supports)


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
