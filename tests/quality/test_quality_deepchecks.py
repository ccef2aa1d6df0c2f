"""The real deepchecks; skipped where the extra is not installed."""

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from totalml.errors import QualityError
from totalml.quality import Deepchecks

# Asking for it before `totalml` does would let it report to its maker.
os.environ.setdefault("DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY", "True")
# On fewer samples deepchecks' drift scores pass its limits by chance.
COUNT = 600


@pytest.fixture(scope="module", autouse=True)
def _deepchecks():
    import warnings

    with warnings.catch_warnings(action="ignore"):
        pytest.importorskip("deepchecks")


@pytest.fixture
def table(snapshot_of):
    def make(shift=0.0, **more):
        generator = np.random.default_rng(0)
        taste = generator.normal(size=COUNT)
        taste[400:] += shift
        pub = generator.choice(["Mulligan's", "Grogan's", "The Long Hall"], COUNT).tolist()
        day = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=k) for k in range(COUNT)]
        labels = generator.choice(["bad", "good"], COUNT).tolist()
        served = generator.random(COUNT) > 0.5
        return snapshot_of(
            labels,
            timestamps=day,
            taste=taste,
            pub=pub,
            poured=day,
            served=served.tolist(),
            age=generator.integers(18, 80, COUNT).tolist(),
            **more,
        )

    return make


@pytest.fixture
def in_order(splits_of):
    return splits_of("t" * 360 + "v" * 40 + "e" * 200)


def messages(check, snapshot, splits):
    return {finding.message.split(": ")[1]: finding for finding in check.findings(snapshot, splits)}


def test_a_clean_table_has_no_failed_condition(table, in_order):
    assert messages(Deepchecks(suite="data_integrity", level="stop"), table(), in_order) == {}


def test_a_constant_column_is_found(table, in_order):
    found = messages(Deepchecks(suite="data_integrity", level="stop"), table(same=["x"] * COUNT), in_order)
    assert found["Single Value in Column"].level == "stop"
    assert "'same'" in found["Single Value in Column"].message


def test_drift_between_train_and_test_is_found(table, in_order):
    check = Deepchecks(suite="train_test_validation", skip=("MultivariateDrift",))
    assert "Feature Drift" not in messages(check, table(), in_order)
    found = messages(check, table(shift=3.0), in_order)
    assert "'taste'" in found["Feature Drift"].message
    assert "Multivariate Drift" not in found


def test_time_counts_only_when_asked_for(table, splits_of):
    mixed = splits_of(("t" + "e") * 300)
    quiet = messages(Deepchecks(suite="train_test_validation"), table(), mixed)
    asked = messages(Deepchecks(suite="train_test_validation", by_time=True), table(), mixed)
    leaks = {name for name in asked if name.startswith("Date Train-Test Leakage")}
    assert leaks
    assert not leaks & set(quiet)


def test_metadata_may_be_called_as_our_own_columns_are(table, in_order):
    found = messages(Deepchecks(suite="data_integrity"), table(label=["x", "y"] * 300, id=list(range(COUNT))), in_order)
    assert not any("could not run" in finding.message for finding in found.values())


def test_samples_without_label_are_left_out(snapshot_of, in_order):
    snapshot = snapshot_of(["a", "b", None] * 200, taste=np.random.default_rng(0).normal(size=COUNT))
    assert not any("None" in name for name in messages(Deepchecks(suite="data_integrity"), snapshot, in_order))


def test_a_table_without_metadata_is_said_not_to_be_checked(snapshot_of, in_order):
    [finding] = Deepchecks(suite="data_integrity", level="stop").findings(snapshot_of(["a"] * COUNT), in_order)
    assert finding.level == "warn"
    assert "not run" in finding.message


def test_a_misspelt_check_is_refused(table, in_order):
    check = Deepchecks(suite="data_integrity", skip=("ConflictingLabel",))
    with pytest.raises(QualityError, match="did you mean 'ConflictingLabels'"):
        list(check.findings(table(), in_order))
