"""Live accuracy against a truth that is known: figures of chance's items hold it, the plain share of all does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from math import comb

import numpy as np
import pyarrow as pa
import pytest

from tests.review.asked import MODEL, item
from tests.review.judged import RELEASE, Pub, judgements, verdict
from totalml.evaluation.interval import Interval
from totalml.evaluation.record import record_of
from totalml.recipe.review import ReviewRecipe
from totalml.review.desk import Desk
from totalml.review.figures import team_figures
from totalml.review.figures.accuracy import accuracies, outcomes
from totalml.review.figures.corrected import corrected
from totalml.review.figures.intervals import exact, weighted
from totalml.review.figures.judgements import Judgements, is_right
from totalml.review.figures.resolved import resolved
from totalml.review.item import GOLD, UNCERTAIN, table_of
from totalml.review.reviews import Reviews
from totalml.store import Store

SEEDS = 60
FALLIBLE = (0.2, 0.02)  # misses one bad pint in five


def alone(judged: Judgements):
    """Of items that one person judged."""
    return {each.item: each.label for each in judged.verdicts}


def accuracy_of(judged: Judgements):
    return accuracies(judged, outcomes(judged, alone(judged)))


def over_seeds(good: float, errors: tuple[float, float], **figures: Callable[[Judgements], Interval]):
    """Of each figure: its mean distance from the truth, and how often its interval holds it."""
    away, held = ({name: [] for name in figures} for _ in range(2))
    for seed in range(SEEDS):
        pub = Pub.of(4000, good, seed)
        judged = pub.judged(errors, seed, gold=120)
        for name, figure in figures.items():
            found = figure(judged)
            away[name].append(found.value - pub.accuracy)
            held[name].append(found.low <= pub.accuracy <= found.high)
    return {name: (np.mean(away[name]), np.mean(held[name])) for name in figures}


def of_control(judged: Judgements) -> Interval:
    return accuracy_of(judged)[0].control


def of_all(judged: Judgements) -> Interval:
    return accuracy_of(judged)[0].weighted


def plain(judged: Judgements) -> Interval:
    right = [*outcomes(judged, alone(judged)).values()]
    return exact(sum(right), len(right))


def without_errors(judged: Judgements) -> Interval:
    return corrected(judged, judged.items)


def test_control_and_weighted_items_hold_the_truth_and_agree_where_the_plain_share_does_not():
    found = over_seeds(0.9, (0, 0), control=of_control, weighted=of_all, plain=plain)
    for figure in ("control", "weighted"):
        away, held = found[figure]
        assert abs(away) < 0.006
        assert held >= 0.9
    assert found["plain"][0] < -0.012


def test_reviewers_errors_are_taken_out_by_gold_as_they_differ_by_class():
    found = over_seeds(0.8, FALLIBLE, control=of_control, without=without_errors)
    assert found["control"][0] < -0.035
    away, held = found["without"]
    assert abs(away) < 0.01
    assert held >= 0.9


def test_weights_of_all_items_narrow_what_control_items_alone_tell():
    widths = []
    for seed in range(20):
        (found,) = accuracy_of(Pub.of(4000, 0.9, seed).judged((0, 0), seed))
        assert found.items > found.control_items == 150
        widths.append((found.weighted.high - found.weighted.low) / (found.control.high - found.control.low))
    assert np.mean(widths) < 0.85


def test_of_two_classes_it_is_the_estimate_of_rogan_and_gladen():
    """One error rate for all: share = (observed + specificity - 1) / (sensitivity + specificity - 1)."""
    said = []
    for number in range(200):
        truth = "good" if number % 2 else "bad"
        answer = {"predicted": "good"}
        about = item(number, GOLD, answer=answer, truth={"label": truth})
        wrong = {"good": "bad", "bad": "good"}[truth] if number // 2 % 10 == 0 else truth  # one in ten of each
        said.append((about, verdict(about, wrong)))
    for number in range(1000, 1100):
        about = item(number, answer={"predicted": "good"})
        said.append((about, verdict(about, "good" if number < 1080 else "bad")))
    judged = judgements(*said)
    found = corrected(judged, judged.items)
    assert found.value == pytest.approx((0.8 + 0.9 - 1) / (0.9 + 0.9 - 1))
    assert found.low < 0.8 < found.value < found.high


def test_gold_that_lacks_a_class_corrects_nothing_and_says_so():
    judged = Pub.of(400, 0.9, 0).judged((0, 0), 0, gold=3)
    found = corrected(judged, judged.items)
    assert found.value is None
    assert "gold items of bad" in found.note


def test_a_batch_that_drew_few_of_many_counts_for_many():
    """All of the first hundred are right, and stand for as many; half of the next stand for nine hundred."""
    few = [item(number, drawn_of=100) for number in range(40)]
    many = [item(number, drawn_of=900) for number in range(100, 140)]
    said = [(each, verdict(each, "light" if n % 2 or each in few else "dark")) for n, each in enumerate([*few, *many])]
    both = judgements(*said)
    batches = {each.item: "few" if each in few else "many" for each, _ in said}
    (found,) = accuracy_of(Judgements(both.items, batches, both.verdicts))
    assert found.control.value == pytest.approx(0.1 * 1 + 0.9 * 0.5)
    assert found.control.low < found.control.value < found.control.high
    (alike,) = accuracy_of(both)
    assert alike.control == exact(60, 80)


def test_what_nobody_could_tell_is_counted_apart_and_other_releases_by_themselves():
    old = [item(number, release="blake3:" + "b" * 64) for number in range(3)]
    said = [(each, verdict(each, "light")) for each in old]
    said += [(each := item(number), verdict(each, None if number == 9 else "dark")) for number in range(5, 10)]
    new, before = accuracy_of(judgements(*said))
    assert (new.release, new.control.value, new.control_items, new.untold) == (RELEASE, 0, 4, 1)
    assert (before.control.value, before.control_items) == (1, 3)


def test_requests_are_live_and_samples_of_a_snapshot_are_told_apart():
    said = [(each := item(number), verdict(each, "light")) for number in range(3)]
    known = [item(number, request_id=None, sample=f"s{number}", data_hash="blake3:b") for number in range(2)]
    said += [(each, verdict(each, "dark")) for each in known]
    assert [(each.live, each.control) for each in accuracy_of(judgements(*said))] == [
        (False, exact(0, 2)),
        (True, exact(3, 3)),
    ]


def test_slices_are_groups_with_enough_items_and_their_share_is_weighted():
    said = []
    for number in range(90):
        queue = UNCERTAIN if number % 3 == 0 else "control"
        facts = {"pub": "Mulligan's" if number < 60 else "Grogan's", "id": str(number)}
        about = item(number, queue, facts=facts, probability=1.0 if queue == UNCERTAIN else 0.25)
        said.append((about, verdict(about, "dark" if queue == UNCERTAIN else "light")))
    (found,) = accuracy_of(judgements(*said))
    assert [(each.column, each.value, each.items) for each in found.slices] == [
        ("pub", "Grogan's", 30),
        ("pub", "Mulligan's", 60),
    ]
    assert found.slices[0].accuracy.value == pytest.approx(20 * 4 / (20 * 4 + 10))


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (3, 10), (10, 10), (97, 100)])
def test_exact_bounds_are_where_a_tail_has_half_of_what_is_left(hits, count):
    def at_least(share: float) -> float:
        return sum(comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(hits, count + 1))

    found = exact(hits, count)
    assert found.low == 0 if hits == 0 else at_least(found.low) == pytest.approx(0.025)
    at_most = 1 - at_least(found.high) + comb(count, hits) * found.high**hits * (1 - found.high) ** (count - hits)
    assert found.high == 1 if hits == count else at_most == pytest.approx(0.025)


def test_equal_weights_are_those_of_a_plain_share():
    found = weighted(np.arange(100) < 90, np.full(100, 7.0))
    assert found.value == pytest.approx(0.9)
    assert (found.low, found.high) == pytest.approx((0.825, 0.945), abs=0.002)  # Wilson's of 90 in 100
    assert weighted(np.ones(50, bool), np.ones(50)).low == pytest.approx(50 / (50 + 1.96**2), abs=1e-3)


def test_an_answer_is_right_as_the_task_judges_it():
    for task, answer, labels in [
        ("classification", {"predicted": "a"}, [{"label": "a"}, {"label": "b"}]),
        ("multilabel", {"predicted": ["a", "b"]}, [{"labels": ["b", "a"]}, {"labels": ["a"]}, {"labels": []}]),
    ]:
        truth = record_of(task).truth(["a", "b"])
        for label in labels:
            known = pa.Table.from_pylist([truth.checked(label)], pa.schema(dict(truth.columns)))
            wrong = truth.judge(pa.Table.from_pylist([answer]), known)["wrong"].to_pylist()
            assert [is_right(answer, label)] == [not each for each in wrong]
    assert is_right({"value": 3.0, "lower": 2.0, "upper": 4.0}, {"mm": 4.0})
    both = {f"{part}:{name}": value for name in "ab" for part, value in (("lower", 0.0), ("upper", 1.0))}
    assert is_right(both, {"a": 0.5, "b": None})
    assert not is_right(both, {"a": 0.5, "b": 1.5})
    assert is_right({}, {"label": "a"}) is None


def test_what_is_said_after_the_answer_was_shown_counts_for_no_accuracy(tmp_path):
    """Somebody who sees that the model says otherwise takes it back, and says what the model says."""
    reviews = Reviews(Store(tmp_path), MODEL)
    reviews.queue(table_of(item(number, UNCERTAIN, probability=0.1) for number in range(10)), "the log")
    settings = ReviewRecipe()
    desk = Desk(reviews, settings)
    for number, each in enumerate(desk.next("eve", 10)):
        desk.give("eve", f"first-{number}", each, {"label": {"label": "dark"}})
    again = desk.take_back("eve", "undone-9")
    desk.give("eve", "again-90", again, {"label": {"label": again.answer["predicted"]}})
    until = datetime.now(UTC) + timedelta(hours=1)
    figures = team_figures(reviews, partial(resolved, settings=settings), None, until)
    (found,) = figures.accuracy
    assert (found.items, found.weighted.value) == (9, 0.0)
    assert figures.verdicts == 10
