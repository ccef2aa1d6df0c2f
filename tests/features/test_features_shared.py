"""Shared features as columns of a feature set."""

import numpy as np
import pyarrow as pa
import pytest

from tests.features.rows_of_series import DAY_US, table
from totalml.data import ImageFolder, Snapshot
from totalml.errors import FeatureError
from totalml.features import Lags, build_features
from totalml.kinds import SharedFeature
from totalml.recipe import DataRecipe, FeaturesRecipe, SharedRecipe, TableFeatures
from totalml.task import Classification

ROWS = [("a", 0, 1.0), ("b", 0, 2.0), ("a", DAY_US, 3.0), ("b", 2 * DAY_US, None)]


class Broken(SharedFeature):
    fault: str

    def columns(self, rows):
        if self.fault == "short":
            return pa.table({"x": [1.0]})
        if self.fault == "endless":
            return pa.table({"x": [float("inf")] * len(rows)})
        raise ZeroDivisionError("of nothing")


def snapshot():
    rows = table(ROWS)
    samples = pa.table(
        {
            "id": rows["id"],
            "blob": pa.nulls(len(rows), pa.string()),
            "label": ["x", "y"] * 2,
            "timestamp": rows["timestamp"],
        }
    )
    return Snapshot("blake3:" + "0" * 64, samples, rows.drop(["id", "timestamp"]), pa.table({}))


def built(store, *shared):
    named = tuple(SharedRecipe(name=name, feature=feature) for name, feature in shared)
    recipe = FeaturesRecipe(image=None, table=TableFeatures(numeric=("spend",)), shared=named)
    return build_features(recipe, DataRecipe(source=ImageFolder(root=".")), Classification(), snapshot(), store)


def lags(last, **given):
    return Lags(**{"owner": "ann", "column": "spend", "entity": ["region"], "every": "1d", "lags": last} | given)


def test_they_follow_the_table_under_their_names(store):
    features = built(store, ("marketing/spend", lags(1)), ("marketing/now", lags(0)))
    assert features.numeric_names == ("spend", "marketing/spend.lag0", "marketing/spend.lag1", "marketing/now")
    nan = np.nan
    expected = [[1, 1, nan, 1], [2, 2, nan, 2], [3, 3, 1, 3], [nan, nan, nan, nan]]
    assert np.array_equal(features.numeric, np.array(expected, np.float32), equal_nan=True)


def test_another_definition_makes_another_feature_set_and_another_owner_does_not(store):
    key = built(store, ("marketing/spend", lags(1))).key
    assert built(store, ("marketing/spend", lags(1, owner="bob", description="x", unit="EUR"))).key == key
    assert built(store, ("marketing/spend", lags(1, missing="zero"))).key != key


def test_all_that_fail_are_told_at_once(store):
    faults = [(f"team/{fault}", Broken(owner="ann", fault=fault)) for fault in ("short", "endless", "raises")]
    with pytest.raises(FeatureError) as error:
        built(store, *faults)
    assert str(error.value).splitlines() == [
        "shared feature 'team/short': it makes 1 rows, 1 columns; expected an Arrow table of the 4 rows that it "
        "was given",
        "shared feature 'team/endless': part 'x' is infinite or beyond 3.4e38 in 4 rows",
        "shared feature 'team/raises': its code failed: ZeroDivisionError: of nothing",
    ]
