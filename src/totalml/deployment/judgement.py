"""What a challenger was found to be worth by its traffic, and how many more requests would decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from totalml.evaluation.interval import Interval
from totalml.gates.outcome import ORDER, Outcome

ALPHA = 0.05  # probability with which an equal release is stopped; and with which one beyond a margin passes


@dataclass(frozen=True)
class Figure:
    """Args:
    value: right at all times at once, so it may be looked at after every request.
    wanted: in words, such as `at most 0.01`.
    count: requests or samples that it is a figure of.
    more: about how many more would decide; None: it is decided, or no number would.
    asked: whether it must pass; one that is not can only stop.
    """

    name: str
    outcome: Outcome
    value: Interval
    wanted: str
    count: int
    more: int | None = None
    asked: bool = True

    def told(self) -> str:
        value, waits = self.value, "" if self.asked or self.outcome != "undecided" else ", but it is not waited for"
        if value.value is None:
            return f"{self.name}: {self.outcome}, {value.note or 'nothing seen yet'}; wanted {self.wanted}{waits}"
        bounds = "" if value.low is None or value.high is None else f" ({value.low:.3g} to {value.high:.3g})"
        further = f"; about {self.more:,} more would decide" if self.more else ""
        found = f"{value.value:.3g}{bounds} of {self.count:,}"
        return f"{self.name}: {self.outcome}, {found}; wanted {self.wanted}{waits}{further}"


@dataclass(frozen=True)
class Judgement:
    """Args:
    figures: those that were asked for first.
    count: requests that the challenger took part in.
    """

    outcome: Outcome
    figures: tuple[Figure, ...]
    count: int

    @classmethod
    def of(cls, figures: Sequence[Figure], count: int) -> Judgement:
        """Failed if any figure is; passed if all that were asked for are."""
        asked = [each.outcome for each in figures if each.asked or each.outcome == "failed"]
        worst: Outcome = min(asked, key=ORDER.index, default="undecided")
        return cls(worst, tuple(figures), count)

    @property
    def more(self) -> int | None:
        """About how many more would decide; None: it is decided, or no number would."""
        waited = [each for each in self.figures if each.asked and each.outcome == "undecided"]
        if self.outcome != "undecided" or not waited or any(each.more is None for each in waited):
            return None
        return max(each.more or 0 for each in waited)

    @property
    def decided_by(self) -> tuple[str, ...]:
        return tuple(each.told() for each in self.figures if each.outcome == self.outcome)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"figures": [asdict(each) for each in self.figures]}
