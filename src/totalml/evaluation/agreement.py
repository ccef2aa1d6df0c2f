"""Two releases' answers about the same samples: whether they say the same, and how far their scores lie apart.

The columns tell how: words are the same or not; of a number the interval says how near is near.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.types as kinds

from totalml.evaluation.regression.columns import SAID

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats

PROBABILITY, VALUE = "p:", SAID[0]


def agreement(ours: pa.Table, theirs: pa.Table) -> NDArray[np.bool_]:
    """(N,) whether both say the same words of each sample, and each of our values lies within their interval.

    Args: ours, theirs: columns as of `Evaluation.answer_columns`, of the same samples in one order.
    """
    same = np.ones(len(theirs), np.bool_)
    for name in (field.name for field in theirs.schema if not kinds.is_floating(field.type)):
        pairs = zip(ours[name].to_pylist(), theirs[name].to_pylist(), strict=True)
        same &= np.array([one == other for one, other in pairs], np.bool_)
    for ending in _endings(theirs):
        (value, _, _), (_, low, high) = _said(ours, ending), _said(theirs, ending)
        same &= (low <= value) & (value <= high)
    return same


def score_changes(ours: pa.Table, theirs: pa.Table) -> dict[str, Floats]:
    """By score, (N,) within -1..1 and NaN where it is not known: ours minus theirs.

    Of probabilities; and of values in widths of their interval, where one or more counts as one.

    Args: as of `agreement`.
    """
    names = [name for name in theirs.column_names if name.startswith(PROBABILITY)]
    found = {name: np.asarray(ours[name], np.float64) - np.asarray(theirs[name], np.float64) for name in names}
    for ending in _endings(theirs):
        (value, _, _), (other, low, high) = _said(ours, ending), _said(theirs, ending)
        with np.errstate(divide="ignore", invalid="ignore"):
            found[f"{VALUE}{ending}"] = np.clip((value - other) / (high - low), -1, 1)
    return found


def _endings(answers: pa.Table) -> list[str]:
    """What follows the part in the name of a column: nothing, or `:<target>` where there are several."""
    return [name.removeprefix(VALUE) for name in answers.column_names if name.partition(":")[0] == VALUE]


def _said(answers: pa.Table, ending: str) -> list[Floats]:
    """Value, lower and upper, (N,) each; NaN where missing."""
    return [np.asarray(answers[f"{part}{ending}"].to_numpy(), np.float64) for part in SAID]
