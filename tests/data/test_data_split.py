from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from totalml.data import Snapshot, split_samples, split_table
from totalml.data.split import _borders
from totalml.data.splits import NAMES
from totalml.errors import SnapshotError
from totalml.recipe import SplitRecipe

START = datetime(2024, 1, 1, tzinfo=UTC)
FIELDS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=20, max_size=50)  # group, day


def snapshot(groups, labels=None, days=None, **metadata) -> Snapshot:
    count = len(groups)
    times = None if days is None else [None if day is None else START + timedelta(days=int(day)) for day in days]
    samples = pa.table(
        {
            "id": [f"{number:06}" for number in range(count)],
            "label": pa.array(labels or ["a"] * count, pa.string()),
            "group": pa.array([str(group) for group in groups], pa.string()),
            "timestamp": pa.array(times or [None] * count, pa.timestamp("us", "UTC")),
        }
    )
    return Snapshot("blake3:" + "0" * 64, samples, pa.table(metadata), pa.table({}))


def places(splits, count) -> list[str]:
    place = np.full(count, "", object)
    for name in NAMES:
        rows = getattr(splits, name)
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()
        assert (place[rows] == "").all()
        place[rows] = name
    assert (place != "").all()
    return place.tolist()


def try_split(recipe, taken):
    """The splits, or None where one would be empty."""
    try:
        return places(split_samples(recipe, taken), taken.samples.num_rows)
    except SnapshotError:
        return None


@settings(max_examples=60, deadline=None)
@given(fields=FIELDS, salt=st.text(max_size=3))
def test_by_hash_a_group_never_stands_in_two_splits_and_keeps_its_own_when_others_leave(fields, salt):
    recipe = SplitRecipe(train=0.4, validation=0.3, test=0.3, salt=salt)
    groups = [group for group, _ in fields]
    found = try_split(recipe, snapshot(groups))
    assume(found is not None)
    by_group = dict(zip(groups, found, strict=True))
    assert [by_group[group] for group in groups] == found
    fewer = [group for group in groups if group % 2]
    again = try_split(recipe, snapshot(fewer))
    assert again is None or again == [by_group[group] for group in fewer]


def test_by_hash_a_group_goes_where_its_hash_says():
    groups = [f"pub {number}" for number in range(200)]
    found = places(split_samples(SplitRecipe(salt="s"), snapshot(groups)), 200)
    for group, place in zip(groups, found, strict=True):
        text = b"\x01\0\0\0\0\0\0\0s" + group.encode()
        raw = blake3(text, derive_key_context="totalml split v1").digest()
        share = int.from_bytes(raw[:8], "little") / 2**64
        assert place == ("train" if share < 0.7 else "validation" if share < 0.85 else "test")


def test_by_hash_the_shares_come_close_to_the_wanted_ones():
    splits = split_samples(SplitRecipe(train=0.6, validation=0.3, test=0.1), snapshot(range(20_000)))
    # Four standard deviations of a binomial count.
    for name, share in (("train", 0.6), ("validation", 0.3), ("test", 0.1)):
        assert abs(len(getattr(splits, name)) - 20_000 * share) < 4 * (20_000 * share * (1 - share)) ** 0.5


def test_another_salt_gives_another_split():
    taken = snapshot(range(100))
    assert try_split(SplitRecipe(), taken) != try_split(SplitRecipe(salt="x"), taken)


@pytest.mark.parametrize("shares", [(0.8, 0.2, 0), (0.9, 0, 0.1), (1, 0, 0), (0.7, 0.3, 0)])
def test_a_split_with_no_share_stays_empty(shares):
    recipe = SplitRecipe(**dict(zip(NAMES, map(float, shares), strict=True)))
    for taken in (snapshot(range(3000)), snapshot(range(3000), days=range(3000))):
        by = "time" if taken.samples["timestamp"].null_count == 0 else "hash"
        splits = split_samples(recipe.model_copy(update={"by": by}), taken)
        assert [len(getattr(splits, name)) > 0 for name in NAMES] == [share > 0 for share in shares]


def test_a_rounding_error_of_the_shares_opens_no_gap():
    assert _borders(SplitRecipe(train=0.7 - 1e-10, validation=0.0, test=0.3)) == [0.7, 0.7]
    assert _borders(SplitRecipe(train=0.7, validation=0.3 - 1e-10, test=0.0)) == [0.7, 1.0]


