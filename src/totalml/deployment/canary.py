"""Judge a canary: a release that answers a share of the requests, beside the one that answers the rest.

`failed` as soon as it is shown to be worse in failures, slowness or errors against labels; `passed` as soon as it is
shown to be no more than a margin worse in each of them; until then undecided, and how many more requests would decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.deployment.judgement import ALPHA, Figure, Judgement
from totalml.deployment.sequential import more_until, share_bounds, shown_worse
from totalml.evaluation.interval import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FAILURES, SLOW, ERRORS = FIGURES = ("failures", "slow", "errors")
USUAL = 0.9  # share of the other release's first ones that are no slower, or no further off, than the bound
THE_REST = "that of what answers the rest"
FIRST = 200  # of the other release, by which that bound is found; they are not judged


@dataclass(frozen=True)
class Ends:
    """How requests ended, in the order in which they came.

    Args:
        canary: (N,) whether each was given to the canary, by chance.
        bad: (N,) whether it ended badly, or within 0..1 the share of its samples that did.
    """

    canary: NDArray[np.bool_]
    bad: NDArray[np.bool_ | np.float64]

    def counted(self, canary: bool) -> tuple[float, int]:
        """Bad ones and all, of one arm."""
        of_arm = self.canary == canary
        return float(self.bad[of_arm].sum()), int(of_arm.sum())

    def difference(self, alpha: float, times: float = 1) -> Interval:
        """Canary minus the other, as if there had been `times` as many requests."""
        (bad, seen), (other_bad, other_seen) = self.counted(True), self.counted(False)
        low, high = share_bounds(times * bad, times * seen, alpha / 2)
        other_low, other_high = share_bounds(times * other_bad, times * other_seen, alpha / 2)
        value = bad / seen - other_bad / other_seen if seen and other_seen else None
        return Interval(value, low - other_high, high - other_low)


def judge_canary(
    ends: Mapping[str, Ends], share: float, margins: Mapping[str, float], labelled: bool = False, alpha: float = ALPHA
) -> Judgement:
    """Args:
    ends: of `FIGURES`.
    share: of the requests, given to the canary by chance.
    margins: how much worse is as good, by figure: a difference of shares.
    labelled: whether it must be shown against labels too before it passes.
    """
    alpha /= len(FIGURES)  # so that all of them together keep it
    asked = {name: labelled or name != ERRORS for name in FIGURES}
    figures = [_judged(name, ends[name], share, margins[name], alpha, asked[name]) for name in FIGURES]
    return Judgement.of(figures, int(ends[FAILURES].canary.sum()))


def _judged(name: str, ends: Ends, share: float, margin: float, alpha: float, asked: bool) -> Figure:
    found, count = ends.difference(alpha), len(ends.bad)
    wanted = f"a share at most {margin:g} above {THE_REST}"
    # Also bets on how few of the good ends were the canary's win, by chance or by rows that were lost.
    if (found.value or 0.0) > 0 and shown_worse(ends.canary, ends.bad, share, alpha):
        # However little more it is: a margin is what cannot be told from nothing yet, not what may be lost.
        return Figure(name, "failed", found, f"a share that is not shown to be above {THE_REST}", count, asked=asked)
    if _within(ends, margin, alpha, 1):
        return Figure(name, "passed", found, wanted, count, asked=asked)
    more = more_until(lambda times: _within(ends, margin, alpha, times), count)
    return Figure(name, "undecided", found, wanted, count, more, asked)


def beyond_usual(canary: NDArray[np.bool_], values: NDArray[np.float64]) -> Ends:
    """Which were slower, or further off, than nine in ten of the other release's first ones.

    Args:
        canary: (N,)
        values: (N,) seconds or absolute errors, in the order in which they came.
    Returns: those after the first ones; none before there are enough.
    """
    import numpy as np

    others = np.flatnonzero(~canary)
    if len(others) < FIRST:
        return Ends(canary[:0], np.zeros(0, np.bool_))
    start = others[FIRST - 1] + 1
    bound = np.quantile(values[others[:FIRST]], USUAL)
    return Ends(canary[start:], values[start:] > bound)


def _within(ends: Ends, margin: float, alpha: float, times: float) -> bool:
    high = ends.difference(alpha, times).high
    return high is not None and high <= margin
