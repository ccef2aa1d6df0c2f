"""What a release says that each of its levers brings, row by row: its answer, less that without the lever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from totalml.errors import FeatureError
from totalml.evaluation.regression.columns import column
from totalml.features.shared.part_names import places_of
from totalml.monitoring.lever_effects import Errors
from totalml.monitoring.observations import as_numbers
from totalml.release.bundle import Bundle
from totalml.release.log_rows import ANSWER, METADATA, columns_after
from totalml.release.onnx_model import NUMERIC
from totalml.release.scorer import Inputs, Scorer
from totalml.release.signature import Signature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.panel import Panel

    Numbers = NDArray[np.float64]

ONNX = "onnx"  # a release that torch runs is not loaded by what watches it


@dataclass(frozen=True)
class Levers:
    """Args:
    features: lever -> the numeric column, and those named after it, that it moves.
    target: that they are to move.
    """

    bundle: Bundle
    features: Mapping[str, str]
    target: str

    @classmethod
    def read(cls, bundle: Bundle) -> Self | None:
        """None: the release has none, more targets than one, or no model in ONNX."""
        plan = bundle.recipe.get("plan") or {}
        features = {name: each["feature"] for name, each in plan.get("levers", {}).items()}
        signature = Signature.read(bundle)
        if not features or len(signature.targets) != 1 or bundle.facts["backend"] != ONNX:
            return None
        return cls(bundle, features, signature.targets[0])

    def errors(self, rows: pa.Table, truths: pa.Table, panel: Panel) -> Errors | None:
        """Args:
        rows: as a log has them. truths: of the same rows, with a column of the target.
        Returns: None: the rows lack columns that the model sees.
        """
        answered = as_numbers(rows[ANSWER + column("value", self.target, (self.target,))])
        with np.errstate(invalid="ignore", divide="ignore"):
            errors = as_numbers(truths[self.target]) / np.where(answered > 0, answered, np.nan) - 1
        try:
            brought = self.brought(rows)
        except FeatureError:
            return None
        return Errors(panel.numbers(rows), panel.series_of(rows), errors, brought)

    def brought(self, rows: pa.Table) -> Numbers:
        """(N, L) as a share of the answer; NaN where that is not above 0. Raises: FeatureError: a column is missing."""
        if not len(rows):
            return np.zeros((0, len(self.features)))
        ids = [str(row) for row in range(len(rows))]
        inputs = self._scorer.inputs(ids, None, columns_after(METADATA, rows))
        whole = self._answers(inputs)
        names = self._scorer.signature.numeric
        found = []
        for feature in self.features.values():
            numbers = inputs[NUMERIC].copy()
            numbers[:, places_of(feature, names)] = 0.0
            found.append(whole - self._answers({**inputs, NUMERIC: numbers}))
        return np.stack(found, axis=1) / np.where(whole > 0, whole, np.nan)[:, None]

    def _answers(self, inputs: Inputs) -> Numbers:
        answers = self._scorer.score(inputs).answers
        return as_numbers(answers[column("value", self.target, (self.target,))])

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer.load(self.bundle)
