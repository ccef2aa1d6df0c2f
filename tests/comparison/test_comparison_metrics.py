"""The metrics of two runs side by side."""

import json

import pytest

from totalml.comparison.metrics import metric_changes, read_metrics
from totalml.errors import StoreError
from totalml.evaluation.record import Interval


def test_a_metric_of_one_side_alone_has_no_difference():
    changes = metric_changes(
        {"f1": Interval(0.5), "ece": Interval(None)}, {"ece": Interval(0.1), "auroc": Interval(1.0)}
    )
    assert [(each.name, each.difference) for each in changes] == [("f1", None), ("ece", None), ("auroc", None)]
    (change,) = metric_changes({"f1": Interval(0.5)}, {"f1": Interval(0.75)})
    assert change.difference == 0.25


def test_damaged_metrics_are_named(tmp_path):
    file = tmp_path / "metrics.json"
    for text in ("", "[]", json.dumps({"metrics": {"f1": {"wert": 1}}})):
        file.write_text(text)
        with pytest.raises(StoreError, match=r"metrics\.json"):
            read_metrics(file)