@settings(max_examples=60, deadline=None)
@given(fields=FIELDS)
def test_by_time_groups_stay_whole_and_train_ends_before_the_others_end(fields):
    groups, days = zip(*fields, strict=True)
    recipe = SplitRecipe(by="time", train=0.5, validation=0.25, test=0.25)
    found = try_split(recipe, snapshot(groups, days=days))
    assume(found is not None)
    assert len({(group, place) for group, place in zip(groups, found, strict=True)}) == len(set(groups))
    latest = {group: max(day for other, day in fields if other == group) for group in groups}
    for name, later in (("train", "validation"), ("validation", "test")):
        before = [latest[group] for group, place in zip(groups, found, strict=True) if place == name]
        after = [latest[group] for group, place in zip(groups, found, strict=True) if place == later]
        assert max(before) < min(after)


def test_by_time_the_cut_is_at_the_wanted_shares():
    days = list(reversed(range(100)))
    found = places(split_samples(SplitRecipe(by="time"), snapshot(range(100), days=days)), 100)
    assert found == ["test"] * 15 + ["validation"] * 15 + ["train"] * 70


def test_by_time_a_group_goes_with_its_latest_sample():
    days = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    groups = ["x", 1, 2, 3, 4, 5, 6, 7, 8, "x"]
    recipe = SplitRecipe(by="time", train=0.6, validation=0.2, test=0.2)
    found = places(split_samples(recipe, snapshot(groups, days=days)), 10)
    assert found[0] == found[9] == "test"
    assert found[1:7] == ["train"] * 6


def test_by_time_every_sample_needs_a_time():
    with pytest.raises(SnapshotError, match="1 of 3 samples has no timestamp"):
        split_samples(SplitRecipe(by="time"), snapshot(range(3), days=[1, None, 2]))


BY_COLUMN = SplitRecipe(by="column", column="part")


def test_by_column_the_words_are_obeyed():
    words = ["train", "test", "validation", "train"]
    assert places(split_samples(BY_COLUMN, snapshot(range(4), part=words)), 4) == words


@pytest.mark.parametrize(
    ("groups", "metadata", "message"),
    [
        (range(3), {"part": ["train", "valid", None]}, r"\['valid', None\] in 2 samples; expected one of \['train'"),
        (range(3), {"prat": ["train"] * 3}, r"no metadata column 'part'.*did you mean 'prat'"),
        (range(3), {"part": [0, 1, 2]}, "holds int64"),
        ([1, 1, 2], {"part": ["train", "test", "validation"]}, r"1 groups stand in several splits, e.g. \['1'\]"),
        (range(3), {"part": ["train", "test", "test"]}, "leaves validation empty"),
    ],
)
def test_by_column_what_does_not_fit_is_told(groups, metadata, message):
    with pytest.raises(SnapshotError, match=message):
        split_samples(BY_COLUMN, snapshot(groups, **metadata))


def test_an_empty_split_is_refused_with_the_counts():
    recipe = SplitRecipe(train=0.99, validation=0.005, test=0.005)
    with pytest.raises(SnapshotError, match=r"leaves validation empty \(\{'train': 5, 'validation': 0.*salt"):
        split_samples(recipe, snapshot(["one group"] * 5))


def test_a_label_that_train_lacks_is_refused():
    words = ["train", "train", "validation", "test", "test"]
    taken = snapshot(range(5), labels=["a", "a", "a", "b", "b"], part=words)
    with pytest.raises(SnapshotError, match="label 'b' has no sample in train"):
        split_samples(BY_COLUMN, taken)


def test_counts_and_table_say_how_labels_are_shared_out():
    words = ["train"] * 3 + ["validation"] + ["test"] + ["train"]
    taken = snapshot(range(6), labels=["a", "a", "b", "b", "a", None], part=words)
    splits = split_samples(BY_COLUMN, taken)
    assert splits.counts(taken) == {
        "a": {"train": 2, "validation": 0, "test": 1},
        "b": {"train": 1, "validation": 1, "test": 0},
    }
    assert split_table(splits, taken) == [
        ("label", "train", "validation", "test"),
        ("a", "2 (67%)", "0 (0%)", "1 (33%)"),
        ("b", "1 (50%)", "1 (50%)", "0 (0%)"),
        ("all", "4 (67%)", "1 (17%)", "1 (17%)"),
    ]


def test_the_table_of_samples_without_labels_is_not_headed_label():
    taken = snapshot(range(4), labels=[None] * 4, part=["train", "train", "validation", "test"])
    assert split_table(split_samples(BY_COLUMN, taken), taken) == [
        ("", "train", "validation", "test"),
        ("all", "2 (50%)", "1 (25%)", "1 (25%)"),
    ]
