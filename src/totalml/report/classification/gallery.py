"""The pictures of the page: those it got most wrong, and a few of every class."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.classification.record import ClassificationEvaluation
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
from totalml.report.number_format import percent
from totalml.report.pictures import spread
from totalml.values.shown import counted

PER_CLASS = 8
# With more classes than this the grid shows those with most samples.
MOST_CLASSES = 12


def gallery(content: ReportContent[ClassificationEvaluation], budget_bytes: int) -> Gallery:
    """Draw them; all pictures together fit the budget."""
    evaluation = content.evaluation
    at_a_glance = spread(np.arange(evaluation.count), AT_A_GLANCE)
    wrong = _most_wrong(evaluation)
    grid = {label: _of_class(evaluation, label) for label in _classes_shown(evaluation)}
    shown = iter(drawn(content, [*at_a_glance, *wrong, *chain(*grid.values())], budget_bytes))
    return Gallery(
        _glance([next(shown) for _ in at_a_glance]),
        _wrong_section(content, [next(shown) for _ in wrong]),
        _grid_section(content, {label: [next(shown) for _ in places] for label, places in grid.items()}),
    )


def _most_wrong(evaluation: ClassificationEvaluation) -> list[int]:
    wrong = np.flatnonzero(_column(evaluation, "label") != _column(evaluation, "predicted"))
    confidence = evaluation.predictions["confidence"].to_numpy()[wrong]
    return [int(place) for place in wrong[np.argsort(-confidence, kind="stable")[:MOST_WRONG]]]


def _classes_shown(evaluation: ClassificationEvaluation) -> list[str]:
    support = [sum(row) for row in evaluation.confusion]
    most = sorted(np.argsort([-count for count in support], kind="stable")[:MOST_CLASSES])
    return [evaluation.classes[k] for k in most if support[k]]


def _of_class(evaluation: ClassificationEvaluation, label: str) -> list[int]:
    return list(spread(np.flatnonzero(_column(evaluation, "label") == label), PER_CLASS))


def _column(evaluation: ClassificationEvaluation, name: str) -> NDArray[np.object_]:
    return np.array(evaluation.predictions[name].to_pylist(), object)


def _glance(shown: list[Drawn]) -> Html:
    cards = [_card(one, joined("✓ " if _right(one) else "✗ ", name_of(one.row["predicted"], 18))) for one in shown]
    return glance(shown, cards, "Some test pictures with the model's answer. ✓ the label agrees, ✗ it does not.")


def _wrong_section(content: ReportContent[ClassificationEvaluation], shown: list[Drawn]) -> Html:
    if not shown:
        return none_wrong(f"No test {content.noun} was misjudged.")
    text = f"The mistakes it was surest of. A wrong label is as likely here as a hard {content.noun}."
    cards = [
        _card(
            one,
            joined("says ", name_of(one.row["predicted"], 24), f", {percent(one.row['confidence'], 0)} sure"),
            joined("label: ", name_of(one.row["label"], 24), _truth(one.row)),
        )
        for one in shown
    ]
    return most_wrong(content, cards, text)


def _truth(row: Mapping[str, Any]) -> Html:
    """Tells a wrong label from a wrong model, where the truth is known."""
    gold = row.get("gold")
    if gold is None:
        return joined()
    if gold == row["predicted"]:
        return joined(", which is wrong")
    return joined(", which is true") if gold == row["label"] else joined(", truly ", name_of(gold, 24))


def _grid_section(content: ReportContent[ClassificationEvaluation], grid: dict[str, list[Drawn]]) -> Html:
    support = {
        label: sum(row) for label, row in zip(content.evaluation.classes, content.evaluation.confusion, strict=True)
    }
    groups = [group(label, support[label], [_small(one) for one in shown]) for label, shown in grid.items()]
    left_out = len([label for label in support if support[label]]) - len(grid)
    more = tag("p", f"{counted(left_out, 'smaller class')} not shown.") if left_out else ""
    text = "Evenly picked from the test split by true class. ✓ it agrees with the label; ✗ it says something else."
    return section("samples", "Samples of every class", tag("p", text), *groups, more)


def _small(one: Drawn) -> Html:
    if _right(one):
        return _card(one, joined("✓ ", percent(one.row["confidence"], 0)), class_="right")
    return _card(one, joined("✗ ", name_of(one.row["predicted"], 18)), class_="mistake")


def _right(one: Drawn) -> bool:
    return bool(one.row["label"] == one.row["predicted"])


def _card(one: Drawn, first: str, second: str = "", class_: str | None = None) -> Html:
    alt = f"label {one.row['label'][:40]}, the model says {one.row['predicted'][:40]}"
    return card(one, alt, first, second, class_)
