"""The pictures of the page: those it got most wrong, and others from the lowest truth to the highest."""

from dataclasses import dataclass

import numpy as np

from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.report.number_format import THIN, counted
from totalml.report.pictures import spread, thumbnails
from totalml.report.regression.answers import answer
from totalml.report.task_parts import Answer

AT_A_GLANCE = 6
MOST_WRONG = 10
BY_VALUE = 24


@dataclass(frozen=True)
class Shown:
    """One prediction, and its picture if there is one."""

    answer: Answer
    uri: str | None
    size_px: int


@dataclass(frozen=True)
class Gallery:
    """The parts of the page that hold pictures."""

    glance: Html
    wrong: Html
    samples: Html


def gallery(content: ReportContent[RegressionEvaluation], budget_bytes: int) -> Gallery:
    """Draw them; all pictures together fit the budget."""
    evaluation = content.evaluation
    glance = spread(np.arange(evaluation.count), AT_A_GLANCE)
    wrong = [int(row) for row in np.argsort(evaluation.sample_scores(), kind="stable")[:MOST_WRONG]]
    by_value = spread(np.argsort(evaluation.column("truth")[:, 0], kind="stable"), BY_VALUE)
    shown = _shown(content, [*glance, *wrong, *by_value], budget_bytes)
    first, then = len(glance), len(glance) + len(wrong)
    return Gallery(_glance(shown[:first]), _wrong(content, shown[first:then]), _by_value(content, shown[then:]))


def _shown(content: ReportContent[RegressionEvaluation], places: list[int], budget_bytes: int) -> list[Shown]:
    uris: tuple[str | None, ...] = (None,) * len(places)
    size_px = 0
    if content.pictures is not None and places:
        pictures = thumbnails(content.pictures(content.rows[np.array(places)]), budget_bytes)
        uris, size_px = pictures.uris or uris, pictures.size_px
    rows = content.evaluation.predictions.take(places).to_pylist()
    return [Shown(answer(content.evaluation, row), uri, size_px) for row, uri in zip(rows, uris, strict=True)]


def _glance(shown: list[Shown]) -> Html:
    """A few test samples for the first screen; nothing without pictures."""
    if not any(one.uri for one in shown):
        return joined()
    cards = [_card(one, _arrow(one.answer), "") for one in shown]
    hint = tag("p", "Some test pictures: true → what the model says.", class_="hint")
    return tag("div", tag("ul", *cards, class_="glance"), hint)


def _wrong(content: ReportContent[RegressionEvaluation], shown: list[Shown]) -> Html:
    text = f"Those it is farthest off for. A wrong truth is as likely here as a hard {content.noun}."
    cards = [_card(one, joined(_arrow(one.answer)), one.answer.remark) for one in shown]
    title = f"The {counted(len(shown), content.noun)} it got most wrong"
    return section("wrong", title, tag("p", text), tag("ul", *cards, class_="cards-wrong"))


def _by_value(content: ReportContent[RegressionEvaluation], shown: list[Shown]) -> Html:
    text = (
        f"Evenly picked from the lowest {_first(content.evaluation)} to the highest: true → what the model says. "
        "A frame marks those whose truth is outside of the interval."
    )
    unit = f"{THIN}{content.evaluation.unit}"  # stands above; beside each there is no room
    cards = [
        _card(one, Html(_arrow(one.answer).replace(unit, "")), "", "right" if one.answer.right else "mistake")
        for one in shown
    ]
    return section("samples", "Samples by value", tag("p", text), tag("ul", *cards, class_="grid"))


def _first(evaluation: RegressionEvaluation) -> str:
    name = evaluation.targets[0]
    return f"{name} ({evaluation.units[name]})" if name in evaluation.units else name


def _arrow(one: Answer) -> Html:
    return joined(one.true, " → ", one.said)


def _card(one: Shown, first: str, second: str, class_: str | None = None) -> Html:
    ident = one.answer.id
    alt = f"Sample {ident[:80]}: true {one.answer.true[:60]}, the model says {one.answer.said[:60]}"
    picture = tag("img", src=one.uri, alt=alt, width=one.size_px, height=one.size_px) if one.uri else ""
    below = [tag("span", first, class_="said"), tag("span", second, class_="label") if second else ""]
    name = tag("span", name_of(ident, 28), class_="ident") if second else ""
    return tag("li", tag("figure", picture, tag("figcaption", *below, name)), class_=class_, title=ident[:160])
