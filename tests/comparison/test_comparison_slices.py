"""Groups that a planted change hits are named, chance names none, and what was cut otherwise is not compared."""

import math
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from tests.evaluated import classified
from tests.evaluation.regressed import regressed
from totalml.comparison.compare_runs import groups_in_words
from totalml.comparison.groups import groups as html_of
from totalml.comparison.slices import slice_changes
from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.columns import SampleContext
from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import chance_as_uneven, paired_bounds, z_of
from totalml.evaluation.slices.record import Slice, Slices
from totalml.recipe import EvaluationRecipe

COUNT = 900
AGES = ["18-25", "26-40", "41-60"]
GLASSES = ["tulip", "plastic"]


@pytest.fixture
def chance() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def groups(chance) -> dict[str, np.ndarray]:
    return {"age_group": chance.choice(AGES, COUNT), "glass": chance.choice(GLASSES, COUNT)}


@pytest.fixture
def predictions() -> Callable[..., ClassificationEvaluation]:
    """What a model says that is right where it is told to be, with the groups of each sample beside it."""

    def make(
        right: np.ndarray, groups: dict[str, np.ndarray], slices: Slices | None = None
    ) -> ClassificationEvaluation:
        said = np.where(right, "good", "bad")
        written = {f"group:{name}": pa.array(values.tolist()).dictionary_encode() for name, values in groups.items()}
        ids = [f"{number:04d}" for number in range(len(right))]
        table = pa.table({"id": ids, "label": ["good"] * len(right), "predicted": said, **written})
        return classified(table, slices=slices)

    return make


def test_a_group_that_got_worse_is_named_with_its_figures(predictions, groups, chance):
    old = chance.random(COUNT) < 0.9
    hit = groups["age_group"] == "41-60"
    new = old & ~(hit & (chance.random(COUNT) < 0.3))
    found = slice_changes(predictions(old, groups), predictions(new, groups))
    [age, *others] = found.all
    assert (age.name, age.where, age.worse) == ("age group 41-60", {"age_group": "41-60"}, True)
    assert (age.gained, age.lost, age.count) == (0, int((old & ~new).sum()), int(hit.sum()))
    assert (age.before, age.after) == pytest.approx((old[hit].mean(), new[hit].mean()))
    assert age.change.high < 0
    assert {one.name for one in others if one.worse} == {"glass plastic", "glass tulip"}  # the fault is in both
    assert not any(one.better for one in found.all)
    assert groups_in_words(found) == "0 better and 3 worse of 5 that both looked at"


def test_swapping_the_runs_swaps_better_and_worse(predictions, groups, chance):
    old, new = (predictions(chance.random(COUNT) < share, groups) for share in (0.7, 0.9))
    forth, back = slice_changes(old, new), slice_changes(new, old)
    assert {one.name for one in forth.all if one.better} == {one.name for one in back.all if one.worse} != set()
    assert [one.p for one in forth.all] == [one.p for one in reversed(back.all)]


def test_chance_calls_a_group_better_or_worse_at_most_as_often_as_stated(predictions, groups):
    named = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        old, new = (predictions(chance.random(COUNT) < 0.8, groups) for _ in range(2))
        named += bool(slice_changes(old, new).clear())
    assert named <= 17  # 10 are allowed for on average; more than 17 of 200 come by chance in 1 of 100


def test_the_chance_is_that_of_mcnemars_exact_test():
    gained, lost = np.array([0, 5, 3, 40, 0]), np.array([0, 5, 9, 10, 6])
    sums = [
        sum(math.comb(g + k, i) for i in range(min(g, k) + 1)) / 2 ** (g + k) for g, k in zip(gained, lost, strict=True)
    ]
    assert chance_as_uneven(gained, lost) == pytest.approx([min(1.0, 2 * each) for each in sums])
    assert chance_as_uneven(gained[4:], lost[4:])[0] == pytest.approx(2 / 64)


def test_the_bounds_hold_as_often_as_stated():
    chance = np.random.default_rng(5)
    drawn = chance.multinomial(60, [0.10, 0.25, 0.65], 4000)
    low, high = paired_bounds(drawn[:, 0], drawn[:, 1], np.full(4000, 60), z_of(0.95))
    assert 0.94 <= ((low <= -0.15) & (high >= -0.15)).mean() <= 0.98
    low, high = paired_bounds(np.array([0]), np.array([0]), np.array([40]), z_of(0.95))
    assert low[0] < 0 < high[0]


def test_a_group_that_was_cut_otherwise_is_not_compared_but_told(predictions, groups, chance):
    right = chance.random(COUNT) < 0.8
    moved = np.where(np.arange(COUNT) == 7, "41-60", groups["age_group"])
    moved[8] = groups["age_group"][7]
    old = predictions(right, groups | {"pub": groups["glass"]})
    new = predictions(right, {"age_group": moved, "glass": groups["glass"]})
    found = slice_changes(old, new)
    changed = {groups["age_group"][7], groups["age_group"][8], "41-60"}
    assert {one.name for one in found.all} == {
        *(f"glass {value}" for value in GLASSES),
        *(f"age group {value}" for value in AGES if value not in changed),
    }
    assert "pub" in found.apart
    nothing = slice_changes(predictions(right, {"pub": moved}), predictions(right, {}))
    assert nothing.all == ()
    assert groups_in_words(nothing) == "none to compare (only one cut it, or otherwise: pub)"


def test_groups_that_both_cut_alike_and_are_too_small_are_not_called_cut_otherwise():
    """As `membership` writes them, null in each group with fewer samples than are looked at."""
    truth = np.linspace(0, 9, 60)[:, None]
    context = SampleContext(pa.table({"pub": [f"pub {number % 4}" for number in range(60)]}), np.arange(60))
    asked = EvaluationRecipe(bootstrap=0, slices={"columns": ["pub"], "search": [], "min_support": 20})
    found = slice_changes(*(regressed(truth, truth + error, asked, context=context) for error in (1.0, 2.0)))
    assert (found.all, found.apart, found.small) == ((), (), ("pub",))
    assert groups_in_words(found) == "none to compare (no group has evaluation.slices.min_support samples: pub)"
    page = html_of(["A", "B"], [SimpleNamespace(slices=found)])
    assert "Of too few samples in each of their groups" in page
    assert "cut alike" not in page


def test_a_combination_is_compared_where_both_runs_name_it(predictions, groups, chance):
    both, alone = ({"age_group": "41-60", "glass": "tulip"}, {"age_group": "18-25", "glass": "tulip"})
    named_by = (_found(both, alone), _found(both))
    found = slice_changes(*(predictions(chance.random(COUNT) < 0.8, groups, slices) for slices in named_by))
    (named,) = [one for one in found.all if len(one.where) == 2]
    inside = (groups["age_group"] == "41-60") & (groups["glass"] == "tulip")
    assert (named.name, named.count) == ("age group 41-60 and glass tulip", int(inside.sum()))


def _found(*wheres: dict[str, str]) -> Slices:
    figures = Interval(0.5, 0.4, 0.6)
    slices = tuple(Slice("named", where, 40, figures, figures, 0.01, worse=True) for where in wheres)
    return Slices((), slices, 10, (), {}, 0.05, 30, 0.95)
