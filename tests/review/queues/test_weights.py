"""How much a label is wanted, against what the columns say, of classes, of several labels and of numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from totalml.evaluation.columns import LIGHT
from totalml.review.item import DISAGREEMENT, OUT_OF_DISTRIBUTION, UNCERTAIN
from totalml.review.queues.pool import Pool
from totalml.review.queues.weights import differing, in_slices, is_in, strange, unsure, weights_of, with_light

LABELS = pa.list_(pa.string())


def test_what_a_model_is_unsure_of_weighs_most_whatever_it_predicts():
    classes = pa.table({"answer:predicted": ["a", "b", None], "answer:confidence": [0.9, 0.55, None]})
    assert unsure(classes) == pytest.approx([0.1, 0.45, np.nan], nan_ok=True)
    said = pa.array([["x"], [], ["x", "y"]], LABELS)
    several = pa.table({"answer:predicted": said, "answer:p:x": [0.9, 0.2, 0.99], "answer:p:y": [0.45, 0.1, 0.98]})
    assert unsure(several) == pytest.approx([0.45, 0.2, 0.02])
    numbers = {"answer:value:mm": [1.0, 2.0], "answer:lower:mm": [0.0, 1.0], "answer:upper:mm": [2.0, 7.0]}
    numbers |= {"answer:value:s": [1.0, 2.0], "answer:lower:s": [0.0, 0.0], "answer:upper:s": [30.0, 10.0]}
    assert unsure(pa.table(numbers)) == pytest.approx([(2 / 4 + 30 / 20) / 2, (6 / 4 + 10 / 20) / 2])
    assert unsure(pa.table({"answer:value": [1.0, 2.0]})) is None  # it gives no interval


def test_what_is_stranger_than_the_middle_weighs_by_how_much():
    table = pa.table({"strangeness": [1.0, 2.0, 3.0, 9.0, float("nan")]})
    assert strange(table) == pytest.approx([0, 0, 0.5, 6.5, np.nan], nan_ok=True)
    assert strange(pa.table({"strangeness": [float("nan")]})) is None


def test_releases_differ_by_what_they_say_and_not_by_how_sure_they_are():
    one = pa.table({"said": ["a", "b", "a"], "labels": pa.array([["x"], ["x"], []], LABELS)})
    two = pa.table({"said": ["a", "a", "a"], "labels": pa.array([["x"], ["x"], ["y"]], LABELS)})
    assert differing(one, two, ["said"]) == pytest.approx([np.nan, 1, np.nan], nan_ok=True)
    assert differing(one, two, ["labels"]) == pytest.approx([np.nan, np.nan, 1], nan_ok=True)
    three, four = pa.table({"mm": [1.0, 5.0, 2.0]}), pa.table({"mm": [1.0, 2.0, 3.0]})
    assert differing(three, four, ["mm"]) == pytest.approx([np.nan, 3 / (4 / 3), 1 / (4 / 3)], nan_ok=True)


def test_a_slice_is_of_words_bins_of_numbers_truths_and_all_of_them_at_once():
    columns = {
        "age": [17.0, 18.0, 40.0, None],
        "glass": ["pint", "half", "pint", "pint"],
        "new": [True, False, True, True],
    }
    table = pa.table({f"metadata:{name}": values for name, values in columns.items()})
    assert is_in(table, {"age": "18 to 41"}).tolist() == [False, True, True, False]
    assert is_in(table, {"age": "missing"}).tolist() == [False, False, False, True]
    assert is_in(table, {"glass": "pint", "new": "yes"}).tolist() == [True, False, True, True]
    assert is_in(table, {"glass": "pint", "light": "dim"}).sum() == 0  # a column that nobody knows
    counts = in_slices(table, {"young": {"age": "below 18"}, "pints": {"glass": "pint"}})
    assert counts == pytest.approx([2, np.nan, 1, 1], nan_ok=True)
    assert in_slices(table, {}) is None


def test_light_is_cut_where_the_test_split_was():
    table = with_light(pa.table({"property:brightness": [0.0, 50.0, 99.0, None]}), np.arange(90.0))
    assert table[f"metadata:{LIGHT}"].to_pylist() == ["dim", "medium", "bright", None]


def test_a_queue_of_which_nothing_is_known_is_none():
    table = pa.table({"answer:predicted": ["a", "b"], "answer:confidence": [0.9, 0.6], "strangeness": [1.0, 2.0]})
    assert [*weights_of(Pool(table, ""), {})] == [OUT_OF_DISTRIBUTION, UNCERTAIN]
    differs = np.array([np.nan, 1.0])
    assert [*weights_of(Pool(table, "", differs), {"pub": {"pub": "a"}})] == [
        DISAGREEMENT,
        OUT_OF_DISTRIBUTION,
        UNCERTAIN,
    ]
