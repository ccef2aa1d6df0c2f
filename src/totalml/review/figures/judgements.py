"""What stands of what people said, beside what they were asked: all that the team's figures are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from totalml.evaluation.regression.columns import SAID
from totalml.review.item import CONTROL, GOLD, Item, items_of

if TYPE_CHECKING:
    from totalml.review.reviews import Reviews
    from totalml.review.said import Remark, Verdict

PREDICTED = "predicted"


@dataclass(frozen=True)
class Judgements:
    """Args:
    items: of which somebody said something: its id -> it.
    batches: id -> name of the batch by which the item was drawn.
    truths: id -> column of the truth -> value, of items that are gold by now.
    verdicts: those that stand, oldest first.
    remarks: key of a verdict -> the last remark on it.
    """

    items: Mapping[str, Item]
    batches: Mapping[str, str]
    verdicts: Sequence[Verdict]
    truths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: Mapping[str, Remark] = field(default_factory=dict)

    def by_item(self) -> dict[str, list[Verdict]]:
        found = defaultdict(list)
        for each in self.verdicts:
            found[each.item].append(each)
        return found

    def by_reviewer(self) -> dict[str, list[Verdict]]:
        found = defaultdict(list)
        for each in self.verdicts:
            found[each.who].append(each)
        return found

    def is_gold(self, verdict: Verdict) -> bool:
        """Whether its item was gold when it was given; what several judged alike became gold by what they said."""
        return verdict.item in self.truths and verdict.shown.get("queue", GOLD) == GOLD

    def blind(self) -> Judgements:
        """Verdicts of people who had not been told what the model says; given again, one is no longer of these."""
        return replace(self, verdicts=[each for each in self.verdicts if each.shown.get("blind", True)])

    def between(self, since: datetime, until: datetime) -> Judgements:
        """Verdicts that were given from `since` on and before `until`."""
        kept = [each for each in self.verdicts if since <= datetime.fromisoformat(each.when) < until]
        return replace(self, verdicts=kept)


def judgements(reviews: Reviews) -> Judgements:
    """Raises: StoreError: a batch is gone or damaged."""
    import pyarrow as pa
    import pyarrow.compute as pc

    verdicts = reviews.standing()
    sought = pa.array({each.item for each in verdicts}, pa.string())
    drawn: list[tuple[str, Item]] = []
    for batch in reviews.batches:
        table = reviews.items(batch)
        drawn += [(batch, each) for each in items_of(table.filter(pc.is_in(table["item"], sought)))]
    items, batches = _as_drawn(drawn)
    known = sorted((each for each in verdicts if each.item in items), key=lambda each: each.when)
    remarks = {each.key: said[-1] for each in known if (said := reviews.remarks(each.key))}
    truths = {each.item: each.truth for _, each in drawn if each.queue == GOLD and each.truth}
    return Judgements(items, batches, known, truths, remarks)


def _as_drawn(drawn: Iterable[tuple[str, Item]]) -> tuple[dict[str, Item], dict[str, str]]:
    """The first draw of each item: what a monitor or a person asks later says nothing of all that was answered.

    Control comes before that, since it is the only one from which nothing may be missing.
    """
    items: dict[str, Item] = {}
    batches: dict[str, str] = {}
    for batch, each in drawn:
        name = each.item
        if name not in items or (each.queue == CONTROL and items[name].queue != CONTROL):
            items[name], batches[name] = each, batch
    return items, batches


def is_right(answer: Mapping[str, Any], label: Mapping[str, Any]) -> bool | None:
    """Whether a release said what people say: the same class or labels; of numbers, ones within its intervals.

    Args: answer: its columns. label: column of the truth -> value. Returns: None: one of both is missing.
    """
    given = {name: value for name, value in label.items() if value is not None}
    if not answer or not given:
        return None
    if PREDICTED in answer:
        (theirs,) = given.values()
        ours = answer[PREDICTED]
        return set(ours) == set(theirs) if isinstance(theirs, list) else bool(ours == theirs)
    _, lower, upper = SAID
    ending = {name: f":{name}" if f"{lower}:{name}" in answer else "" for name in given}
    bounds = {name: (answer.get(f"{lower}{end}"), answer.get(f"{upper}{end}")) for name, end in ending.items()}
    if any(bound is None for both in bounds.values() for bound in both):
        return None
    return all(bounds[name][0] <= value <= bounds[name][1] for name, value in given.items())
