"""An evaluation of a classifier of which only what a test looks at is filled in."""

from typing import Any

import pyarrow as pa

from totalml.evaluation.classification.record import ClassificationEvaluation


def classified(predictions: pa.Table, **fields: Any) -> ClassificationEvaluation:
    """Args: predictions: with id, label and predicted."""
    labels = sorted({*predictions["label"].to_pylist(), *predictions["predicted"].to_pylist()})
    nothing: dict[str, Any] = {"metrics": {}, "per_class": {}, "confusion": (), "calibration": ()}
    asked = {"classes": tuple(labels), "positive": None, "confidence": 0.95, "resamples": 0}
    return ClassificationEvaluation(count=len(predictions), predictions=predictions, **nothing | asked | fields)
