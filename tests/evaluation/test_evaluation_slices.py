"""Counts against brute force, planted faults found by name, and silence where there is none."""

import math
import re
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.errors import EvaluationError
from totalml.evaluation import SampleContext, evaluate
from totalml.evaluation.before_training import check_columns
from totalml.evaluation.columns import in_bin
from totalml.evaluation.slices.errors import WrongAnswers
from totalml.evaluation.slices.membership import groups_of
from totalml.evaluation.slices.search import combined
from totalml.recipe import EvaluationRecipe


def names(slices):
    return [one.name for one in slices]


def test_every_group_and_pair_is_counted(world):
    pints = world(390)
    wrong = pints.wrong(0.1)
    columns = [pints.context.column(name) for name in ("age_group", "glass", "light")]
    found = combined(columns, WrongAnswers(wrong), min_support=15)
    counted = {
        tuple((columns[c].name, columns[c].values[g]) for c, g in zip(cs, gs, strict=True) if c >= 0): (n, e)
        for cs, gs, n, e in zip(
            found.columns.tolist(), found.codes.tolist(), found.count.tolist(), found.errors.tolist(), strict=True
        )
    }
    dim = np.array(["dim", "medium", "bright"])[np.argsort(np.argsort(pints.light)) * 3 // 390]
    rows = list(zip(pints.age.tolist(), pints.table["glass"].to_pylist(), dim.tolist(), wrong.tolist(), strict=True))
    names_of = ("age_group", "glass", "light")
    expected: dict = {}
    for *values, error in rows:
        cells = list(zip(names_of, values, strict=True))
        pairs = [(cells[i], cells[j]) for i in range(3) for j in range(i + 1, 3)]
        for key in [*((cell,) for cell in cells), *pairs]:
            n, e = expected.get(key, (0, 0))
            expected[key] = (n + 1, e + error)
    assert counted == {key: value for key, value in expected.items() if 15 <= value[0] <= 375}


def test_the_score_is_that_of_sliceline(world):
    finder = pytest.importorskip("sliceline.slicefinder")
    pints = world(1500)
    wrong = pints.wrong(np.where(pints.age == "41-60", 0.3, 0.05))
    columns = [pints.context.column(name) for name in ("age_group", "glass", "light", "pub")]
    theirs = finder.Slicefinder(alpha=0.95, k=5, max_l=2, min_sup=30, verbose=False)
    theirs.fit(np.stack([column.codes for column in columns], 1), wrong.astype(float))
    ours = combined(columns, WrongAnswers(wrong), min_support=30).scores(wrong)
    scores = [one["slice_score"] for one in theirs.top_slices_statistics_]
    assert np.sort(ours)[::-1][:5] == pytest.approx(scores)


def test_a_planted_combination_is_found_and_named(world, looked_at):
    for seed in range(5):
        pints = world(1500, seed)
        dim = pints.light < 1 / 3
        wrong = pints.wrong(np.where((pints.age == "41-60") & dim, 0.4, 0.05))
        [found] = looked_at(pints, wrong).found
        assert found.name == "age group 41-60 and dim light"
        assert found.worse
        assert found.value.low <= 0.6 <= found.value.high
        assert found.gap.high < 0


def test_a_planted_group_is_named_without_a_combination(world, looked_at):
    for seed in range(5):
        pints = world(1500, seed)
        slices = looked_at(pints, pints.wrong(np.where(pints.age == "61+", 0.35, 0.05)))
        assert names(slices.found) == ["age group 61+"]
        assert names(slices.worse()) == ["age group 61+"]
        assert slices.declared[0].name == "age group 61+"


def test_an_even_model_is_told_of_no_oftener_than_stated(world, looked_at):
    """The recipe's error rate is 5 %; of 200 evaluations at most that share, and the error of counting, may tell."""
    told = [bool(looked_at(pints := world(400, seed), pints.wrong(0.06)).worse()) for seed in range(200)]
    assert np.mean(told) <= 0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5


def test_a_declared_slice_is_missed_no_more_often_for_being_searched_too(world, looked_at):
    pints = world(600, 3)
    wrong = pints.wrong(np.where(pints.age == "18-25", 0.25, 0.05))
    alone, both = looked_at(pints, wrong, search=[]), looked_at(pints, wrong)
    assert alone.searched == 0
    assert [one.p * 2 for one in alone.declared[:1]] == pytest.approx([one.p for one in both.declared[:1]])


def test_a_gap_too_small_to_matter_is_not_told(world, looked_at):
    pints = world(40_000)
    wrong = pints.wrong(np.where(pints.age == "18-25", 0.065, 0.05))
    assert not looked_at(pints, wrong).worse()
    assert "age group 18-25" in names(looked_at(pints, wrong, min_gap=0.0).worse())


def test_small_groups_are_named_and_not_lumped_together(world, looked_at):
    slices = looked_at(world(200), world(200).wrong(0.1), min_support=40)
    assert "age group 61+" in slices.too_small
    assert not any("other" in one.name for one in (*slices.declared, *slices.found))


def test_numbers_are_cut_where_the_recipe_or_the_quarters_say():
    table = pa.table({"temperature_c": [1.0, 4.0, 5.0, 9.0, None], "pints": [1, 2, 1, 2, 1]})
    context = SampleContext(table, np.arange(5), edges={"temperature_c": [4.0, 6.0]})
    column = context.column("temperature_c")
    assert [column.words[code] for code in column.codes] == [
        "temperature c below 4",
        "temperature c 4 to 6",
        "temperature c 4 to 6",
        "temperature c 6 and more",
        "temperature c missing",
    ]
    few = context.column("pints")
    assert [few.words[code] for code in few.codes] == ["pints 1", "pints 2", "pints 1", "pints 2", "pints 1"]
    quarters = SampleContext(pa.table({"x": np.arange(1000.0)}), np.arange(1000)).column("x")
    assert np.bincount(quarters.codes, minlength=5).tolist() == pytest.approx([250, 250, 250, 250, 0], abs=2)


def test_numbers_that_share_six_digits_are_groups_of_their_own():
    shops = SampleContext(pa.table({"shop": [2000001, 2000002, 2000001]}), np.arange(3)).column("shop")
    assert shops.values == ("2000001", "2000002", "missing")
    assert shops.codes.tolist() == [0, 1, 0]
    cut = SampleContext(pa.table({"at": [1.0]}), np.arange(1), edges={"at": [2000001.0, 2000002.0]}).column("at")
    assert cut.values[:3] == ("below 2000001", "2000001 to 2000002", "2000002 and more")


def test_bins_are_those_of_the_snapshot_whatever_the_split():
    table = pa.table({"x": np.arange(1000.0)})
    some = SampleContext(table, np.arange(900, 1000)).column("x")
    assert some.values == SampleContext(table, np.arange(1000)).column("x").values
    assert set(some.codes.tolist()) == {3}


def test_truth_and_lists_of_people_are_not_searched(world, looked_at):
    pints = world(3000)
    table = pints.table.append_column("rule", pa.array(["good", "bad"] * 1500))
    table = table.append_column("uploader", pa.array([f"u{k % 75}" for k in range(3000)]))
    asked = EvaluationRecipe(slices={})
    from totalml.evaluation.slices.measure import measure_slices

    context = SampleContext(table, np.arange(3000), hidden=("rule", None))
    left_out = measure_slices(asked, asked.slices, context, pints.wrong(0.1)).left_out
    assert left_out == {"rule": "it holds the answer or the split", "uploader": "75 values; at most 50 are combined"}


def test_a_column_of_very_many_values_costs_no_table_of_pairs(world, looked_at):
    pints = world(3000)
    for name in ("note", "comment"):
        texts = np.where(np.arange(3000) < 1500, "none", np.char.add("t", np.arange(3000).astype(str)))
        pints = replace(pints, table=pints.table.append_column(name, pa.array(texts)))
    found = looked_at(pints, pints.wrong(np.where(np.arange(3000) < 1500, 0.2, 0.05)))
    assert found.found[0].name in ("note none", "comment none")


def test_texts_truths_and_empty_columns_make_groups():
    table = pa.table({"outside": [True, False, None], "note": pa.array([None, None, None], pa.string())})
    context = SampleContext(table, np.array([2, 0, 1]))
    column = context.column("outside")
    assert [column.words[code] for code in column.codes] == ["outside missing", "outside yes", "outside no"]
    assert [context.column("note").words[code] for code in context.column("note").codes] == ["note missing"] * 3


def test_a_column_of_numbers_without_a_number_is_all_missing():
    table = pa.table({"taste": pa.array([None, None], pa.float64())})
    column = SampleContext(table, np.arange(2)).column("taste")
    assert [column.words[code] for code in column.codes] == ["taste missing"] * 2


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"slices": {"columns": ["age_grop"]}}, "evaluation.slices.columns.*'age_grop'.*'age_group'"),
        ({"slices": {"search": ["zebra"]}}, "evaluation.slices.search.*there are: age_group"),
        ({"slices": {"edges": {"zebra": [1.0]}}}, "evaluation.slices.edges"),
        ({"slices": {"columns": ["light"]}}, "evaluation.slices.columns.*'light'"),
        ({"slices": None, "fairness": {"columns": ["sex"]}}, "evaluation.fairness.columns.*'sex'"),
    ],
)
def test_columns_that_are_not_there_are_refused(world, recipe, message):
    with pytest.raises(EvaluationError, match=message):
        check_columns(EvaluationRecipe(**recipe), world(5).table, pictures=False)


