"""What a monitor says of a window: a cause, in one sentence, with what speaks for it and what ruled the others out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

NONE = "none"
SEASON = "expected season"
QUALITY = "data quality"
COVARIATE = "new covariate"  # new inputs, and the model is right on them as far as labels show
CONCEPT = "concept"
UNKNOWN = "unknown"
TOO_FEW = "not enough data"
CAUSES = (NONE, SEASON, QUALITY, COVARIATE, CONCEPT, UNKNOWN, TOO_FEW)

ALARMED = 3  # exit code of a command that found what somebody is to be told
PAGE, TICKET = "page", "ticket"
# What a person has to do at once, what can wait until tomorrow, and what nobody has to be told.
SEVERITY = {QUALITY: PAGE, CONCEPT: PAGE, COVARIATE: TICKET, UNKNOWN: TICKET}

OF_QUALITY, OF_LABELS, OF_WINDOW, OF_STREAM = "quality", "labels", "window", "stream"
OF_SEASON, OF_ESTIMATE, OF_SLICES, OF_FAIRNESS = "season", "estimate", "slices", "fairness"
OF_LEVERS, OF_ATTRIBUTION, OF_PERIODS = "levers", "attribution", "periods"


@dataclass(frozen=True)
class Evidence:
    """What one detector found.

    Args:
        detector: OF_QUALITY, OF_LABELS ...
        alarm: whether it counts as found, at the level that the alarm budget leaves it.
        told: in a few words.
        value, level: what was held against what: a p-value, the evidence of a stream.
        moved: columns, the most moved first; values of columns as `age_group=18-25`.
        since: about when it began, ISO 8601; None: nobody can tell.
        between: the earliest and the latest that this may have been.
        more: rows, labels or units that are lacking before it can say anything; 0: none are.
        rows: of the window, those that show it most, the clearest first.
        facts: plain JSON, for the report.
    """

    detector: str
    alarm: bool
    told: str
    value: float | None = None
    level: float | None = None
    moved: tuple[str, ...] = ()
    since: str | None = None
    between: tuple[str, str] | None = None
    more: int = 0
    rows: tuple[int, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        tuples = {name: tuple(values[name]) for name in ("moved", "rows")}
        between = values["between"]
        return cls(**{**values, **tuples, "between": tuple(between) if between else None})


@dataclass(frozen=True)
class Verdict:
    """Args:
    cause: one of CAUSES.
    told: in one sentence of plain words.
    severity: PAGE, TICKET or empty.
    ruled_out: other cause -> why it is not that one.
    season: that was expected then; empty: none was.
    """

    cause: str
    told: str
    severity: str = ""
    evidence: tuple[Evidence, ...] = ()
    ruled_out: Mapping[str, str] = field(default_factory=dict)
    season: str = ""

    @property
    def alarms(self) -> bool:
        """Whether somebody is to be told."""
        return self.severity != ""

    def of(self, detector: str) -> Evidence | None:
        return next((each for each in self.evidence if each.detector == detector), None)

    @property
    def since(self) -> str | None:
        """The earliest that any detector which found something names."""
        return min((each.since for each in self.evidence if each.alarm and each.since), default=None)

    @property
    def moved(self) -> tuple[str, ...]:
        """By the detectors which found something, each column once."""
        return tuple(dict.fromkeys(name for each in self.evidence if each.alarm for name in each.moved))

    @property
    def rows(self) -> tuple[int, ...]:
        """Of the window, those that show it most."""
        return tuple(dict.fromkeys(row for each in self.evidence if each.alarm for row in each.rows))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(**{**values, "evidence": tuple(Evidence.from_json(each) for each in values["evidence"])})


def found(evidence: Sequence[Evidence], *detectors: str) -> bool:
    """Whether any of these detectors found something."""
    return any(each.alarm for each in evidence if each.detector in detectors)
