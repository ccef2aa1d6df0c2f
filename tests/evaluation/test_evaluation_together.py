"""Samples of one group, such as photos of one pub, are right or wrong together; intervals that know it hold."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from tests.evaluation import labelled
from tests.evaluation.regressed import regressed
from totalml.evaluation.classification.measure import evaluate
from totalml.evaluation.paired import paired, paired_shares
from totalml.evaluation.together import facts, numbers_of
from totalml.lifecycle import _groups
from totalml.recipe import EvaluationRecipe

PUBS, PHOTOS = 24, 10
PUB = np.repeat(np.arange(PUBS), PHOTOS)
GROUPS = [f"pub {pub}" for pub in PUB]
ASKED = EvaluationRecipe(bootstrap=400, slices=None)


def of_right(right, groups=GROUPS):
    """A classifier that is right where it is said."""
    truth = np.arange(len(right)) % 2
    sure = np.where(right, truth, 1 - truth)[:, None] == np.arange(2)
    ids = [f"p{row:04d}" for row in range(len(right))]
    return evaluate(ASKED, ("bad", "good"), ids, truth, np.where(sure, 0.9, 0.1), None, 0, groups=groups)


def drawn(seed):
    """(N,) right in 80 % of all pubs and nearly as one in each."""
    random = np.random.default_rng(seed)
    return random.random(len(PUB)) < np.where(random.random(PUBS) < 0.8, 0.98, 0.08)[PUB]


def brute_force(values):
    """Percentiles of the mean of pubs that are drawn whole."""
    means = values.reshape(PUBS, PHOTOS).mean(axis=1)
    picked = np.random.default_rng(9).integers(0, PUBS, (10_000, PUBS))
    return np.percentile(means[picked].mean(axis=1), [2.5, 97.5])


def test_intervals_of_groups_are_those_of_drawing_groups_and_hold():
    true = 0.8 * 0.98 + 0.2 * 0.08
    found = [of_right(drawn(seed)).metrics["accuracy"] for seed in range(40)]
    assert [found[3].low, found[3].high] == pytest.approx(brute_force(drawn(3)), abs=0.02)
    assert np.mean([each.low <= true <= each.high for each in found]) >= 0.8  # 95 % promised; so few by chance in 1 %
    alone = [of_right(drawn(seed), groups=None).metrics["accuracy"] for seed in range(40)]
    assert np.mean([each.low <= true <= each.high for each in alone]) <= 0.75


def test_the_difference_of_two_models_is_told_by_groups_whatever_their_order():
    was, now = drawn(1), drawn(2)
    old, new = of_right(was), of_right(now)
    brute = brute_force(now.astype(float) - was)
    assert [paired(old, new).low, paired(old, new).high] == pytest.approx(brute, abs=0.01)
    assert new.paired_share("accuracy", new.predictions, old.predictions) is None  # no closed form knows of groups
    figure = new.paired_differences(old)["accuracy"]
    assert [figure.low, figure.high] == pytest.approx(brute, abs=0.03)
    some = np.arange(len(PUB)) < 15 * PHOTOS
    of_some = paired_shares(was[some], now[some], together=PUB[some])
    means = (now.astype(float) - was)[some].reshape(15, PHOTOS).mean(axis=1)
    picked = np.random.default_rng(9).integers(0, 15, (10_000, 15))
    assert [of_some.low, of_some.high] == pytest.approx(
        np.percentile(means[picked].mean(axis=1), [2.5, 97.5]), abs=0.01
    )
    shuffled = replace(new, predictions=new.predictions.take(np.random.default_rng(0).permutation(len(PUB))))
    assert paired(old, shuffled) == paired(old, new)
    assert shuffled.paired_differences(old)["accuracy"] == figure


def test_thirty_photos_of_three_pubs_that_are_all_right_show_no_more_than_three():
    right, groups = np.ones(30, bool), [f"pub {row // 10}" for row in range(30)]
    of_groups, alone = of_right(right, groups), of_right(right, None)
    assert of_groups.metrics["accuracy"].low == pytest.approx(3 / (3 + 1.96**2), abs=1e-3)
    assert alone.metrics["accuracy"].low == pytest.approx(30 / (30 + 1.96**2), abs=1e-3)
    assert of_groups.per_class["good"]["recall"].low == of_groups.metrics["accuracy"].low


def test_labels_and_numbers_have_groups_too():
    true, probabilities = labelled.drawn(4, samples=len(PUB))
    right = drawn(5)
    probabilities = np.where(right[:, None], 0.9 * true + 0.05, 0.9 * ~true + 0.05).astype(np.float32)
    several = labelled.evaluated(true, probabilities, bootstrap=400, groups=GROUPS)
    match = several.metrics["exact_match"]
    assert [match.low, match.high] == pytest.approx(brute_force(right), abs=0.02)
    assert several.paired_share("exact_match", several.predictions, several.predictions) is None
    assert several.paired_differences(several)["exact_match"].value == 0
    errors = right.astype(float)
    numbers = regressed(np.zeros((len(PUB), 1)) + PUB[:, None], PUB[:, None] + errors[:, None], ASKED, groups=GROUPS)
    bias = numbers.metrics["bias"]
    assert [bias.low, bias.high] == pytest.approx(brute_force(errors), abs=0.02)
    assert numbers.predictions["group"].to_pylist() == GROUPS


def test_groups_are_kept_where_samples_share_any_and_count():
    assert of_right(drawn(0)).facts == PUBS
    assert "group" not in of_right(drawn(0), groups=None).predictions.column_names
    assert numbers_of(pa.array(["b", "a", "b"])).tolist() == [1, 0, 1]
    assert numbers_of(pa.array(["a", "b", "c"])) is None  # each is its own
    assert numbers_of(pa.array(["a", "a", "a"])) is None  # of one nothing can be drawn
    assert facts(None, 7) == 7
    snapshot = SimpleNamespace(samples=pa.table({"group": ["b", "a", "b", "c"]}))
    assert _groups(snapshot, np.array([0, 2, 3])) == ["b", "b", "c"]
    assert _groups(snapshot, np.array([0, 1, 3])) is None
