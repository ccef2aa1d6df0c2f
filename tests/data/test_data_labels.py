"""Labels as people write them: one Unicode form, and several spellings that the recipe brings together."""

import unicodedata

import pytest

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
