"""What a suite of deepchecks said, check by check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

Status = Literal["failed", "warned", "could not run", "passed", "not judged"]
Level = Literal["warn", "stop"]
Data = Literal["tabular", "vision"]
BEFORE_TRAINING, AFTER_TRAINING = ("data_integrity", "train_test_validation"), "model_evaluation"
DATA: tuple[Data, ...] = ("tabular", "vision")
ORDER: tuple[Status, ...] = ("failed", "warned", "could not run", "passed", "not judged")


@dataclass(frozen=True)
class Outcome:
    """Args:
    check: in deepchecks' words, e.g. `Feature Drift`.
    condition: what had to hold; empty if the check ran without one, or could not run.
    says: what was found.
    level: what a failure does.
    """

    check: str
    condition: str
    status: Status
    says: str
    level: Level


@dataclass(frozen=True)
class Suite:
    """Args:
    data: what it looked at: the table of metadata, or pictures.
    outcomes: failed ones first.
    not_run: why the whole suite was not run; None if it was.
    left_out: names of checks that the suite has and that were not asked.
    samples: pictures that were looked at, of all splits together; None: the whole table.
    html: name of deepchecks' own page beside this record; None if the recipe does not ask for it.
    page: what stands in it, until it is saved.
    """

    suite: str
    data: Data
    outcomes: tuple[Outcome, ...] = ()
    not_run: str | None = None
    left_out: tuple[str, ...] = ()
    samples: int | None = None
    html: str | None = None
    page: str | None = field(default=None, repr=False, compare=False)

    def of(self, *statuses: Status) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status in statuses]

    def told(self) -> Iterator[tuple[Level, str]]:
        """A line, and how much it matters, for each thing that is wrong."""
        if self.not_run:
            yield "warn", f"{self.suite}: not run: {self.not_run}"
        for one in self.of("failed", "warned"):
            level = one.level if one.status == "failed" else "warn"
            yield level, f"{self.suite}: {one.check}: {one.says} ({one.condition})"
        if missed := self.of("could not run"):
            reasons = "; ".join(f"{one.check}: {one.says}" for one in missed)
            yield "warn", f"{self.suite}: {len(missed)} checks could not run: {reasons}"

    def save_page(self, folder: Path) -> None:
        from totalml.store.atomic import write_atomically

        if self.html and self.page is not None:
            write_atomically(folder / self.html, self.page.encode())

    def as_json(self) -> dict[str, Any]:
        values = asdict(self)
        del values["page"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        outcomes = tuple(Outcome(**outcome) for outcome in values["outcomes"])
        return cls(**dict(values) | {"outcomes": outcomes, "left_out": tuple(values["left_out"])})


def page_name(data: Data, suite: str) -> str:
    """Of deepchecks' own page."""
    return f"deepchecks-{data}-{suite}.html"


def pages(*suites: str) -> list[str]:
    """The names of all pages that these suites may leave."""
    return [page_name(data, suite) for data in DATA for suite in suites]
