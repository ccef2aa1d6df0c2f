"""How wrong each answer was, within 0..1, so that one test watches classes, labels and numbers alike.

Of classes and labels: whether another one is right. Of numbers: whether the truth lies outside of the interval that was
given, in any target; without intervals, whether the answer is further off than nine in ten of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.evaluation.regression.columns import column
from totalml.labels.columns import PREFIX
from totalml.monitoring.observations import as_numbers
from totalml.release.log_rows import ANSWER, METADATA, columns_after

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.evaluation.truth import Truth

    Losses = NDArray[np.float64]

WRONG, ABSOLUTE = "wrong", "absolute_error:"
USUAL = 0.9  # of the reference's errors are no more than what counts as far off


@dataclass(frozen=True)
class LossOf:
    """Args:
    truth: of the release's task.
    far: target -> error beyond which an answer counts as wrong; of targets without intervals.
    """

    truth: Truth
    far: dict[str, float]

    @classmethod
    def fit(cls, reference: pa.Table, truth: Truth) -> LossOf:
        """Args: reference: of a release, with the columns of the truth."""
        judged = truth.judge(columns_after(ANSWER, reference), reference_truths(reference, truth))
        far = {}
        for name, values in judged.items():
            if name.startswith(ABSOLUTE):
                known = _numbers(values)
                known = known[~np.isnan(known)]
                far[name.removeprefix(ABSOLUTE)] = float(np.quantile(known, USUAL)) if len(known) else np.inf
        return cls(truth, far)

    def of_reference(self, reference: pa.Table) -> Losses:
        """(N,) NaN where the truth, or the answer, is missing."""
        return self._of(columns_after(ANSWER, reference), reference_truths(reference, self.truth))

    def of_labelled(self, joined: pa.Table) -> Losses:
        """(N,) as `of_reference`. Args: joined: predictions with their labels, as `labels.joined` gives them."""
        return self._of(columns_after(ANSWER, joined), columns_after(PREFIX, joined))

    def _of(self, answers: pa.Table, truths: pa.Table) -> Losses:
        judged = self.truth.judge(answers, truths)
        if WRONG in judged:
            return _numbers(judged[WRONG])
        each = [self._of_target(name, answers, truths, judged) for name in self.far]
        with np.errstate(invalid="ignore"):
            return np.asarray(np.max(each, axis=0)) if each else np.full(len(truths), np.nan)

    def _of_target(self, name: str, answers: pa.Table, truths: pa.Table, judged: dict[str, Any]) -> Losses:
        truth, error = as_numbers(truths[name]), _numbers(judged[ABSOLUTE + name])
        targets = tuple(self.far)
        low, high = (column(part, name, targets) for part in ("lower", "upper"))
        losses: Losses = (error > self.far[name]).astype(np.float64)
        if low in answers.column_names and high in answers.column_names:
            lower, upper = as_numbers(answers[low]), as_numbers(answers[high])
            outside = ((truth < lower) | (truth > upper)).astype(np.float64)
            losses = np.where(np.isnan(lower) | np.isnan(upper), losses, outside)
        return np.where(np.isnan(error), np.nan, losses)


def reference_truths(reference: pa.Table, truth: Truth) -> pa.Table:
    """The columns of the truth: a class stands in `label`, other targets in the metadata; null where it has none."""
    there = {*reference.column_names}

    def found(name: str) -> Any:
        return next((reference[place] for place in (name, METADATA + name) if place in there), None)

    given = {name: found(name) for name in truth.columns}
    nothing = {name: pa.nulls(len(reference), kind) for name, kind in truth.columns.items()}
    return pa.table({name: nothing[name] if values is None else values for name, values in given.items()})


def _numbers(values: Any) -> Losses:
    return as_numbers(values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values]))
