import hashlib

import numpy as np
import pyarrow as pa
import pytest

from tests.features.drawn import SIZE
from totalml.data import ImageFolder, Snapshot
from totalml.errors import FeatureError
from totalml.features import build_features
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures, TableFeatures
from totalml.task import Classification

COLUMNS = {
    "temperature_c": pa.array([4.0, None, 6.5, 7.0]),
    "age": pa.array([20, 2**53 + 1, None, 40]),
    "busy": pa.array([True, None, False, True]),
    "pub": pa.array(["Long Hall", "Grogans", None, "Long Hall"]),
    "floor": pa.array([2, 10, 2, None]),
    "seen": pa.array([0, 1, 2, 3], pa.timestamp("us", "UTC")),
    "empty": pa.nulls(4),
    "huge": pa.array([1.0, 2.0, float("inf"), 1e300]),
}


def rows(labels=("good", "bad", "good", "bad"), blobs=(None,) * 4) -> Snapshot:
    samples = pa.table({"id": list("abcd"), "blob": pa.array(blobs, pa.string()), "label": list(labels)})
    return Snapshot("blake3:" + "0" * 64, samples, pa.table(COLUMNS), pa.table({}))


def table_features(store, labels=None, snapshot=None, **table):
    recipe = FeaturesRecipe(image=None, table=TableFeatures(**table))
    data = DataRecipe(source=ImageFolder(root="."), labels=labels)
    return build_features(recipe, data, Classification(), snapshot or rows(), store)


def test_numeric_columns_keep_their_values_and_miss_as_nan(store):
    features = table_features(store, numeric=("temperature_c", "busy", "empty"))
    expected = [[4, 1, np.nan], [np.nan, np.nan, np.nan], [6.5, 0, np.nan], [7, 1, np.nan]]
    assert np.array_equal(features.numeric, np.array(expected, np.float32), equal_nan=True)
    assert features.numeric.dtype == np.float32
    assert features.numeric_names == ("temperature_c", "busy", "empty")


def test_an_integer_too_long_for_a_double_is_rounded(store):
    assert table_features(store, numeric=("age",)).numeric[1, 0] == np.float32(2**53)


def test_categorical_columns_are_codes_of_sorted_words_and_zero_is_missing(store):
    features = table_features(store, categorical=("pub", "floor", "busy"))
    assert features.vocabularies == (("Grogans", "Long Hall"), ("10", "2"), ("false", "true"))
    assert features.categorical.tolist() == [[2, 2, 2], [1, 1, 0], [0, 2, 1], [2, 0, 2]]
    assert features.categorical.dtype == np.int64


def test_every_wrong_column_is_told_at_once(store):
    with pytest.raises(FeatureError) as error:
        table_features(store, numeric=("temprature_c", "pub", "seen", "huge"), categorical=("seen", "temperature_c"))
    lines = str(error.value).splitlines()
    assert len(lines) == 6
    assert "'temprature_c'" in lines[0]
    assert "did you mean 'temperature_c'" in lines[0]
    assert "It has: temperature_c, age" in lines[0]
    assert "'Long Hall', 'Grogans'" in lines[1]
    assert "timestamp" in lines[2]
    assert "in 2 samples" in lines[3]
    assert "double" in lines[5]


def test_an_identifier_is_no_category(store, monkeypatch):
    monkeypatch.setattr("totalml.features.table.MAX_CATEGORIES", 1)
    with pytest.raises(FeatureError, match="'pub' has 2 different values, more than 1"):
        table_features(store, categorical=("pub",))


def test_classes_are_sorted_or_as_the_recipe_lists_them(store):
    assert table_features(store, numeric=("age",)).targets.names == ("bad", "good")
    listed = table_features(store, labels=("good", "okay", "bad"), numeric=("age",))
    assert listed.targets.names == ("good", "okay", "bad")
    assert listed.targets.values.tolist() == [0, 2, 0, 2]


def test_a_label_that_the_recipe_does_not_list_is_named(store):
    with pytest.raises(FeatureError, match=r"\['bad'\].*lists \['good'\]"):
        table_features(store, labels=("good",), numeric=("age",))


def test_samples_without_label_are_named(store):
    with pytest.raises(FeatureError, match="2 samples have no label: 'b', 'c'"):
        table_features(store, snapshot=rows(labels=("good", None, None, "bad")), numeric=("age",))


def test_samples_without_picture_are_named(store):
    recipe = FeaturesRecipe(image=ImageFeatures(size=SIZE))
    snapshot = rows(blobs=("blake3:" + "1" * 64, None, None, "blake3:" + "2" * 64))
    with pytest.raises(FeatureError, match=r"2 samples have no picture: 'b', 'c'.*features\.image: null"):
        build_features(recipe, DataRecipe(source=ImageFolder(root=".")), Classification(), snapshot, store)


def test_sample_keys_come_from_the_ids_alone(store):
    keys = table_features(store, numeric=("age",)).sample_keys
    hashes = [hashlib.blake2b(name, digest_size=8).digest() for name in (b"a", b"b", b"c", b"d")]
    by_hand = [int.from_bytes(one, "little", signed=True) for one in hashes]
    assert keys.tolist() == by_hand


def test_the_key_changes_with_data_columns_and_classes(store):
    one = table_features(store, numeric=("age",))
    others = [
        table_features(store, numeric=("age", "busy")),
        table_features(store, categorical=("floor",)),
        table_features(store, labels=("good", "bad"), numeric=("age",)),
    ]
    assert len({features.key for features in (one, *others)}) == 4
