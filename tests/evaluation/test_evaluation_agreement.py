"""Two releases' answers about the same samples: whether they agree and what moved, by hand for each task."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.evaluation.agreement import agreement, score_changes

BOUNDED = st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.01, 20))


def classes(shares: list[float]) -> pa.Table:
    said = ["b" if share >= 0.5 else "a" for share in shares]
    return pa.table({"predicted": said, "p:a": [1 - share for share in shares], "p:b": shares})


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8))
def test_of_classes_the_class_and_each_probability_are_compared(pairs):
    ours, theirs = (classes([pair[place] for pair in pairs]) for place in (0, 1))
    assert agreement(ours, theirs).tolist() == [(one >= 0.5) == (other >= 0.5) for one, other in pairs]
    changes = score_changes(ours, theirs)
    assert set(changes) == {"p:a", "p:b"}
    assert changes["p:b"] == pytest.approx([one - other for one, other in pairs])


def test_of_several_labels_the_sets_are_compared():
    ours = pa.table({"predicted": [["head"], [], ["glass", "head"]], "p:head": [0.9, 0.2, 0.8]})
    theirs = pa.table({"predicted": [["head"], ["head"], ["glass", "head"]], "p:head": [0.7, 0.6, 0.8]})
    assert agreement(ours, theirs).tolist() == [True, False, True]
    assert score_changes(ours, theirs)["p:head"] == pytest.approx([0.2, -0.4, 0.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(BOUNDED, min_size=1, max_size=8), st.sampled_from(["", ":head_mm"]))
def test_numbers_agree_within_the_interval_of_the_other_and_move_in_its_widths(rows, ending):
    def told(values: list[float], wide: list[float]) -> pa.Table:
        columns = {"value": values, "lower": np.subtract(values, wide), "upper": np.add(values, wide)}
        return pa.table({f"{name}{ending}": column for name, column in columns.items()})

    values, others, wide = map(list, zip(*rows, strict=True))
    ours, theirs = told(values, [0.5] * len(rows)), told(others, wide)
    inside = [o - w <= v <= o + w for v, o, w in rows]
    assert agreement(ours, theirs).tolist() == inside
    moved = [max(-1.0, min(1.0, (v - o) / ((o + w) - (o - w)))) for v, o, w in rows]
    assert score_changes(ours, theirs)[f"value{ending}"] == pytest.approx(moved)


def test_without_an_interval_nothing_says_how_far_numbers_moved():
    table = pa.table({"value": [1.0, 2.0], "lower": pa.nulls(2, pa.float64()), "upper": pa.nulls(2, pa.float64())})
    assert np.isnan(score_changes(table, table)["value"]).all()
    assert agreement(table, table).tolist() == [False, False]
