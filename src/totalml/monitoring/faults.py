"""What is wrong with a stream: each fault with its rows, how sure it is, and which population carries it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.shares import chance_of_as_many, holm
from totalml.release.log_rows import PROPERTY, spoken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.populations import Population

SURE = 0.01  # chance by which a population is said to carry a fault, corrected for how many there are
SET = "set"
NEW_INPUTS = ("below", "above", "unseen", "strange", "burst", "repeated", SET)
# Of pictures whose property is below, above what nearly all of the reference have.
LOOKS = {
    "brightness": ("dark", "bright"),
    "contrast": ("flat", "harsh"),
    "sharpness": ("blurred", "oversharp"),
    "noise": ("smooth", "grainy"),
    "colourfulness": ("pale", "garish"),
    "entropy": ("plain", "busy"),
    "blockiness": ("rid of blocks", "blocky"),
    "warmth": ("bluish", "reddish"),
    "aspect": ("narrow", "wide"),
}


@dataclass(frozen=True)
class Carrier:
    """Args:
    of_fault, of_all: its share of the fault's rows, and of all rows.
    """

    population: str
    of_fault: float
    of_all: float

    @property
    def words(self) -> str:
        return f"{self.population} has {self.of_fault:.0%} of them and {self.of_all:.0%} of all"


@dataclass(frozen=True)
class Fault:
    """One thing that was looked at, and where it is a finding, one finding.

    Args:
        kind: `gone`, `new`, `type`, `units`, `missing`, `unseen`, `below`, `above`, `stuck`, `set`, `strange`,
            `failed`, `repeated`, `replayed`, `no time`, `future`, `backwards`, `out of window`, `silence` or `burst`.
        column: where it is of one; empty: of whole rows.
        p: that a window like the reference shows as much; in a result corrected for all that was looked at.
        certain: a rule is broken, so chance has no part in it, and `p` is 0.
        share, expected: of the window's rows, of the reference's; of what is no share, NaN.
        rows: (K,) of the window.
        detail: values that show it.
        population: seen in that one alone; empty: in all rows together.
        carriers: populations that have more of it than of all rows, the one with most of it first.
    """

    kind: str
    column: str
    p: float
    certain: bool = False
    share: float = math.nan
    expected: float = math.nan
    rows: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    detail: str = ""
    population: str = ""
    carriers: tuple[Carrier, ...] = ()

    @property
    def new_inputs(self) -> bool:
        """Whether people who send other samples than before would show as much, with nothing wrong at the sender's."""
        return self.kind in NEW_INPUTS and not self.column.startswith(PROPERTY)

    @property
    def effect(self) -> float:
        """How far the shares are apart, 0 to 3.14; 0.2 is small, 0.8 large (Cohen's h); NaN where it is no share."""
        return abs(2 * math.asin(math.sqrt(self.share)) - 2 * math.asin(math.sqrt(self.expected)))

    @property
    def words(self) -> str:
        """One sentence."""
        shares = "" if math.isnan(self.share) else f": {self.share:.1%} of the rows, {self.expected:.1%} expected"
        detail = f" ({self.detail})" if self.detail else ""
        carried = "".join(f"; {each.words}" for each in self.carriers)
        where = f" of {self.population}" if self.population else ""
        return f"{self._what}{where}{shares}{detail}{carried}"

    @property
    def _what(self) -> str:
        name = spoken(self.column)
        if self.column.startswith(PROPERTY) and self.kind in ("below", "above"):
            looks = LOOKS.get(self.column.removeprefix(PROPERTY))
            if looks:
                return f"pictures are {looks[self.kind == 'above']}"
        return {
            "gone": f"column {name} is gone",
            "new": f"column {name} is new",
            "type": f"column {name} is of another type",
            "units": f"{name} is counted in another unit",
            "missing": f"values of {name} are missing",
            "unseen": f"{name} has values that the reference has not",
            "below": f"values of {name} are below what is known",
            "above": f"values of {name} are above what is known",
            "stuck": f"{name} is stuck",
            SET: f"{name} stays as it was set",
            "strange": "samples are strange to the model",
            "failed": "requests have no answer",
            "repeated": "rows are repeated",
            "replayed": "a block of rows is replayed",
            "no time": f"times of {name} are missing",
            "future": f"times of {name} lie in the future",
            "backwards": "times go backwards",
            "out of window": "times lie out of the window",
            "silence": "no rows came",
            "burst": "more rows came than ever",
        }[self.kind]


@dataclass(frozen=True)
class StreamQualityResult:
    """Args:
    faults: certain ones first, then the likeliest.
    p: the smallest, corrected, of all that chance has a part in; 1 where there is nothing of the kind.
    looked_at: how many things it is corrected for.
    count: rows of the window.
    """

    faults: tuple[Fault, ...]
    p: float
    looked_at: int
    count: int

    @property
    def certain(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.faults if fault.certain)


def judged(
    found: Sequence[Fault], count: int, populations: Sequence[Population], level: float, least_share: float
) -> StreamQualityResult:
    """Corrected for their number (Holm); those above the level, or of too few rows to matter, are left out.

    Args: populations: of the window, by which the findings are told apart.
    """
    by_chance = [fault for fault in found if not fault.certain]
    chances = holm(np.array([fault.p for fault in by_chance]))
    sure = [replace(fault, p=float(p)) for fault, p in zip(by_chance, chances, strict=True) if p <= level]
    # What is no share has none that could be too small.
    sure = sorted((each for each in sure if not each.share - each.expected < least_share), key=lambda each: each.p)
    named = {(fault.kind, fault.column) for fault in sure if not fault.population}
    # What shows in all rows together is told once, with who carries it.
    told = [fault for fault in sure if not fault.population or (fault.kind, fault.column) not in named]
    faults = [fault for fault in found if fault.certain] + told
    return StreamQualityResult(
        tuple(replace(fault, carriers=_carriers(fault, count, populations)) for fault in faults),
        float(chances.min(initial=1.0)),
        len(by_chance),
        count,
    )


def _carriers(fault: Fault, count: int, populations: Sequence[Population]) -> tuple[Carrier, ...]:
    if fault.population or not len(fault.rows) or not populations:
        return ()
    inside = np.array([int(each.rows[fault.rows].sum()) for each in populations])
    sizes = np.array([int(each.rows.sum()) for each in populations])
    every = np.full(len(sizes), count)
    chances = holm(chance_of_as_many(inside, sizes, np.full(len(sizes), len(fault.rows)), every))
    shares = [
        Carrier(each.words, own / len(fault.rows), size / count)
        for each, own, size, chance in zip(populations, inside, sizes, chances, strict=True)
        if chance <= SURE
    ]
    return tuple(sorted(shares, key=lambda each: -each.of_fault))
