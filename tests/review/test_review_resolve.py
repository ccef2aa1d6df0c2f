"""Several verdicts become a label as each policy says, and somebody who judges badly is found."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.review.resolve import count_labels, resolve, reviewer_accuracies

LABELS = ("dark", "light", "red")
VOTES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(LABELS), min_size=1)


@given(VOTES)
def test_the_majority_is_who_has_more_than_each_other_and_a_tie_is_undecided(votes):
    counts = Counter(votes.values()).most_common()
    alone = len(counts) == 1 or counts[0][1] > counts[1][1]
    found = resolve(votes, "majority", {})
    assert found.label == (counts[0][0] if alone else None)
    assert sum(found.shares.values()) == pytest.approx(1)


@given(VOTES)
def test_unanimous_wants_all_to_say_the_same(votes):
    said = {*votes.values()}
    assert resolve(votes, "unanimous", {}).label == (said.pop() if len(said) == 1 else None)


@settings(max_examples=60)
@given(VOTES, st.lists(st.floats(0.05, 0.95), min_size=6, max_size=6))
def test_weights_give_each_label_the_chance_that_bayes_gives_it(votes, chances):
    accuracies = dict(zip("abcdef", chances, strict=True))
    joint = dict.fromkeys(LABELS, 1.0)
    for truth, (who, said) in product(LABELS, votes.items()):
        joint[truth] *= accuracies[who] if said == truth else (1 - accuracies[who]) / (len(LABELS) - 1)
    shares = resolve(votes, "weighted", accuracies, len(LABELS)).shares
    for said, share in shares.items():
        assert share == pytest.approx(joint[said] / sum(joint.values()))


def judged(seed: int, accuracies: dict[str, float], gold: int) -> tuple[dict, dict, dict]:
    """Votes of two people about each of 200 items, and of all about the gold ones; gold; what is true."""
    drawn = random.Random(seed)
    truth = {f"i{number}": drawn.choice(LABELS) for number in range(200 + gold)}
    known = {item: truth[item] for item in list(truth)[:gold]}
    votes = {}
    for item, true in truth.items():
        people = sorted(accuracies) if item in known else drawn.sample(sorted(accuracies), 2)
        others = [label for label in LABELS if label != true]
        votes[item] = {who: true if drawn.random() < accuracies[who] else drawn.choice(others) for who in people}
    return votes, known, truth


@pytest.mark.parametrize("gold", [0, 5])
def test_a_bad_reviewer_is_found_and_counts_for_less(gold):
    people = {"ann": 0.95, "bob": 0.9, "cleo": 0.95, "dan": 0.9, "eve": 0.3}
    votes, known, truth = judged(1, people, gold)
    found = reviewer_accuracies(votes, known, len(LABELS))
    assert min(found, key=found.__getitem__) == "eve"
    assert all(abs(found[who] - right) < 0.17 for who, right in people.items())  # 80 votes each: three deviations
    right = {
        policy: sum(resolve(each, policy, found, len(LABELS)).label == truth[item] for item, each in votes.items())
        for policy in ("majority", "weighted")
    }
    assert right["weighted"] > right["majority"] + 0.15 * len(votes)


def test_one_of_whom_nothing_is_known_is_taken_at_their_word():
    accuracies = reviewer_accuracies({"i": {"ann": "dark"}}, {}, 2)
    assert accuracies == {"ann": 0.8}
    assert resolve({"ann": "dark"}, "weighted", accuracies).label == "dark"


def test_who_is_always_wrong_on_gold_is_not_believed_alone():
    gold = {f"g{number}": "dark" for number in range(20)}
    votes = {item: {"eve": "light"} for item in gold} | {"i": {"eve": "light"}}
    found = reviewer_accuracies(votes, gold)
    assert found["eve"] == pytest.approx(4 / 25)
    assert resolve(votes["i"], "weighted", found).label is None


def test_there_are_always_two_labels_to_choose_from():
    assert [count_labels(said) for said in ("", "a", "ab", "abc")] == [2, 2, 2, 3]
