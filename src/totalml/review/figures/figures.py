"""All figures of a team of reviewers and of what they judge, as one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from totalml.review.figures.accuracy import accuracies, outcomes
from totalml.review.figures.agreement import agreement
from totalml.review.figures.changes import WEEK, change, weeks
from totalml.review.figures.intervals import CONFIDENCE
from totalml.review.figures.judgements import judgements
from totalml.review.figures.plans import plan_parts
from totalml.review.figures.reasons import reasons
from totalml.review.figures.reviewers import reviewers

if TYPE_CHECKING:
    from totalml.review.figures.accuracy import Accuracy, Outcome
    from totalml.review.figures.agreement import Agreement
    from totalml.review.figures.changes import Change, Week
    from totalml.review.figures.judgements import Judgements
    from totalml.review.figures.plans import PlanPart
    from totalml.review.figures.reasons import Reasons
    from totalml.review.figures.reviewers import Reviewer
    from totalml.review.reviews import Reviews

# What people say of each item together: item -> column of the truth -> value; None: they do not agree.
Resolve = Callable[["Judgements"], Mapping[str, Mapping[str, object] | None]]


@dataclass(frozen=True)
class TeamFigures:
    """Args:
    accuracy: of each release, that which was asked about last first.
    """

    model: str
    since: str
    until: str
    confidence: float
    verdicts: int
    items: int
    change: Change
    weeks: Sequence[Week]
    accuracy: Sequence[Accuracy]
    agreement: Agreement | None
    reviewers: Sequence[Reviewer]
    reasons: Reasons
    plans: Sequence[PlanPart]

    def as_json(self) -> dict[str, Any]:
        values = asdict(self)
        values["change"]["sentence"] = self.change.sentence
        for each, reviewer in zip(values["reviewers"], self.reviewers, strict=True):
            each["items_an_hour"] = reviewer.items_an_hour
        return values


def team_figures(
    reviews: Reviews, resolve: Resolve, since: datetime | None, until: datetime, confidence: float = CONFIDENCE
) -> TeamFigures:
    """Of what was said from `since` on and before `until`; the change is of the last week, or of that time if shorter.

    Args: since: None: the first verdict. since, until: with a zone.
    Raises: StoreError: a batch is gone or damaged.
    """
    every = judgements(reviews)
    told = _live(every, outcomes(every, resolve(every)))
    back = WEEK if since is None else min(until - since, WEEK)
    if since is None:
        since = min((datetime.fromisoformat(each.when) for each in every.verdicts), default=until)
    judged = every.between(since, until)
    blind = judged.blind()  # whoever was told what the model says is drawn to it, and it would seem better than it is
    return TeamFigures(
        model=reviews.model,
        since=since.isoformat(timespec="seconds"),
        until=until.isoformat(timespec="seconds"),
        confidence=confidence,
        verdicts=len(judged.verdicts),
        items=len(judged.by_item()),
        change=change(every, told, until, back, confidence),
        weeks=weeks(every, told, until, confidence),
        accuracy=accuracies(blind, outcomes(blind, resolve(blind)), confidence),
        agreement=agreement(judged.by_item(), confidence),
        reviewers=reviewers(judged, confidence),
        reasons=reasons(judged, confidence),
        plans=plan_parts(judged, confidence),
    )


def _live(judged: Judgements, right: Outcome) -> Outcome:
    """Of requests, where there are any."""
    live = {name: value for name, value in right.items() if judged.items[name].request_id is not None}
    return live or right
