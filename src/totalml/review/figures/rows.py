"""Each figure with its name, its interval and what it is of, for a terminal and a page alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.review.figures.judgements import PREDICTED
from totalml.review.item import ASK_CURVE
from totalml.values.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totalml.evaluation.interval import Interval
    from totalml.review.figures.figures import TeamFigures
    from totalml.review.figures.plans import PlanPart

RELEASE_DIGITS = 8


@dataclass(frozen=True)
class Row:
    """Args: of: what it was measured on. is_share: else a number of at most 1 that may be below 0."""

    name: str
    figure: Interval
    of: str = ""
    is_share: bool = True


def short_release(release: str) -> str:
    return release.rpartition(":")[2][:RELEASE_DIGITS]


def accuracy_rows(figures: TeamFigures) -> Iterator[Row]:
    several = len(figures.accuracy) > 1
    for each in figures.accuracy:
        by = f"{short_release(each.release)}: " if several else ""
        by += "" if each.live else "not live: "
        untold = f"; {each.untold} more are undecided" if each.untold else ""
        yield Row(f"{by}right", each.control, f"{counted(each.control_items, 'control item')}{untold}")
        without = each.without_errors
        yield Row(f"{by}without reviewers' errors", without, without.note or "control items and gold")
        yield Row(f"{by}right, all items weighted", each.weighted, counted(each.items, "item"))
        for part in each.slices:
            where = "it says" if part.column == PREDICTED else f"{part.column} is"
            yield Row(f"{by}where {where} {part.value}", part.accuracy, counted(part.items, "item"))


def plan_rows(figures: TeamFigures) -> Iterator[Row]:
    """How many would do it, of the plan and of each lever, and to how many each curve looks right."""
    several = len({each.release for each in figures.plans}) > 1
    for each in figures.plans:
        by = f"{short_release(each.release)}: " if several else ""
        untold = f"; {each.untold} more cannot tell" if each.untold else ""
        yield Row(f"{by}{part_name(each)}", each.agree, f"{each.yes} of {each.yes + each.no} people{untold}")


def part_name(part: PlanPart) -> str:
    if not part.lever:
        return "would do the plan"
    return f"the curve of {part.lever} looks right" if part.ask == ASK_CURVE else f"would do it, {part.lever}"


def agreement_rows(figures: TeamFigures) -> Iterator[Row]:
    found = figures.agreement
    if found is None:
        return
    yield Row("pairs that say the same", found.pairs, f"{counted(found.items, 'item')} that two or more judged")
    yield Row("beyond chance, AC1 (Gwet)", found.ac1, found.ac1.note or "1 is perfect, 0 is chance", is_share=False)
    alpha = found.alpha.note or "near 0 also where nearly all is of one class"
    yield Row("beyond chance, alpha (Krippendorff)", found.alpha, alpha, is_share=False)
    for label, share in found.per_label.items():
        yield Row(f"who says {label}: others do, too", share)


def reason_rows(figures: TeamFigures) -> Iterator[Row]:
    found = figures.reasons
    if found.shown:
        yield Row(
            "right for the wrong reason", found.wrong, f"{counted(found.shown, 'right answer')} with the map shown"
        )
    if found.asked:
        yield Row("maps that people disagree with", found.explanations, f"{counted(found.asked, 'map')} asked about")
