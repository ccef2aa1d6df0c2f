"""The figures of a team for a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from totalml.report.number_format import MISSING, percent
from totalml.review.figures.rows import Row, accuracy_rows, agreement_rows, part_name, plan_rows, reason_rows
from totalml.terminal import aligned
from totalml.values.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from totalml.evaluation.interval import Interval
    from totalml.review.figures.figures import TeamFigures
    from totalml.review.figures.reviewers import Reviewer

REVIEWERS = ("reviewer", "verdicts", "wrong on gold", "interval", "gold", "cannot tell", "seconds", "items an hour")
# What the words of the tables mean, here and on the page.
ACCURACY_WORDS = (
    "Control items are drawn by chance and judged blind, so their share of right answers is that of all that came. "
    "Other items are chosen, mostly since the model is unsure of them: weighted by how probably each was drawn, "
    "they tell the same, and more surely. Both should agree."
)
GOLD_WORDS = (
    "Gold are items of which the truth is known; wrong on gold is how often a reviewer says something else of them. "
    "Few of them say little of a person, as the intervals show."
)


def figures_text(figures: TeamFigures) -> str:
    since, until = (f"{datetime.fromisoformat(each):%Y-%m-%d %H:%M}" for each in (figures.since, figures.until))
    people = counted(len(figures.reviewers), "reviewer")
    said = f"{counted(figures.verdicts, 'verdict')} about {counted(figures.items, 'item')} by {people}"
    words: list[str] = []
    lines = [f"{figures.model}, {since} to {until} (UTC): {said}", figures.change.sentence]
    interval = f"{percent(figures.confidence, 0)} interval"
    for title, rows in (
        ("live accuracy", accuracy_rows(figures)),
        ("plan", plan_rows(figures)),
        ("agreement", agreement_rows(figures)),
        ("reasons", reason_rows(figures)),
    ):
        if shown := [_row(each) for each in rows]:
            words += [ACCURACY_WORDS] if title == "live accuracy" else []
            lines += ["", *aligned([(title, "share" if title != "agreement" else "", interval, "of"), *shown])]
            lines += (
                [f"{who}, {about}: {words}" for who, about, words in plan_words(figures)] if title == "plan" else []
            )
    if figures.reviewers:
        lines += ["", *aligned([REVIEWERS, *map(_of, figures.reviewers)])]
        lines += [f"{who}: {remark}" for who, remark in remarks(figures.reviewers)]
        words.append(GOLD_WORDS)
    lines += ["", *words] if words else []
    return "\n".join(lines)


def plan_words(figures: TeamFigures) -> Iterator[tuple[str, str, str]]:
    """Who, of which part of a plan, and what they say of it."""
    for part in figures.plans:
        yield from ((who, part_name(part), words) for who, words in part.words)


def _row(row: Row) -> tuple[str, ...]:
    return row.name, value(row.figure, row.is_share), bounds(row.figure, row.is_share), row.of


def value(figure: Interval, is_share: bool) -> str:
    if figure.value is None:
        return MISSING
    return percent(figure.value) if is_share else f"{figure.value:.2f}"


def bounds(figure: Interval, is_share: bool) -> str:
    """Empty without."""
    if figure.low is None or figure.high is None:
        return ""
    if is_share:
        return f"{100 * figure.low:.1f} to {percent(figure.high)}"
    return f"{figure.low:.2f} to {figure.high:.2f}"


def _of(each: Reviewer) -> tuple[str, ...]:
    seconds = MISSING if each.seconds is None else f"{each.seconds:.1f}"
    an_hour = MISSING if each.items_an_hour is None else f"{each.items_an_hour:,.0f}"
    errors = (value(each.errors, True), bounds(each.errors, True), f"{each.gold:,}")
    return each.who, f"{each.verdicts:,}", *errors, percent(each.cannot_tell, 0), seconds, an_hour


def remarks(reviewers: Iterable[Reviewer]) -> Iterator[tuple[str, str]]:
    """What is to be known of whom."""
    for each in reviewers:
        yield from ((each.who, remark) for remark in each.remarks)
        earlier, later = each.earlier_seconds, each.later_seconds
        if earlier and later and not 0.5 < later / earlier < 2:
            yield each.who, f"{earlier:.1f} s an item in the first half, {later:.1f} s in the second"