def test_no_mistake_and_no_sample_too_many_are_no_trouble(world, looked_at):
    pints = world(100)
    for wrong in (np.zeros(100, bool), np.ones(100, bool)):
        assert not looked_at(pints, wrong).worse()
    assert looked_at(world(1), np.array([True])).declared == ()


def test_a_hundred_thousand_samples_take_well_under_a_second(world, looked_at):
    pints = world(100_000)
    wrong = pints.wrong(0.05)
    start = time.process_time()
    assert looked_at(pints, wrong).searched > 500
    # Measured: 0.15 CPU s with 8 columns; a busy machine is given room.
    assert time.process_time() - start < 1


def test_the_group_of_each_sample_stands_beside_its_prediction(world):
    pints = world(120)
    labels = np.zeros(120, np.int64)
    asked = EvaluationRecipe(bootstrap=0, slices={"columns": ["age_group", "light"], "search": ["glass"]})
    probabilities = np.tile([0.9, 0.1], (120, 1))
    ids = [str(number) for number in range(120)]
    found = groups_of(evaluate(asked, ["good", "bad"], ids, labels, probabilities, None, 0, pints.context).predictions)
    assert sorted(found) == ["age_group", "glass", "light"]
    small = [age for age in set(pints.age) if (pints.age == age).sum() < 30]
    assert small
    assert found["age_group"].to_pylist() == [None if age in small else age for age in pints.age.tolist()]
    thirds = np.array(["dim", "medium", "bright"])[np.argsort(np.argsort(pints.light)) // 40]
    assert found["light"].to_pylist() == thirds.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4) | st.just(math.nan) | st.integers(-3, 3).map(float), min_size=1, max_size=40))
def test_a_bin_is_found_again_by_its_name(values):
    """Not of numbers that lie nearer to an edge than its name tells."""
    numbers = np.array(values)
    column = SampleContext(pa.table({"age": numbers}), np.arange(len(numbers))).column("age")
    cuts = [float(cut) for value in column.values for cut in re.findall(r"-?[\d.]+(?:e[+-]?\d+)?", value)]
    near = np.isclose(numbers[:, None], np.array([*cuts, np.inf]), rtol=1e-5).any(axis=1) & ~np.isin(numbers, cuts)
    for code, value in enumerate(column.values):
        assert in_bin(numbers, value)[~near].tolist() == (column.codes == code)[~near].tolist()
