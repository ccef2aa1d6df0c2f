import pytest
from pydantic import ValidationError

from totalml.quality import ClassBalance, Duplicates, LabelSpelling, MissingValues, SplitLeakage, SplitSizes


def found(check, snapshot, splits=None):
    return list(check.findings(snapshot, splits))


def test_a_rare_class_is_named_with_its_share(snapshot_of):
    [finding] = found(ClassBalance(min_share=0.1, min_count=3), snapshot_of(["a"] * 48 + ["b"] * 2))
    assert "class 'b' has 2 of 50 samples (4.0%), fewer than min_count 3 and min_share 0.1" in finding.message
    assert finding.level == "warn"


def test_classes_at_the_limit_are_balanced_and_samples_without_label_do_not_count(snapshot_of):
    snapshot = snapshot_of(["a"] * 9 + ["b"] + [None] * 90)
    assert found(ClassBalance(min_share=0.1, min_count=1), snapshot) == []
    assert len(found(ClassBalance(min_share=0.11, min_count=1), snapshot)) == 1


def test_the_same_content_in_two_splits_is_a_leak(snapshot_of, splits_of):
    snapshot = snapshot_of(["a"] * 6, content=["x", "y", "x", "z", "w", "y"])
    [finding] = found(SplitLeakage(), snapshot, splits_of("tttvee"))
    assert finding.level == "stop"
    assert "1 time the same content" in finding.message
    assert "1 time in train and test" in finding.message
    assert finding.samples == ("s0001", "s0005")


def test_the_same_content_within_one_split_is_no_leak(snapshot_of, splits_of):
    snapshot = snapshot_of(["a"] * 4, content=["x", "x", "y", "z"])
    assert found(SplitLeakage(), snapshot, splits_of("ttve")) == []


def test_a_group_in_two_splits_is_a_leak(snapshot_of, splits_of):
    snapshot = snapshot_of(["a"] * 4, groups=["g", "h", "g", "i"])
    [finding] = found(SplitLeakage(), snapshot, splits_of("ttve"))
    assert "the same group" in finding.message
    assert "0 times in train and test" in finding.message
    assert finding.samples == ("s0000", "s0002")


def test_samples_without_content_or_outside_all_splits_cannot_leak(snapshot_of, splits_of):
    snapshot = snapshot_of(["a"] * 5, content=[None, None, "x", None, "x"])
    assert found(SplitLeakage(), snapshot, splits_of("tve-t")) != []
    assert found(SplitLeakage(), snapshot, splits_of("tvet-")) == []


def test_a_leak_lists_at_most_ten_samples(snapshot_of, splits_of):
    snapshot = snapshot_of(["a"] * 40, content=[str(k % 20) for k in range(40)])
    [finding] = found(SplitLeakage(), snapshot, splits_of("t" * 20 + "e" * 20))
    assert "20 times the same content" in finding.message
    assert len(finding.samples) == 10
    assert finding.samples[:2] == ("s0000", "s0020")


def test_missing_values_are_counted_with_nan(snapshot_of):
    snapshot = snapshot_of(
        ["a", None, "b", "b"],
        taste=[1.0, None, float("nan"), 2.0],
        pub=["x", "y", None, "z"],
        ok=[True, False, True, True],
    )
    messages = {finding.message.split("'")[1]: finding for finding in found(MissingValues(), snapshot)}
    assert set(messages) == {"label", "taste", "pub"}
    assert "2 of 4 samples (50.0%)" in messages["taste"].message
    assert messages["taste"].samples == ("s0001", "s0002")


def test_missing_values_up_to_the_share_are_allowed(snapshot_of):
    snapshot = snapshot_of(["a"] * 4, taste=[1.0, None, None, 2.0])
    assert found(MissingValues(max_share=0.5), snapshot) == []
    assert len(found(MissingValues(max_share=0.49), snapshot)) == 1


