"""What a release keeps for its monitor says of every task what was right."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from totalml.evaluation.multilabel.truth import LabelsTruth
from totalml.monitoring import EstimatedPerformance
from totalml.monitoring.losses import LossOf
from totalml.release.reference import reference_table

TRUTH = LabelsTruth(("thin head", "frog eyes"))
MADE = np.array([[np.nan, 7.5 + row] for row in range(100)], np.float32)
HAS = np.array([[1, 0], [0, 0], [1, 1], [0, 1]] * 25, np.float32)


@pytest.fixture
def reference() -> pa.Table:
    """Of 100 samples whose labels stand in columns of their own; it always says `thin head` alone."""
    count = len(HAS)
    samples = {name: pa.nulls(count, pa.string()) for name in ("id", "label", "group", "timestamp")}
    said = pa.table(
        {
            "predicted": pa.array([["thin head"]] * count),
            "p:thin head": pa.array([0.8] * count),
            "p:frog eyes": pa.array([0.3] * count),
        }
    )
    made: Any = SimpleNamespace(
        snapshot=SimpleNamespace(samples=pa.table(samples), metadata=pa.table({"pub": ["The Harp"] * count})),
        splits=SimpleNamespace(test=np.arange(50)),
        features=SimpleNamespace(
            images=None, targets=SimpleNamespace(values=HAS), numeric=MADE, numeric_names=("pub", "marketing/spend_tv")
        ),
        scored=SimpleNamespace(answers=said, embeddings=np.zeros((count, 2), np.float32), strangeness=None),
    )
    store: Any = None
    return reference_table(made.snapshot, made.splits, made.features, made.scored, np.arange(count), TRUTH, store)


def test_of_several_labels_it_holds_which_were_right(reference):
    assert reference["labels"].to_pylist()[:4] == [["thin head"], [], ["thin head", "frog eyes"], ["frog eyes"]]
    losses = LossOf.fit(reference, TRUTH).of_reference(reference)
    assert losses.tolist() == [0.0, 1.0, 1.0, 1.0] * 25


def test_numbers_that_were_made_for_the_model_stand_beside_those_of_the_source(reference):
    assert reference["metadata:marketing/spend_tv"].to_pylist()[:2] == [7.5, 8.5]
    assert reference["metadata:pub"][0].as_py() == "The Harp"


def test_how_good_it_is_is_estimated_of_each_label(reference):
    estimates = EstimatedPerformance.fit(reference).test(reference).estimates
    shown = {each.name: each.reference for each in estimates}
    assert shown == {"accuracy of thin head": 0.5, "accuracy of frog eyes": 0.5}
