"""What a service makes of a request and the history of a release is what training made of all rows, to the last bit."""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.rows_of_series import DAY_US, START, series, table
from totalml.data import Sample, Snapshot
from totalml.errors import FeatureError
from totalml.features import Calendar, Lags, Ratio, Window
from totalml.features.shared.columns import named_columns, values_of
from totalml.features.shared.freeze import freeze
from totalml.features.shared.frozen import Frozen, Maker, with_made
from totalml.features.shared.looked_up import values_at
from totalml.features.shared.past import TIMESTAMP
from totalml.features.shared.sources import with_snapshots
from totalml.kinds import SharedFeature, Source
from totalml.progress import Progress
from totalml.recipe import FeaturesRecipe, SharedRecipe
from totalml.store import Store

NAME = "marketing/spend"
OF_REGION = {"owner": "ann", "entity": ["region"]}
FEATURES = [
    Lags(**OF_REGION, column="spend", every="1d", lags=3),
    Lags(**OF_REGION, column="spend", every="2d", lags=2, first=1, missing="zero"),
    Window(**OF_REGION, column="spend", last="3d", of=["sum", "mean", "min", "max", "count"]),
    Window(**OF_REGION, column="spend", last="3d", of=["sum"], itself=False),
    Ratio(owner="ann", column="spend", per="spend"),
    Calendar(owner="ann", waves={"year": 2}, parts=["month"]),
]
NONE = pa.table({})


class OwnCode(SharedFeature):
    def columns(self, rows):
        return rows.select(["spend"])


def snapshot_of(rows: pa.Table) -> Snapshot:
    samples = rows.select(["id", TIMESTAMP]).append_column("blob", pa.nulls(len(rows), pa.string()))
    return Snapshot("", samples, rows.select(["region", "spend"]), NONE)


def frozen(shared: SharedRecipe, names: list[str], rows: pa.Table, asked: np.ndarray, store: Store) -> list[Maker]:
    """As a release keeps it and a service reads it back."""
    with tempfile.TemporaryDirectory() as kept:
        found = freeze([shared], names, snapshot_of(rows), asked, store, Path(kept))
        read = [Frozen.from_json(each.as_json()) for each in found]
        return [Maker(each, Path(kept) / each.file if each.file else None) for each in read]


def made_in_training(feature: SharedFeature, rows: pa.Table) -> dict[str, np.ndarray]:
    return named_columns(NAME, values_of(feature, rows, None))


@settings(deadline=None)
@given(rows=series(), feature=st.sampled_from(FEATURES), day=st.integers(0, 12), alone=st.booleans())
def test_it_is_what_training_made_of_all_rows(rows, feature, day, alone):
    whole = table(sorted(rows, key=lambda row: row[1]))
    time = whole[TIMESTAMP].cast(pa.int64()).to_numpy()
    new = np.flatnonzero(time >= int(START.timestamp()) * 10**6 + day * DAY_US)
    expected = made_in_training(feature, whole)
    # Rows that come later all at once; or one at a time, where those between them are part of the history.
    seen = whole if alone else whole.slice(0, len(whole) - len(new))
    (maker,) = frozen(SharedRecipe(name=NAME, feature=feature), [*expected], seen, new if alone else new[:0], Store(""))
    asked = [[row] for row in new] if alone else [new]
    for some in asked:
        made = maker.columns(whole.take(pa.array(some, pa.int64())).select([*maker.frozen.needs]))
        for name, values in expected.items():
            np.testing.assert_array_equal(made[name], values[some])


def test_what_a_request_says_of_a_time_takes_the_place_of_what_was_frozen(store):
    rows = table([("a", day * DAY_US, float(day)) for day in range(5)])
    feature = Window(**OF_REGION, column="spend", last="2d", of=["sum"])
    (maker,) = frozen(SharedRecipe(name=NAME, feature=feature), [NAME], rows, np.array([3]), store)
    asked = table([("a", 4 * DAY_US, 100.0), ("a", 3 * DAY_US, 50.0)])
    assert maker.columns(asked)[NAME].tolist() == [150.0, 52.0]


