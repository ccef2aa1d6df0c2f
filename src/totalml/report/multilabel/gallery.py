"""The pictures of the page: those with most labels wrong, and a few of every label."""

from itertools import chain

import numpy as np

from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.report.content import ReportContent
from totalml.report.gallery import (
    AT_A_GLANCE,
    MOST_WRONG,
    Drawn,
    Gallery,
    card,
    drawn,
    glance,
    group,
    most_wrong,
    none_wrong,
)
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.report.multilabel.names import NONE, listed
from totalml.report.number_format import percent
from totalml.report.pictures import spread
from totalml.values.shown import counted

PER_LABEL = 8
# With more labels than this the grid shows those with most samples.
MOST_LABELS = 12


def gallery(content: ReportContent[MultiLabelEvaluation], budget_bytes: int) -> Gallery:
    """Draw them; all pictures together fit the budget."""
    evaluation = content.evaluation
    at_a_glance = spread(np.arange(evaluation.count), AT_A_GLANCE)
    wrong = _most_wrong(evaluation)
    grid = _of_each_label(evaluation)
    shown = iter(drawn(content, [*at_a_glance, *wrong, *chain(*grid.values())], budget_bytes))
    return Gallery(
        _glance([next(shown) for _ in at_a_glance]),
        _wrong_section(content, [next(shown) for _ in wrong]),
        _grid_section(content, {label: [next(shown) for _ in places] for label, places in grid.items()}),
    )


def wrongness(labels: set[str], predicted: set[str], probabilities: dict[str, float]) -> float:
    """How many labels are wrong, and among as many how sure it is of them; 0 if none is."""
    wrong = labels ^ predicted
    sure = [1 - probabilities[label] if label in labels else probabilities[label] for label in sorted(wrong)]
    return len(wrong) + sum(sure) / len(sure) if sure else 0.0


def _most_wrong(evaluation: MultiLabelEvaluation) -> list[int]:
    rows = evaluation.predictions.to_pylist()
    scores = [wrongness(set(row["labels"]), set(row["predicted"]), probabilities(evaluation, row)) for row in rows]
    order = np.argsort(-np.array(scores), kind="stable")[:MOST_WRONG]
    return [place for place in order.tolist() if scores[place]]


def probabilities(evaluation: MultiLabelEvaluation, row: dict[str, float]) -> dict[str, float]:
    """Of each label, from a row of the predictions."""
    return {label: row[f"p:{label}"] for label in evaluation.labels}


def _of_each_label(evaluation: MultiLabelEvaluation) -> dict[str, list[int]]:
    """Rows of some samples that have it; the last ones have none."""
    flags = evaluation.flags("labels")
    most = sorted(np.argsort(-flags.sum(axis=0), kind="stable")[:MOST_LABELS].tolist())
    rows = {evaluation.labels[k]: flags[:, k] for k in most} | {NONE: ~flags.any(axis=1)}
    return {label: list(spread(np.flatnonzero(has), PER_LABEL)) for label, has in rows.items() if has.any()}


def _glance(shown: list[Drawn]) -> Html:
    cards = []
    for one in shown:
        right = one.row["labels"] == one.row["predicted"]
        cards.append(_card(one, joined("✓ " if right else "✗ ", name_of(listed(one.row["predicted"]), 40))))
    return glance(
        shown, cards, "Some test pictures with the model's answer. ✓ every label agrees, ✗ one or more do not."
    )


def _wrong_section(content: ReportContent[MultiLabelEvaluation], shown: list[Drawn]) -> Html:
    if not shown:
        return none_wrong(f"No test {content.noun} has a wrong label.")
    text = "Most labels wrong first, then those that it was surest of. A label given may be the wrong one."
    cards = [
        _card(
            one,
            joined("says ", name_of(listed(one.row["predicted"]), 60)),
            joined("labels: ", name_of(listed(one.row["labels"]), 60)),
        )
        for one in shown
    ]
    return most_wrong(content, cards, text)


def _grid_section(content: ReportContent[MultiLabelEvaluation], grid: dict[str, list[Drawn]]) -> Html:
    support = {label: each.support for label, each in content.evaluation.per_label.items()}
    without = content.evaluation.without_label
    groups = [
        group(label, support.get(label, without), [_small(one, label) for one in shown])
        for label, shown in grid.items()
    ]
    left_out = len([label for label in support if support[label] and label not in grid])
    more = tag("p", f"{counted(left_out, 'rarer label')} not shown.") if left_out else ""
    text = (
        "Evenly picked from the test split among those that have the label, with how likely the model thinks it. ✓ it "
        "says the label, ✗ it does not. Of those without a label: ✓ it says none."
    )
    return section("samples", "Samples of every label", tag("p", text), *groups, more)


def _small(one: Drawn, label: str) -> Html:
    predicted = one.row["predicted"]
    if label in one.row["labels"]:
        found, remark = label in predicted, percent(one.row[f"p:{label}"], 0)
    else:
        found, remark = not predicted, listed(predicted)
    return _card(one, joined("✓ " if found else "✗ ", name_of(remark, 18)), class_="right" if found else "mistake")


def _card(one: Drawn, first: str, second: str = "", class_: str | None = None) -> Html:
    alt = f"{listed(one.row['labels'])[:80]}; the model says {listed(one.row['predicted'])[:80]}"
    return card(one, alt, first, second, class_)
