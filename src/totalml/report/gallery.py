"""What the pictures of every task share: how samples are drawn, and the parts of the page they stand in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.report.pictures import thumbnails
from totalml.values.shown import counted

AT_A_GLANCE = 6
MOST_WRONG = 10


@dataclass(frozen=True)
class Gallery:
    """The parts of the page that hold test pictures; each may be empty."""

    glance: Html
    wrong: Html
    samples: Html


@dataclass(frozen=True)
class Drawn:
    """A row of the predictions, and its picture if there is one."""

    row: Mapping[str, Any]
    uri: str | None
    size_px: int


def drawn(content: ReportContent[Any], places: Sequence[int], budget_bytes: int) -> list[Drawn]:
    """These rows of the predictions; all their pictures together fit the budget."""
    uris: tuple[str | None, ...] = (None,) * len(places)
    size_px = 0
    if content.pictures is not None and places:
        pictures = thumbnails(content.pictures(content.rows[np.array(places)]), budget_bytes)
        uris, size_px = pictures.uris or uris, pictures.size_px
    rows = content.evaluation.predictions.take(places).to_pylist()
    return [Drawn(row, uri, size_px) for row, uri in zip(rows, uris, strict=True)]


def card(one: Drawn, alt: str, first: str, second: str = "", class_: str | None = None) -> Html:
    """Args:
    alt: what the sample is and what the model says, without its id.
    first, second: lines below the picture; with the second stands the id.
    """
    ident = one.row["id"]
    text = f"Sample {ident[:80]}: {alt}"
    picture = tag("img", src=one.uri, alt=text, width=one.size_px, height=one.size_px) if one.uri else ""
    below = [tag("span", first, class_="said"), tag("span", second, class_="label") if second else ""]
    name = tag("span", name_of(ident, 28), class_="ident") if second else ""
    return tag("li", tag("figure", picture, tag("figcaption", *below, name)), class_=class_, title=ident[:160])


def glance(shown: Sequence[Drawn], cards: Sequence[Html], hint: str) -> Html:
    """A few test samples for the first screen; nothing without pictures."""
    if not any(one.uri for one in shown):
        return joined()
    return tag("div", tag("ul", *cards, class_="glance"), tag("p", hint, class_="hint"))


def most_wrong(content: ReportContent[Any], cards: Sequence[Html], text: str) -> Html:
    title = f"The {counted(len(cards), content.noun)} it got most wrong"
    return section("wrong", title, tag("p", text), tag("ul", *cards, class_="cards-wrong"))


def none_wrong(text: str) -> Html:
    return section("wrong", "Most wrong", tag("p", text))


def group(title: str, support: int, cards: Sequence[Html]) -> Html:
    """Samples of one class or label under its name."""
    head = tag("h3", name_of(title), " ", tag("small", f"{support:,} in the test split"))
    return tag("div", head, tag("ul", *cards, class_="grid"), class_="class")