class Rain(Source):
    """Rain of two regions, a day each."""

    def samples(self) -> Iterator[Sample]:
        for region in "ab":
            for day in range(6):
                when = START + timedelta(days=day)
                yield Sample(
                    f"{region}{day}", None, None, timestamp=when, metadata={"region": region, "rain": 1.5 * day}
                )


@pytest.mark.parametrize("ttl", [None, "36h"])
def test_values_of_a_source_are_looked_up_as_training_joined_them(store, ttl):
    feature = Window(**OF_REGION, column="rain", last="2d", of=["sum", "count"], source=Rain(), ttl=ttl)
    recipe = FeaturesRecipe(shared=(SharedRecipe(name="weather/rain", feature=feature),))
    (shared,) = with_snapshots(recipe, store).shared
    rows = table([(region, day * DAY_US // 2, None) for region in "abc" for day in range(4, 18)])
    expected = named_columns("weather/rain", values_at(shared, rows, store, Progress.silent()))
    (maker,) = frozen(shared, [*expected], rows, np.arange(len(rows)), store)
    assert maker.frozen.needs == (TIMESTAMP, "region")
    made = maker.columns(rows)
    for name, values in expected.items():
        np.testing.assert_array_equal(made[name], values)
    assert np.isnan(made["weather/rain.sum"]).sum() == (14 if ttl is None else 22)  # all of c; the last of a and b


def test_code_of_a_recipe_s_own_is_left_to_the_caller(store):
    rows = table([("a", 0, 1.0)])
    for feature in (OwnCode(owner="ann"), Lags(**OF_REGION, column="spend", every="1d", lags=0, known_time="reported")):
        assert frozen(SharedRecipe(name=NAME, feature=feature), [NAME], rows, np.array([0]), store) == []


@pytest.fixture
def lags(store) -> Maker:
    rows = table([("a", day * DAY_US, float(day)) for day in range(9)])
    shared = SharedRecipe(name=NAME, feature=Lags(**OF_REGION, column="spend", every="1d", lags=1))
    (maker,) = frozen(shared, [f"{NAME}.lag0", f"{NAME}.lag1"], rows, np.array([7, 8]), store)
    return maker


def test_it_says_which_columns_are_missing_for_which_feature(lags):
    asked = table([("a", 9 * DAY_US, 1.0)])
    with pytest.raises(
        FeatureError, match="'marketing/spend' is made of timestamp, region, spend; without region, spend"
    ):
        with_made(asked.select([TIMESTAMP]), [lags])


def test_it_answers_no_question_of_before_its_history(lags):
    with pytest.raises(FeatureError, match="row 2: it is of before 2024-01-08 00:00 UTC"):
        with_made(table([("a", 7 * DAY_US, 1.0), ("a", 6 * DAY_US, 1.0)]), [lags])


def test_two_rows_of_one_entity_and_time_are_refused(lags):
    with pytest.raises(FeatureError, match="'marketing/spend': 1 row of one region has the same time as another"):
        with_made(table([("a", 9 * DAY_US, 1.0), ("a", 9 * DAY_US, 2.0)]), [lags])


def test_columns_that_are_given_ready_made_stay_as_they_are(lags):
    asked = pa.table({f"{NAME}.lag1": [3.5]})
    made = with_made(asked, [lags])
    assert (made[f"{NAME}.lag1"].to_pylist(), made[f"{NAME}.lag0"].to_pylist()) == ([3.5], [None])


def test_code_that_is_none_of_totalml_is_never_imported():
    definition = {"_target_": "recipes.evil.Feature", "source": None, "ttl": None}
    with pytest.raises(Exception, match="its code is no part of totalml"):
        Maker(Frozen(NAME, (NAME,), (), (), definition, None, 0), None)
