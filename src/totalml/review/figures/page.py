"""The figures of a team as one page, without network or script: what is so, how sure that is, and of whom it is."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from totalml.report.charts import Axes, Line, curve, dot, figure, spread
from totalml.report.document import document
from totalml.report.forest import forest
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.moments import day_of
from totalml.report.number_format import MISSING, of_hundred, percent
from totalml.review.figures.reasons import SIDE
from totalml.review.figures.rows import Row, accuracy_rows, agreement_rows, plan_rows, reason_rows
from totalml.review.figures.text import ACCURACY_WORDS, GOLD_WORDS, bounds, plan_words, remarks, value
from totalml.values.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from totalml.review.figures.changes import Week
    from totalml.review.figures.figures import TeamFigures

TITLES = {
    "summary": "Summary",
    "accuracy": "Live accuracy",
    "plan": "The plan",
    "agreement": "Agreement",
    "reviewers": "Reviewers",
    "reasons": "Reasons",
}
ROOM = "totalml.review.figures"  # of style.css


def write_figures(path: Path, figures: TeamFigures) -> Path:
    """Write it, whole or not at all. Raises: StoreError: the folder cannot be written, or the disk is full."""
    from totalml.store.atomic import explained, write_atomically

    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, figures_html(figures).encode())
    return path


def figures_html(figures: TeamFigures) -> Html:
    """A whole page."""
    parts: dict[str, Html | str] = {
        "summary": _summary(figures),
        "accuracy": _accuracy(figures),
        "plan": _plan(figures),
        "agreement": _agreement(figures),
        "reviewers": _reviewers(figures),
        "reasons": _reasons(figures),
    }
    since, until = (datetime.fromisoformat(each) for each in (figures.since, figures.until))
    span = f"{day_of(since)} to {day_of(until)}"
    heading = f"What people say of {figures.model}"
    header = tag("header", tag("p", f"Total ML · review · {span}", class_="eyebrow"), tag("h1", heading))
    return document(heading, header, {key: (TITLES[key], joined(part)) for key, part in parts.items() if part}, ROOM)


def _summary(figures: TeamFigures) -> Html:
    return tag(
        "section",
        tag("p", *_sentence(figures), class_="verdict"),
        tag("p", figures.change.sentence),
        _cards(figures),
        id="summary",
        aria_label="Summary",
    )


def _sentence(figures: TeamFigures) -> list[str]:
    whole = next((each for each in figures.plans if not each.lever), None)
    if whole is not None and not figures.accuracy:
        return [tag("strong", f"{whole.yes} of {whole.yes + whole.no} people"), " would do what it plans."]
    found = figures.accuracy[0] if figures.accuracy else None
    control = found.control if found else None
    if found is None or control is None or control.value is None or control.low is None or control.high is None:
        return [tag("strong", "Nobody has judged a control item yet"), ", so nothing is known of the live accuracy."]
    surely = f"surely in {math.floor(100 * control.low)} to {math.ceil(100 * control.high)}"  # outwards
    return ["People say that it is right in ", tag("strong", of_hundred(control.value)), f", {surely}."]


def _cards(figures: TeamFigures) -> Html:
    speeds = [each.items_an_hour for each in figures.reviewers if each.items_an_hour]
    cards = [
        ("Verdicts", f"{figures.verdicts:,}", f"about {counted(figures.items, 'item')}"),
        ("Reviewers", f"{len(figures.reviewers):,}", ""),
    ]
    if figures.agreement is not None and figures.agreement.pairs.value is not None:
        cards.append(("Agree", percent(figures.agreement.pairs.value, 0), "of pairs of people"))
    if speeds:
        cards.append(("Items an hour", f"{sum(speeds) / len(speeds):,.0f}", "each, while judging"))
    shown = (tag("div", tag("dt", name), tag("dd", tag("b", told), tag("small", small))) for name, told, small in cards)
    return tag("dl", *shown, class_="cards")


def _accuracy(figures: TeamFigures) -> Html | str:
    rows = [*accuracy_rows(figures)]
    if not rows:
        return ""
    listed = _table("Share of right answers", figures, rows)
    beside = tag("div", tag("p", ACCURACY_WORDS), _by_week(figures), class_="pair")
    return section("accuracy", TITLES["accuracy"], beside, listed)


def _plan(figures: TeamFigures) -> Html | str:
    rows = [*plan_rows(figures)]
    if not rows:
        return ""
    said = [tag("li", name_of(who), f", {about}: ", words) for who, about, words in plan_words(figures)]
    listed = _table("Share of those who said yes or no", figures, rows)
    return section("plan", TITLES["plan"], listed, tag("ul", *said) if said else "")


def _by_week(figures: TeamFigures) -> Html | str:
    weeks = figures.weeks
    if len(weeks) < 2:
        return ""
    first = datetime.fromisoformat(weeks[0].start)
    # From 1 on, as people count.
    numbers = [1 + (datetime.fromisoformat(each.start) - first).days / 7 for each in weeks]
    least = min(each.accuracy.low or 0.0 for each in weeks)
    axes = Axes((1, numbers[-1]), (min(0.9, int(10 * least) / 10), 1.0), percent=True)
    line = Line("first", "right", [*zip(numbers, _values(weeks), strict=True)])
    area = [(at, each.accuracy.low or 0.0, each.accuracy.high or 1.0) for at, each in zip(numbers, weeks, strict=True)]
    dots = [
        dot(axes.place(at, each.accuracy.value or 0.0), "first", 4, f"{_of_week(each)}: {_told(each)}")
        for at, each in zip(numbers, weeks, strict=True)
    ]
    return figure(
        f"Control items by week, and the {percent(figures.confidence, 0)} interval",
        f"Live accuracy of {len(weeks)} weeks; {_told(weeks[0])} in the first, {_told(weeks[-1])} in the last.",
        axes,
        ("week", "right"),
        spread(axes, area),
        curve(axes, line),
        *dots,
    )


def _values(weeks: Iterable[Week]) -> list[float]:
    return [each.accuracy.value or 0.0 for each in weeks]


def _of_week(week: Week) -> str:
    return f"the week from {day_of(datetime.fromisoformat(week.start))}"


def _told(week: Week) -> str:
    return f"{percent(week.accuracy.value or 0.0)} of {counted(week.items, 'item')}"


def _agreement(figures: TeamFigures) -> Html | str:
    if figures.agreement is None and figures.plans and not figures.accuracy:
        return ""  # of plans the table above says it
    if figures.agreement is None:
        text = "No item was given a label by two people yet; review.overlap of the recipe says how many judge each."
        return section("agreement", TITLES["agreement"], tag("p", text))
    text = (
        "Where nearly everything is of one class, people who guess agree often, and a figure that takes chance off may "
        "be near 0 although people agree. So each is shown beside the plain share."
    )
    listed = _table("How often two people say the same of an item", figures, [*agreement_rows(figures)])
    return section("agreement", TITLES["agreement"], tag("p", text), listed)


def _reviewers(figures: TeamFigures) -> Html | str:
    if not figures.reviewers:
        return ""
    highest = max((each.errors.high or 0.0 for each in figures.reviewers if each.gold), default=1.0)
    rows = []
    for each in figures.reviewers:
        drawn = forest(each.errors, 0.0, 0.0, "second", highest) if each.gold else MISSING
        errors = joined(tag("b", value(each.errors, True)), tag("small", bounds(each.errors, True)))
        speed = MISSING if each.items_an_hour is None else f"{each.items_an_hour:,.0f}"
        cannot = percent(each.cannot_tell, 0)
        rows.append([name_of(each.who), f"{each.verdicts:,}", errors, drawn, f"{each.gold:,}", cannot, speed])
    head = [
        "Reviewer",
        "Verdicts",
        "Wrong on gold",
        f"0 to {percent(highest, 0)}",
        "Gold",
        "Cannot tell",
        "Items an hour",
    ]
    told = [tag("li", name_of(who), f": {remark}") for who, remark in remarks(figures.reviewers)]
    shown = (tag("p", GOLD_WORDS), table("Each reviewer", head, rows, "numbers"), tag("ul", *told) if told else "")
    return section("reviewers", TITLES["reviewers"], *shown)


def _reasons(figures: TeamFigures) -> Html | str:
    rows = [*reason_rows(figures)]
    if not rows:
        return ""
    listed = _table("Whether it looks where people look", figures, rows, best=0.0)
    return section("reasons", TITLES["reasons"], listed, _taps(figures))


def _taps(figures: TeamFigures) -> Html | str:
    found = figures.reasons
    if not found.tapped:
        return ""
    most = max(map(max, found.taps))
    fields = [
        tag("rect", x=across, y=down, width=1, height=1, fill_opacity=f"{count / most:.2f}", class_="tap")
        for down, row in enumerate(found.taps)
        for across, count in enumerate(row)
        if count
    ]
    frame = tag("rect", x=0, y=0, width=SIDE, height=SIDE, class_="frame")
    alt = f"{counted(found.tapped, 'tap')} in the picture, most of them {_place(found.taps)}."
    svg = tag("svg", frame, *fields, viewBox=f"0 0 {SIDE} {SIDE}", role="img", aria_label=alt)
    return tag("figure", tag("figcaption", f"Where people tapped: most {_place(found.taps)}"), svg, class_="plot taps")


def _place(taps: Sequence[Sequence[int]]) -> str:
    import numpy as np

    from totalml.report.overlays import where

    counts = np.array(taps, np.float64)
    return where((255 * counts / counts.max()).astype(np.uint8))


def _table(caption: str, figures: TeamFigures, rows: Sequence[Row], best: float = 1.0) -> Html:
    """Args: best: share at which an upright line stands."""
    bounds_ = [each for row in rows if row.is_share for each in (row.figure.low, row.figure.high) if each is not None]
    least, most = int(10 * min(bounds_, default=0.0)) / 10, math.ceil(10 * max(bounds_, default=1.0)) / 10
    least, most = min(least, best), max(most, best)
    listed = []
    for each in rows:
        is_drawn = each.is_share and each.figure.low is not None
        drawn = forest(each.figure, best, least, "first", most) if is_drawn else ""
        told = joined(tag("b", value(each.figure, each.is_share)), tag("small", bounds(each.figure, each.is_share)))
        name = joined(name_of(each.name), tag("br"), tag("small", each.of)) if each.of else name_of(each.name)
        listed.append([name, told, drawn])
    interval = f"small: {percent(figures.confidence, 0)} interval"
    scale = f"{percent(least, 0)} to {percent(most, 0)}"
    return table(f"{caption}; {interval}", ["Figure", "Share", scale], listed, "numbers")
