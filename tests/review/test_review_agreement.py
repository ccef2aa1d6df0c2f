"""Agreement as others who measured it published it, and as counting every pair by hand gives it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.review.asked import item
from tests.review.judged import judgements, verdict
from totalml.review.figures.agreement import agreement

# Krippendorff 2011, section C: four observers, twelve units, "." where an observer is missing; alpha is 0.743.
PUBLISHED = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def asked_of(*people: str):
    """One character for each item: what each of the people says; "." nothing."""
    said = [
        (item(number), verdict(item(number), label, who=f"r{who}"))
        for who, labels in enumerate(people)
        for number, label in enumerate(labels)
        if label != "."
    ]
    return agreement(judgements(*said).by_item())


def test_alpha_is_as_published():
    found = asked_of(*PUBLISHED)
    assert found.items == 11
    assert found.alpha.value == pytest.approx(0.743, abs=0.0005)
    assert found.pairs.value == pytest.approx(0.818, abs=0.0005)


@given(st.lists(st.text("ab.", min_size=6, max_size=6), min_size=2, max_size=4))
def test_pairs_and_chance_are_as_counted_by_hand(people):
    found = asked_of(*people)
    units = [[labels[n] for labels in people if labels[n] != "."] for n in range(6)]
    units = [each for each in units if len(each) > 1]
    if not units:
        assert found is None
        return
    shares = [np.mean([one == other for one, other in combinations(each, 2)]) for each in units]
    share_of_a = np.mean([each.count("a") / len(each) for each in units])
    by_chance = 2 * share_of_a * (1 - share_of_a)
    assert found.pairs.value == pytest.approx(np.mean(shares))
    assert found.ac1.value == pytest.approx((np.mean(shares) - by_chance) / (1 - by_chance))
    assert found.pairs.low <= found.pairs.value <= found.pairs.high
    of_a = [(one, other) for each in units for one, other in np.array([*combinations(each, 2)])]
    assert set(found.per_label) == {label for each in units for label in each}
    if len({len(each) for each in units}) == 1 and "a" in found.per_label:
        both = sum(one == other == "a" for one, other in of_a)
        either = sum((one == "a") + (other == "a") for one, other in of_a)
        assert found.per_label["a"].value == pytest.approx(2 * both / either)


def test_where_nearly_all_is_of_one_class_alpha_says_nothing_of_good_agreement_and_ac1_does():
    one, other = "b" * 2 + "a" * 95 + "aab", "aa" + "a" * 95 + "bba"  # 95 of 100 the same, and none of the rare ones
    found = asked_of(one, other)
    assert found.pairs.value == 0.95
    assert found.alpha.value < 0
    assert found.ac1.value > 0.94
    assert found.per_label["b"].value == 0
    assert found.per_label["a"].value == pytest.approx(190 / 195)


def test_that_all_agree_on_few_items_is_no_certainty():
    found = asked_of("aabb" * 3, "aabb" * 3)
    assert (found.pairs.value, found.pairs.high) == (1, 1)
    assert 0.6 < found.pairs.low < 0.9
    assert asked_of("aaa", "aaa").alpha.value is None


def test_who_cannot_tell_agrees_with_nobody_and_numbers_are_no_words():
    assert (
        agreement(judgements((item(1), verdict(item(1), "a")), (item(1), verdict(item(1), None, "bob"))).by_item())
        is None
    )
    numbers = [(item(1), verdict(item(1), "a", who, answer={"label": {"mm": 3.0}})) for who in ("eve", "bob")]
    assert agreement(judgements(*numbers).by_item()) is None


def test_its_interval_holds_the_truth_as_often_as_it_says():
    held = []
    for seed in range(150):
        random = np.random.default_rng(seed)
        hard = random.random(80) < 0.3  # on which three people say anything; so their pairs are no news of each other
        words = [["ab"[int(random.random() < 0.5)] if each else "a" for each in hard] for _ in range(3)]
        found = asked_of(*("".join(each) for each in words))
        held.append(found.pairs.low <= 0.85 <= found.pairs.high)
    assert 0.9 <= np.mean(held) <= 0.99
