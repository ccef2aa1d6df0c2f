import itertools

import numpy as np
import pytest

from totalml.quality.blur import _ranks
from totalml.quality.groups import columns_by, corrected, groups_of, upper_tail
from totalml.quality.label_agreement import _judge


def test_holms_correction_of_a_worked_example():
    """Four chances and a limit of 0.05: only the smallest, below 0.05 / 4, counts (Holm 1979)."""
    assert corrected([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert corrected([]).tolist() == []
    assert corrected([0.9, 0.8]).tolist() == [1.0, 1.0]


def test_tails_of_the_normal_distribution():
    assert upper_tail(0) == 0.5
    assert upper_tail(1.959964) == pytest.approx(0.025, rel=1e-5)


def test_equal_values_share_their_ranks():
    assert _ranks(np.array([3.0, 1, 3, 2], np.float32)).tolist() == [3.5, 1, 3.5, 2]


def test_groups_are_large_enough_on_both_sides(snapshot_of):
    pub = ["x"] * 5 + ["y"] * 2 + ["z"] * 3
    snapshot = snapshot_of(["a"] * 10, pub=pub, taste=[1.0] * 10, open=[True] * 9 + [None])
    columns = {column.name: column for column in columns_by(snapshot, ())}
    assert set(columns) == {"pub", "open", "group"}
    assert [(group.value, group.rows.tolist()) for group in groups_of(columns["pub"], 3)] == [
        ("x", [0, 1, 2, 3, 4]),
        ("z", [7, 8, 9]),
    ]
    assert list(groups_of(columns["open"], 3)) == []


def test_missing_groups_belong_to_none(snapshot_of):
    snapshot = snapshot_of(["a"] * 6, pub=[None, "x", None, "x", "y", "x"])
    [column] = columns_by(snapshot, ("pub",))
    assert [(group.value, group.rows.tolist()) for group in groups_of(column, 2)] == [("x", [1, 3, 5])]


def test_the_chance_of_so_many_contradictions_is_near_the_exact_one(snapshot_of):
    """Independent: every way to share out 7 contradictions among 24 samples, 8 of them in the group."""
    contrary = np.zeros(24, bool)
    contrary[[0, 1, 2, 3, 4, 10, 20]] = True
    snapshot = snapshot_of(["a"] * 24, pub=["x"] * 8 + ["y"] * 16)
    group = next(groups_of(columns_by(snapshot, ("pub",))[0], 5))
    judged = _judge(group, group.rows, np.zeros(24, np.int64), contrary)
    ways = list(itertools.combinations(range(24), 7))
    exact = sum(sum(row < 8 for row in way) >= 5 for way in ways) / len(ways)
    assert judged.chance == pytest.approx(exact, rel=0.25)
    assert judged.expected == pytest.approx(8 * 2 / 16)
