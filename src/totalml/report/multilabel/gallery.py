"""The pictures of the page: those with most labels wrong, and a few of every label."""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.report.multilabel.names import NONE, listed
from totalml.report.number_format import counted, percent
from totalml.report.pictures import spread, thumbnails

AT_A_GLANCE = 6
MOST_WRONG = 10
PER_LABEL = 8
# With more labels than this the grid shows those with most samples.
MOST_LABELS = 12


@dataclass(frozen=True)
class Shown:
    """One prediction, and its picture if there is one."""

    id: str
    labels: tuple[str, ...]
    predicted: tuple[str, ...]
    probabilities: dict[str, float]
    uri: str | None
    size_px: int

    @property
    def right(self) -> bool:
        return self.labels == self.predicted


@dataclass(frozen=True)
class Gallery:
    """The parts of the page that hold pictures."""

    glance: Html
    wrong: Html
    samples: Html


def gallery(content: ReportContent[MultiLabelEvaluation], budget_bytes: int) -> Gallery:
    """Draw them; all pictures together fit the budget."""
    evaluation = content.evaluation
    glance = spread(np.arange(evaluation.count), AT_A_GLANCE)
    wrong = _most_wrong(evaluation)
    grid = _of_each_label(evaluation)
    shown = iter(_shown(content, [*glance, *wrong, *chain(*grid.values())], budget_bytes))
    return Gallery(
        _glance([next(shown) for _ in glance]),
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


def _shown(content: ReportContent[MultiLabelEvaluation], places: list[int], budget_bytes: int) -> list[Shown]:
    uris: tuple[str | None, ...] = (None,) * len(places)
    size_px = 0
    if content.pictures is not None and places:
        pictures = thumbnails(content.pictures(content.rows[np.array(places)]), budget_bytes)
        uris, size_px = pictures.uris or uris, pictures.size_px
    evaluation = content.evaluation
    return [
        Shown(row["id"], tuple(row["labels"]), tuple(row["predicted"]), probabilities(evaluation, row), uri, size_px)
        for row, uri in zip(evaluation.predictions.take(places).to_pylist(), uris, strict=True)
    ]


def _glance(shown: list[Shown]) -> Html:
    """A few test samples for the first screen; nothing without pictures."""
    if not any(one.uri for one in shown):
        return joined()
    cards = [_card(one, joined("✓ " if one.right else "✗ ", name_of(listed(one.predicted), 40)), "") for one in shown]
    hint = "Some test pictures with the model's answer. ✓ every label agrees, ✗ one or more do not."
    return tag("div", tag("ul", *cards, class_="glance"), tag("p", hint, class_="hint"))


def _wrong_section(content: ReportContent[MultiLabelEvaluation], shown: list[Shown]) -> Html:
    if not shown:
        return section("wrong", "Most wrong", tag("p", f"No test {content.noun} has a wrong label."))
    text = "Most labels wrong first, then those that it was surest of. A label given may be the wrong one."
    cards = [
        _card(
            one,
            joined("says ", name_of(listed(one.predicted), 60)),
            joined("labels: ", name_of(listed(one.labels), 60)),
        )
        for one in shown
    ]
    title = f"The {counted(len(shown), content.noun)} it got most wrong"
    return section("wrong", title, tag("p", text), tag("ul", *cards, class_="cards-wrong"))


def _grid_section(content: ReportContent[MultiLabelEvaluation], grid: dict[str, list[Shown]]) -> Html:
    support = {label: each.support for label, each in content.evaluation.per_label.items()}
    without = content.evaluation.without_label
    groups = []
    for label, shown in grid.items():
        title = tag("h3", name_of(label), " ", tag("small", f"{support.get(label, without):,} in the test split"))
        cards = (_small(one, label) for one in shown)
        groups.append(tag("div", title, tag("ul", *cards, class_="grid"), class_="class"))
    left_out = len([label for label in support if support[label] and label not in grid])
    more = tag("p", f"{counted(left_out, 'rarer label')} not shown.") if left_out else ""
    text = (
        "Evenly picked from the test split among those that have the label, with how likely the model thinks it. ✓ it "
        "says the label, ✗ it does not. Of those without a label: ✓ it says none."
    )
    return section("samples", "Samples of every label", tag("p", text), *groups, more)


def _small(one: Shown, label: str) -> Html:
    if label in one.labels:
        found, remark = label in one.predicted, percent(one.probabilities[label], 0)
    else:
        found, remark = not one.predicted, listed(one.predicted)
    return _card(one, joined("✓ " if found else "✗ ", name_of(remark, 18)), "", "right" if found else "mistake")


def _card(one: Shown, first: str, second: str, class_: str | None = None) -> Html:
    alt = f"Sample {one.id[:80]}: {listed(one.labels)[:80]}; the model says {listed(one.predicted)[:80]}"
    picture = tag("img", src=one.uri, alt=alt, width=one.size_px, height=one.size_px) if one.uri else ""
    below = [tag("span", first, class_="said"), tag("span", second, class_="label") if second else ""]
    ident = tag("span", name_of(one.id, 28), class_="ident") if second else ""
    return tag("li", tag("figure", picture, tag("figcaption", *below, ident)), class_=class_, title=one.id[:160])
