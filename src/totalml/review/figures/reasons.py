"""How often a release is right for the wrong reason, and where people say that it should have looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.review.figures.intervals import CONFIDENCE, exact
from totalml.review.figures.judgements import is_right
from totalml.review.item import ASK_EXPLANATION, ASK_LABEL
from totalml.review.said import AGREES

if TYPE_CHECKING:
    from totalml.evaluation.interval import Interval
    from totalml.review.figures.judgements import Judgements

SIDE = 12  # fields of the map, across and down


@dataclass(frozen=True)
class Reasons:
    """Args:
    wrong: of right answers whose map the reviewer saw, the share that looked at the wrong place; of `shown`.
    explanations: of maps that were asked about by themselves, the share that people disagree with; of `asked`.
    taps: (SIDE, SIDE) how many fell where, the uppermost row first.
    """

    wrong: Interval
    shown: int
    explanations: Interval
    asked: int
    taps: Sequence[Sequence[int]]

    @property
    def tapped(self) -> int:
        return sum(map(sum, self.taps))


def reasons(judged: Judgements, confidence: float = CONFIDENCE) -> Reasons:
    """A right answer on which nobody remarked looked at a place with which nobody disagreed."""
    places: list[Sequence[float]] = []
    shown = wrong = asked = disagreed = 0
    for verdict in judged.verdicts:
        item = judged.items[verdict.item]
        if item.ask == ASK_EXPLANATION and AGREES in verdict.answer:
            asked += 1
            disagreed += not verdict.answer[AGREES]
            places += [verdict.answer["at"]] if "at" in verdict.answer else []
        elif item.ask == ASK_LABEL and not item.is_blind and is_right(item.answer, verdict.label or {}):
            shown += 1
            remark = judged.remarks.get(verdict.key)
            if remark is not None and remark.at is not None:
                wrong += 1
                places.append(remark.at)
    taps = np.zeros((SIDE, SIDE), np.int64)
    if places:
        across, down = np.minimum(np.array(places, np.float64) * SIDE, SIDE - 1).astype(np.int64).T
        np.add.at(taps, (down, across), 1)
    return Reasons(exact(wrong, shown, confidence), shown, exact(disagreed, asked, confidence), asked, taps.tolist())