def test_only_the_named_columns_are_looked_at(snapshot_of):
    snapshot = snapshot_of([None, "a"], taste=[None, 1.0], pub=[None, "x"])
    assert [finding.message.split("'")[1] for finding in found(MissingValues(columns=["pub"]), snapshot)] == ["pub"]


def test_a_column_that_does_not_exist_stops_the_run(snapshot_of):
    [finding] = found(MissingValues(columns=("taste_1",)), snapshot_of(["a"], taste=[1.0]))
    assert finding.level == "stop"
    assert "no column 'taste_1'; did you mean 'taste'?" in finding.message


def test_copies_are_counted_without_their_original(snapshot_of):
    snapshot = snapshot_of(["a", "a", "b", "a", "a"], content=["x", "x", "x", "y", None])
    [finding] = found(Duplicates(), snapshot)
    assert "2 of 4 samples (50.0%)" in finding.message
    assert "1 of them carries another label" in finding.message
    assert finding.samples == ("s0001", "s0002")


def test_copies_up_to_the_share_are_allowed(snapshot_of):
    snapshot = snapshot_of(["a"] * 4, content=["x", "x", "y", "z"])
    assert found(Duplicates(max_share=0.25), snapshot) == []
    assert len(found(Duplicates(max_share=0.24), snapshot)) == 1


@pytest.mark.parametrize(
    "check", [Duplicates(), SplitLeakage(), MissingValues(), ClassBalance(), SplitSizes(min_count=1)]
)
def test_a_table_without_pictures_or_samples_is_no_crash(snapshot_of, splits_of, check):
    assert found(check, snapshot_of([], content=[]), splits_of("")) is not None
    assert found(check, snapshot_of(["a"] * 3, content=[None] * 3), splits_of("tve")) is not None


def test_a_small_split_and_a_class_that_it_lacks_are_named(snapshot_of, splits_of):
    snapshot = snapshot_of(["a", "a", "b", "b", "a"])
    messages = [finding.message for finding in found(SplitSizes(min_count=2), snapshot, splits_of("ttvee"))]
    assert [message.split(",")[0] for message in messages] == [
        "the train split has 0 samples of class 'b'",
        "the validation split has 1 sample",
        "the validation split has 0 samples of class 'a'",
    ]


@pytest.mark.parametrize(
    ("check", "arguments"),
    [(ClassBalance, {"min_share": 2.0}), (SplitLeakage, {"level": "halt"}), (Duplicates, {"share": 0.1})],
)
def test_arguments_out_of_bounds_are_refused(check, arguments):
    with pytest.raises(ValidationError):
        check(**arguments)


def test_labels_that_people_read_as_one_are_told_with_counts(snapshot_of):
    labels = ["good"] * 3 + ["Good", "good ", "good", "go\u200bod", "good\xa0", "bad", "bad.", None]
    [finding] = found(LabelSpelling(), snapshot_of(labels))  # apple/turicreate#1531
    assert finding.level == "warn"
    assert finding.message.startswith(
        "the labels 'good' (4 samples), 'Good' (1 sample), 'good ' (1 sample), 'good\\xa0' (1 sample), "
        "'go\\u200bod' (1 sample) differ only in capitals, spaces or invisible letters."
    )
    assert "data.labels={'good': ['Good', 'good ', 'good\\xa0', 'go\\u200bod'], ...}" in finding.message
    assert finding.samples == ("s0003", "s0004", "s0006", "s0007")


def test_groups_written_in_two_ways_are_told(snapshot_of):
    snapshot = snapshot_of(["a"] * 4, groups=["Kehoe", "kehoe", "Kehoe ", "Mulligan"])
    [finding] = found(LabelSpelling(), snapshot)
    assert "the groups 'Kehoe' (1 sample), 'Kehoe ' (1 sample), 'kehoe' (1 sample)" in finding.message


def test_labels_that_differ_are_not_told(snapshot_of):
    assert found(LabelSpelling(), snapshot_of(["T-Shirt", "Shirt", "shirts", "1", "01", "é", "e"])) == []
