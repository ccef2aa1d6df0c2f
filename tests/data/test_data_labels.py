"""Labels as people write them: one Unicode form, and several spellings that the recipe brings together."""

import unicodedata
from dataclasses import replace

import pytest
from pydantic import ValidationError

from totalml.component import plain
from totalml.data import Sample, split_samples, take_snapshot
from totalml.errors import SnapshotError
from totalml.recipe import SplitRecipe

NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def test_two_unicode_forms_are_one_label_one_group_and_one_value(listed, store, recipe, encoded):
    for number in range(4):
        word = (NFC, NFD)[number % 2]
        listed.append(Sample(f"{number}", encoded(number), word, word, metadata={"pub": word}))
    snapshot = take_snapshot(recipe(listed), store)
    for values in (snapshot.samples["label"], snapshot.samples["group"], snapshot.metadata["pub"]):
        assert values.to_pylist() == [NFC] * 4
    with pytest.raises(SnapshotError, match=r"leaves .* empty"):  # one sender, one split
        split_samples(SplitRecipe(), snapshot)


MAP = {"good": ("Good", "good "), "bad": ()}


@pytest.fixture
def spelt(listed, encoded):
    """Samples of five labels that mean two."""
    listed[:] = [Sample(f"{n}", encoded(n), label) for n, label in enumerate(["good", "Good", "good ", "bad", "bad"])]
    return listed


def test_a_mapping_brings_spellings_together(spelt, store, recipe):
    snapshot = take_snapshot(recipe(spelt, labels=MAP), store)
    assert snapshot.samples["label"].to_pylist() == ["good", "good", "good", "bad", "bad"]
    spelt[:] = [replace(sample, label=sample.label.strip().lower()) for sample in spelt]
    assert take_snapshot(recipe(spelt), store).data_hash == snapshot.data_hash


def test_a_label_that_no_mapping_names_is_told(spelt, store, recipe):
    with pytest.raises(SnapshotError, match=r"'2': label 'good ' is not in data.labels \['bad', 'good'\]; did you"):
        take_snapshot(recipe(spelt, labels={"good": ["Good"], "bad": []}), store)
    with pytest.raises(SnapshotError, match="no sample has the label 'fine'"):
        take_snapshot(recipe(spelt, labels=MAP | {"fine": ()}), store)


def test_mappings_that_mean_the_same_have_one_form(recipe, listed):
    other = {"bad": ["bad"], "good": ["good ", "good", "Good", "Good"]}
    assert list(plain(recipe(listed, labels=MAP), where=False)["labels"].items()) == [
        ("bad", []),
        ("good", ["Good", "good "]),
    ]
    assert recipe(listed, labels=other) == recipe(listed, labels=MAP)
    assert recipe(listed, labels=MAP).classes == ("bad", "good")


def test_a_list_keeps_its_order_and_one_unicode_form(recipe, listed):
    assert recipe(listed, labels=["b", "a", NFD]).classes == ("b", "a", NFC)


def test_whole_numbers_are_labels_as_they_are_written(recipe, listed):  # yaml/pyyaml#613
    assert recipe(listed, labels=[1, 0]).labels == ("1", "0")
    assert recipe(listed, labels={1: [7], 0: []}).labels == {"0": (), "1": ("7",)}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"a": ["b"], "b": []}, "'b' is a label of its own; it cannot be another spelling of 'a'"),
        ({"a": ["x"], "b": ["x"]}, "'x' is given to two labels, 'a' and 'b'"),
        ([True, "a"], "valid string"),
        ([1.0], "valid string"),
    ],
)
def test_labels_with_two_meanings_are_refused(recipe, listed, labels, message):
    with pytest.raises(ValidationError, match=message):
        recipe(listed, labels=labels)


def test_labels_that_stand_in_another_column_may_be_listed(listed, store, recipe, encoded):
    listed += [Sample(f"{row}", encoded(row), None, metadata={"faults": "thin;short"}) for row in range(4)]
    assert take_snapshot(recipe(listed, labels=("thin", "short")), store).samples["label"].null_count == 4
    listed += [Sample(f"{row}", encoded(row), "thin", metadata={"faults": ""}) for row in (4, 5)]
    with pytest.raises(SnapshotError, match="no sample has the label 'short'"):
        take_snapshot(recipe(listed, labels=("thin", "short")), store)
