"""How well two models answer the same samples, and whether the difference can be told from chance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.evaluation.record import Evaluation
from totalml.evaluation.together import taken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats, Ints

RESAMPLES = 10_000
SEED = 0  # the same two runs give the same interval
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Paired:
    """The headline figure of two models on the same samples.

    Args:
        difference: new - old of the mean score, more is better; low and high bound it at 95 %.
        gained, lost: samples that only the new one, only the old one gets right; or answers better.
        count: samples.
        figure: what is compared.
        share: whether a score is 1 or 0.
    """

    difference: float
    low: float
    high: float
    gained: int
    lost: int
    count: int
    figure: str = "accuracy"
    share: bool = True

    @property
    def clear(self) -> bool:
        return not self.low <= 0 <= self.high


def paired(old: Evaluation, new: Evaluation) -> Paired | None:
    """Bootstrap the difference over the samples that both predicted; None unless they are the same ones.

    Of samples that are one fact whole groups are drawn.
    """
    import numpy as np

    if not new.asks_the_same(old) or old.count != new.count:
        return None
    rows = [each.by_id() for each in (old, new)]
    ids = [each.predictions["id"].take(order) for each, order in zip((old, new), rows, strict=True)]
    if not ids[0].equals(ids[1]):
        return None
    was, now = (new.scores_of(each)[order] for each, order in zip((old, new), rows, strict=True))
    together = taken(new.drawn_together(), rows[1])
    if new.headline_is_share and np.isin([was, now], (0, 1)).all():
        return paired_shares(was == 1, now == 1, new.headline, together)
    step = now - was
    low, high = _bounds_of_mean(step, together)
    gained, lost = int((step > 0).sum()), int((step < 0).sum())
    return Paired(float(step.mean()), low, high, gained, lost, len(step), new.headline, new.headline_is_share)


def paired_shares(
    was: NDArray[np.bool_], now: NDArray[np.bool_], figure: str = "accuracy", together: Ints | None = None
) -> Paired:
    """Of right answers, (N,) each of the same samples.

    Resampling samples with replacement is the same as drawing how many were gained, lost and neither.

    Args: together: (N,) numbers of what is drawn whole; None: each sample alone.
    """
    import numpy as np

    gained, lost, count = int((now & ~was).sum()), int((was & ~now).sum()), len(was)
    if together is None:
        shares = np.array([gained, lost, count - gained - lost]) / count
        drawn = np.random.Generator(np.random.PCG64(SEED)).multinomial(count, shares, RESAMPLES)
        low, high = _middle((drawn[:, 0] - drawn[:, 1]) / count)
    else:
        low, high = _bounds_of_mean(now.astype(np.float64) - was, together)
    return Paired((gained - lost) / count, low, high, gained, lost, count, figure)


def _bounds_of_mean(steps: Floats, together: Ints | None) -> tuple[float, float]:
    import numpy as np

    from totalml.evaluation.bootstrap import resample_counts

    if not steps.any():
        return 0.0, 0.0
    # Some samples alone may be of fewer groups.
    numbers = np.arange(len(steps)) if together is None else np.unique(together, return_inverse=True)[1]
    sums, sizes = np.bincount(numbers, steps), np.bincount(numbers)
    resamples = max(200, min(RESAMPLES, 20_000_000 // len(sums)))
    means = [counts @ sums / (counts @ sizes) for counts in resample_counts(len(sums), resamples, SEED)]
    return _middle(np.concatenate(means))


def _middle(drawn: Floats) -> tuple[float, float]:
    import numpy as np

    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


def read_evaluation(folder: Path) -> Evaluation | None:
    """What a run measured; None if it is not there or not readable."""
    import pyarrow as pa

    try:
        return Evaluation.load(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, pa.ArrowException):
        return None
