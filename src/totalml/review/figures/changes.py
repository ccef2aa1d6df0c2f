"""What is different from the time before, in one sentence, and whether that can be told at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import hypot
from typing import TYPE_CHECKING

from totalml.evaluation.interval import Interval
from totalml.report.number_format import percent, points
from totalml.review.figures.accuracy import Outcome, control_share
from totalml.review.figures.intervals import CONFIDENCE
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.review.figures.judgements import Judgements


WEEK = timedelta(days=7)
MOST_WEEKS = 26


@dataclass(frozen=True)
class Change:
    """Of the share of right answers among control items, from one time to the next of the same length.

    Args: gap: now minus before; None where either has no control item. releases: whether others answered, too.
    """

    days: float
    now: Interval
    before: Interval
    gap: Interval
    releases: bool

    @property
    def sentence(self) -> str:
        if self.gap.value is None or self.gap.low is None or self.gap.high is None:
            lacking = "now" if self.now.value is None else "before"
            return f"No change can be told: nobody judged a control item {self._span(lacking)}."
        shares = f"{percent(self.now.value or 0.0)} {self._span('now')}, {percent(self.before.value or 0.0)} before"
        bounds = f"{points(self.gap.low)} to {points(self.gap.high)} points"
        by = "; another release answers" if self.releases else ""
        if self.gap.low <= 0 <= self.gap.high:
            return f"No change can be told: {shares} ({bounds}{by})."
        way = "rose" if self.gap.value > 0 else "fell"
        return f"Live accuracy {way}: {shares} ({bounds}{by})."

    def _span(self, when: str) -> str:
        days = "week" if self.days == 7 else counted(round(self.days), "day") if self.days >= 1 else "hours"
        return f"in the last {days}" if when == "now" else f"in the {days} before"


def change(
    judged: Judgements, right: Outcome, until: datetime, back: timedelta, confidence: float = CONFIDENCE
) -> Change:
    """An item belongs to the time of the last verdict on it.

    Args: right: as `outcomes`. until: the end of the time that is held against the one before.
    Source of the gap's interval: Newcombe 1998, method 10, from the intervals of the two shares.
    """
    last = {each.item: datetime.fromisoformat(each.when) for each in judged.verdicts}
    spans = ((until - back, until), (until - 2 * back, until - back))
    now, before = ({name: right[name] for name in right if start <= last[name] < end} for start, end in spans)
    ours, theirs = (control_share(judged, each, confidence)[0] for each in (now, before))
    answered = [{judged.items[name].release for name in each} for each in (now, before)]
    return Change(back / timedelta(days=1), ours, theirs, _gap(ours, theirs), answered[0] != answered[1])


@dataclass(frozen=True)
class Week:
    """Args: start: UTC, ISO 8601. accuracy: of control items."""

    start: str
    accuracy: Interval
    items: int


def weeks(
    judged: Judgements, right: Outcome, until: datetime, confidence: float = CONFIDENCE, most: int = MOST_WEEKS
) -> list[Week]:
    """The latest ones that end with `until`, oldest first; those in which nobody judged a control item are left out.

    Args: as of `change`.
    """
    ages = {each.item: (until - datetime.fromisoformat(each.when)) // WEEK for each in judged.verdicts}
    found = []
    for age in sorted({age for age in ages.values() if 0 <= age < most}, reverse=True):
        share, _, count = control_share(judged, {name: right[name] for name in right if ages[name] == age}, confidence)
        if count:
            found.append(Week((until - (age + 1) * WEEK).isoformat(timespec="seconds"), share, count))
    return found


def _gap(ours: Interval, theirs: Interval) -> Interval:
    bounds = (ours.value, ours.low, ours.high, theirs.value, theirs.low, theirs.high)
    if any(each is None for each in bounds):
        return Interval(None, note="nothing was judged in one of both")
    value, low, high, other, other_low, other_high = (float(each or 0.0) for each in bounds)
    gap = value - other
    return Interval(gap, gap - hypot(value - low, other_high - other), gap + hypot(high - value, other - other_low))
