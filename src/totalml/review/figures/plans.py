"""What people say of a plan and its curves: how many would do it, and in their words why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.review.figures.intervals import CONFIDENCE, exact
from totalml.review.item import OF_PLANS
from totalml.review.said import AGREES, CANNOT_TELL

if TYPE_CHECKING:
    from totalml.evaluation.interval import Interval
    from totalml.review.figures.judgements import Judgements
    from totalml.review.said import Verdict


@dataclass(frozen=True)
class PlanPart:
    """Args:
    lever: empty: the whole plan.
    agree: share of those who said yes or no that said yes.
    untold: people who could not tell.
    words: who, and the reason or the comment that they gave; oldest first.
    """

    release: str
    ask: str
    lever: str
    agree: Interval
    yes: int
    no: int
    untold: int
    words: Sequence[tuple[str, str]]


def plan_parts(judged: Judgements, confidence: float = CONFIDENCE) -> list[PlanPart]:
    """In the order in which they are asked, the release that was judged last first."""
    parts: dict[str, dict[str, list[Verdict]]] = {}
    for item, verdicts in judged.by_item().items():
        about = judged.items[item]
        if about.ask in OF_PLANS:
            release = about.release or ""
            parts[release] = parts.pop(release, defaultdict(list))  # last again
            parts[release][item] += verdicts
    order = {name: place for place, name in enumerate(judged.items)}
    return [
        _part(judged, item, parts[release][item], confidence)
        for release in reversed(parts)
        for item in sorted(parts[release], key=order.__getitem__)
    ]


def _part(judged: Judgements, item: str, verdicts: Sequence[Verdict], confidence: float) -> PlanPart:
    about = judged.items[item]
    votes = [bool(each.answer[AGREES]) for each in verdicts if AGREES in each.answer]
    told = [(each.who, ": ".join(filter(None, (each.answer.get(CANNOT_TELL), each.comment)))) for each in verdicts]
    return PlanPart(
        release=about.release or "",
        ask=about.ask,
        lever=about.note,
        agree=exact(sum(votes), len(votes), confidence),
        yes=sum(votes),
        no=len(votes) - sum(votes),
        untold=len(verdicts) - len(votes),
        words=[(who, words) for who, words in told if words],
    )
