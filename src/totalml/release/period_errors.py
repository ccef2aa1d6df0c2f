"""How wrong a model was of all series of a period at once, over every period that its run knew.

What moves all series of a period is one fact, and those that the model was judged on are few: half a year of weeks
tells nobody how rare an odd week is. So the periods that it learnt from are kept too, and it is said which they are:
of them a model errs less than of those that it meets later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from totalml.evaluation.regression.columns import column
from totalml.release.scorer import CHUNK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from totalml.data import Splits
    from totalml.features.feature_set import FeatureSet
    from totalml.release.scorer import Scorer

    Numbers = NDArray[np.float64]

ERROR = "error:"  # before the name of a target
LEARNT = "learnt"  # whether any row of the period was learnt from


@dataclass(frozen=True)
class Answered:
    """Of every sample of a snapshot.

    Args:
        truths, values: target -> (N,) what is true, and what the model says; NaN: nobody knows.
        learnt: (N,) whether the model was trained on it.
    """

    truths: Mapping[str, Numbers]
    values: Mapping[str, Numbers]
    learnt: NDArray[np.bool_]

    @classmethod
    def by(cls, scorer: Scorer, features: FeatureSet, splits: Splits) -> Self:
        """Raises: ModelError: the model cannot run."""
        targets, truths = features.targets.names, np.asarray(features.targets.values, np.float64)
        rows, names = np.arange(len(truths)), [column("value", each, features.targets.names) for each in targets]
        # Part by part, so that of a model with embeddings no more than a part is held.
        parts = [
            scorer.score_rows(features, rows[start : start + CHUNK]).answers.select(names)
            for start in range(0, len(rows), CHUNK)
        ]
        said = pa.concat_tables(parts)
        return cls(
            dict(zip(targets, truths.T, strict=True)),
            {each: np.asarray(said[name], np.float64) for each, name in zip(targets, names, strict=True)},
            np.isin(rows, splits.train),
        )
