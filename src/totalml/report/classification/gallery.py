"""The pictures of the page: those it got most wrong, and a few of every class."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.report.number_format import counted, percent
from totalml.report.pictures import spread, thumbnails

AT_A_GLANCE = 6
MOST_WRONG = 10
PER_CLASS = 8
# With more classes than this the grid shows those with most samples.
MOST_CLASSES = 12


@dataclass(frozen=True)
class Shown:
    """One prediction, and its picture if there is one."""

    id: str
    label: str
    predicted: str
    confidence: float
    gold: str | None
    uri: str | None
    size_px: int


@dataclass(frozen=True)
class Gallery:
    """The parts of the page that hold pictures."""

    glance: Html
    wrong: Html
    samples: Html


def gallery(content: ReportContent[ClassificationEvaluation], budget_bytes: int) -> Gallery:
    """Draw them; all pictures together fit the budget."""
    evaluation = content.evaluation
    glance = spread(np.arange(evaluation.count), AT_A_GLANCE)
    wrong = _most_wrong(evaluation)
    grid = {label: _of_class(evaluation, label) for label in _classes_shown(evaluation)}
    shown = iter(_shown(content, [*glance, *wrong, *chain(*grid.values())], budget_bytes))
    return Gallery(
        _glance([next(shown) for _ in glance]),
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


def _shown(content: ReportContent[ClassificationEvaluation], places: list[int], budget_bytes: int) -> list[Shown]:
    uris: tuple[str | None, ...] = (None,) * len(places)
    size_px = 0
    if content.pictures is not None and places:
        pictures = thumbnails(content.pictures(content.rows[np.array(places)]), budget_bytes)
        uris, size_px = pictures.uris or uris, pictures.size_px
    rows = content.evaluation.predictions.take(places).to_pylist()
    return [
        Shown(row["id"], row["label"], row["predicted"], row["confidence"], row.get("gold"), uri, size_px)
        for row, uri in zip(rows, uris, strict=True)
    ]


def _glance(shown: list[Shown]) -> Html:
    """A few test samples for the first screen; nothing without pictures."""
    if not any(one.uri for one in shown):
        return joined()
    cards = [
        _card(one, joined("✓ " if one.label == one.predicted else "✗ ", name_of(one.predicted, 18)), "")
        for one in shown
    ]
    hint = tag("p", "Some test pictures with the model's answer. ✓ the label agrees, ✗ it does not.", class_="hint")
    return tag("div", tag("ul", *cards, class_="glance"), hint)


def _wrong_section(content: ReportContent[ClassificationEvaluation], shown: list[Shown]) -> Html:
    if not shown:
        return section("wrong", "Most wrong", tag("p", f"No test {content.noun} was misjudged."))
    text = f"The mistakes it was surest of. A wrong label is as likely here as a hard {content.noun}."
    cards = [
        _card(
            one,
            joined("says ", name_of(one.predicted, 24), f", {percent(one.confidence, 0)} sure"),
            joined("label: ", name_of(one.label, 24), _truth(one)),
        )
        for one in shown
    ]
    return section(
        "wrong",
        f"The {counted(len(shown), content.noun)} it got most wrong",
        tag("p", text),
        tag("ul", *cards, class_="cards-wrong"),
    )


def _truth(one: Shown) -> Html:
    """Tells a wrong label from a wrong model, where the truth is known."""
    if one.gold is None:
        return joined()
    if one.gold == one.predicted:
        return joined(", which is wrong")
    return joined(", which is true") if one.gold == one.label else joined(", truly ", name_of(one.gold, 24))


def _grid_section(content: ReportContent[ClassificationEvaluation], grid: dict[str, list[Shown]]) -> Html:
    support = {
        label: sum(row) for label, row in zip(content.evaluation.classes, content.evaluation.confusion, strict=True)
    }
    groups = []
    for label, shown in grid.items():
        title = tag("h3", name_of(label), " ", tag("small", f"{support[label]:,} in the test split"))
        groups.append(tag("div", title, tag("ul", *(_small(one) for one in shown), class_="grid"), class_="class"))
    left_out = len([label for label in support if support[label]]) - len(grid)
    more = tag("p", f"{counted(left_out, 'smaller class')} not shown.") if left_out else ""
    text = "Evenly picked from the test split by true class. ✓ it agrees with the label; ✗ it says something else."
    return section("samples", "Samples of every class", tag("p", text), *groups, more)


def _small(one: Shown) -> Html:
    right = one.label == one.predicted
    said = joined("✓ ", percent(one.confidence, 0)) if right else joined("✗ ", name_of(one.predicted, 18))
    return _card(one, said, "", "right" if right else "mistake")


def _card(one: Shown, first: str, second: str, class_: str | None = None) -> Html:
    alt = f"Sample {one.id[:80]}: label {one.label[:40]}, the model says {one.predicted[:40]}"
    picture = tag("img", src=one.uri, alt=alt, width=one.size_px, height=one.size_px) if one.uri else ""
    below = [tag("span", first, class_="said"), tag("span", second, class_="label") if second else ""]
    ident = tag("span", name_of(one.id, 28), class_="ident") if second else ""
    return tag("li", tag("figure", picture, tag("figcaption", *below, ident)), class_=class_, title=one.id[:160])
