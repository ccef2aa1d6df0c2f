"""Wrong labels that were planted are doubted most, and a doubt is the probability that it says it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.quality.label_noise import label_doubt

COUNT, CLASSES = 600, 4
ALONE = np.arange(COUNT)


def clouds(seed, count=COUNT, classes=CLASSES, apart=4.0):
    """(N, 8) samples around one centre for each class, scaled, and their true labels."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, count)
    known = random.normal(size=(count, 8)) + apart * np.eye(8)[truth]
    return ((known - known.mean(axis=0)) / known.std(axis=0)).astype(np.float32), truth


def planted(truth, seed, classes=CLASSES, share=0.05):
    """Labels of which a share is another one, and where."""
    random = np.random.default_rng(seed + 100)
    wrong = np.isin(np.arange(len(truth)), random.choice(len(truth), round(share * len(truth)), replace=False))
    return np.where(wrong, (truth + random.integers(1, classes, len(truth))) % classes, truth), wrong


@pytest.mark.parametrize("seed", range(5))
def test_planted_wrong_labels_are_the_most_doubtful_and_what_they_should_be_is_suggested(seed):
    known, truth = clouds(seed)
    label, wrong = planted(truth, seed)
    doubt, suggested = label_doubt(known, label, ALONE)
    worst = np.argsort(-doubt)[: COUNT // 10]
    assert wrong[worst].sum() >= 0.95 * wrong.sum()
    assert (suggested[wrong] == truth[wrong]).mean() >= 0.95


@pytest.mark.parametrize("seed", range(5))
def test_right_labels_are_hardly_doubted(seed):
    known, truth = clouds(seed)
    assert (label_doubt(known, truth, ALONE)[0] > 0.9).sum() <= 0.01 * COUNT


def test_a_doubt_is_the_probability_that_it_is_the_other_label():
    """Of two normal clouds at -1 and 1 the probability of the other label is known by a formula."""
    random = np.random.default_rng(0)
    label = random.integers(0, 2, 4000)
    place = random.normal(2 * label - 1.0)
    doubt, suggested = label_doubt((place / place.std()).astype(np.float32)[:, None], label, np.arange(4000))
    expected = 1 / (1 + np.exp(2 * place * (2 * label - 1)))
    assert abs(doubt - expected).max() < 0.08
    assert (suggested == (place > 0)).mean() > 0.97


def test_what_tells_nothing_leaves_every_label_half_doubted():
    random = np.random.default_rng(0)
    doubt, _ = label_doubt(random.normal(size=(COUNT, 8)).astype(np.float32), random.integers(0, 2, COUNT), ALONE)
    assert abs(doubt - 0.5).max() < 0.15


def test_samples_of_a_group_do_not_vouch_for_each_other():
    """One uploader swapped all labels, and has a mark on all pictures, by which the wrong labels could be learnt."""
    known, truth = clouds(0, classes=2, apart=2.5)
    uploader = np.arange(COUNT) % 20
    known[:, 7] = np.where(uploader == 3, 5, 0) * (2 * truth - 1)
    label = np.where(uploader == 3, 1 - truth, truth)
    theirs = uploader == 3
    assert np.median(label_doubt(known, label, uploader)[0][theirs]) > 0.8
    assert np.median(label_doubt(known, label, ALONE)[0][theirs]) < 0.5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), other=st.permutations(range(CLASSES)))
def test_neither_the_order_of_rows_nor_the_numbers_of_labels_matter(seed, other):
    known, truth = clouds(seed, count=200)
    label, group = planted(truth, seed)[0], np.arange(200) // 2
    order, other = np.random.default_rng(seed).permutation(200), np.array(other)
    doubt, suggested = label_doubt(known, label, group)
    again, also_suggested = label_doubt(known[order], other[label][order], group[order])
    np.testing.assert_allclose(again, doubt[order], atol=1e-3)
    sure = abs(doubt[order] - 0.5) > 0.1
    assert (also_suggested == other[suggested[order]])[sure].all()


def test_what_cannot_be_judged_is_neither_doubted_nor_suggested():
    """Rare labels, unknown ones, and one that a single group carries."""
    known, label = clouds(0)
    label[:9], label[9:20], label[20:60] = 4, -1, 5
    group = np.where(label == 5, -1, ALONE)
    doubt, suggested = label_doubt(known, label, group)
    unjudged = np.arange(COUNT) < 60
    assert (np.isnan(doubt) == unjudged).all()
    assert ((suggested == -1) == unjudged).all()
    assert set(suggested[60:]) <= {0, 1, 2, 3, 5}


@pytest.mark.parametrize("case", ["few samples", "one label", "one group", "nothing known", "no samples"])
def test_where_nothing_can_be_learnt_nothing_is_said(case):
    known, label = clouds(0)
    known, label, group = {
        "few samples": (known[:99], label[:99], ALONE[:99]),
        "one label": (known, np.zeros(COUNT, int), ALONE),
        "one group": (known, label, np.zeros(COUNT, int)),
        "nothing known": (known[:, :0], label, ALONE),
        "no samples": (known[:0], label[:0], ALONE[:0]),
    }[case]
    doubt, suggested = label_doubt(known, label, group)
    assert np.isnan(doubt).all()
    assert (suggested == -1).all()
