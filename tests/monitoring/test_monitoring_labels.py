"""The label test finds more errors soon, keeps its promise where the validation was small, and names worse slices."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.deployment.sequential import share_bounds
from totalml.errors import DataError
from totalml.monitoring import LabelTest, StillRight
from totalml.monitoring.label_evidence import label_evidence, slice_evidence

RUN = 500_000.0
FIRST = 1_772_668_800  # 2026-03-05, seconds since 1970


def errors(seed, count, share):
    return (np.random.default_rng(seed).random(count) < share).astype(np.float64)


@pytest.fixture
def labels():
    return LabelTest.fit(errors(0, 2000, 0.05), RUN)


def test_more_errors_are_found_with_the_label_that_began_them():
    delays = []
    for seed in range(30):
        labels = LabelTest.fit(errors(seed, 2000, 0.05), RUN)
        assert not labels.update(errors(seed + 100, 500, 0.05)).alarm
        found = labels.update(errors(seed + 200, 1500, 0.12))
        delays.append(found.alarm_row - 500)
    assert np.median(delays) < 420
    assert min(delays) >= 0
    since = found.since.rows
    assert since.low <= 500 <= since.high


def test_as_many_errors_as_in_validation_are_no_alarm():
    alarms = sum(
        LabelTest.fit(errors(seed, 300, 0.05), RUN).update(errors(seed + 500, 10_000, 0.05)).alarm for seed in range(50)
    )
    assert alarms <= 2


def delays(count, **how):
    """(count,) labels until it alarms, of 400 of which 15 % are wrong, where 5 % were; 401: it does not."""
    found = []
    for seed in range(count):
        labels = LabelTest.fit(errors(seed, 600, 0.05), 20_000.0)
        told = labels.update(errors(seed + 1000, 400, 0.15), **how)
        found.append(401 if told.alarm_row is None else told.alarm_row)
    return np.array(found)


def test_a_run_that_is_counted_in_rows_needs_fewer_labels_where_one_in_five_has_one():
    by_label, by_row = delays(60), delays(60, passed=np.full(400, 5.0))
    assert (by_row <= by_label).all()
    assert np.median(by_row) < 0.85 * np.median(by_label)


def test_a_run_that_is_counted_in_rows_is_as_long_as_promised():
    """Of a loss that is at its bound, 3,000 labels of which each comes with 5 rows."""
    alarms = 0
    for seed in range(60):
        labels = LabelTest.fit(errors(seed, 600, 0.05), 20_000.0)
        alarms += labels.update(errors(seed + 500, 3000, labels.bound), passed=np.full(3000, 5.0)).alarm
    assert alarms / 60 <= 15_000 / 20_000


def test_a_label_that_was_long_awaited_proves_nothing_by_itself():
    labels = LabelTest.fit(errors(0, 600, 0.05), 20_000.0)
    assert not labels.update([1.0], passed=np.array([1e9])).alarm


def test_errors_of_one_answer_are_found_sooner_than_among_all():
    """Of 600 rows the half is answered `bad`; there errors rise from 6 % to 26 %, elsewhere they stay."""

    def half(seed, count, share):
        bad = np.arange(count) % 2 == 0
        wrong = np.random.default_rng(seed).random(count) < np.where(bad, share, 0.06)
        return wrong.astype(np.float64), {"bad": bad, "good": ~bad}

    gained, calm = [], 0
    for seed in range(40):
        known, said = half(seed, 600, 0.06)
        plain, split = LabelTest.fit(known, 20_000.0), LabelTest.fit(known, 20_000.0, answers=said)
        losses, now = half(seed + 1000, 600, 0.26)
        found = plain.update(losses).alarm_row, split.update(losses, answers=now).alarm_row
        gained.append(np.diff([600 if row is None else row for row in found])[0])
        again = LabelTest.fit(known, 20_000.0, answers=said)
        losses, now = half(seed + 2000, 2000, 0.06)
        calm += again.update(losses, answers=now).alarm
    assert np.median(gained) < 0
    assert calm <= 4  # 2,000 labels of 20,000 between two, in the mean


def said(count, good, bad, seed, after=0):
    """Losses of answers of which every second is `good`, wrong as often as is said of each; one a minute."""
    is_good = np.arange(count) % 2 == 0
    losses = (np.random.default_rng(seed).random(count) < np.where(is_good, good, bad)).astype(np.float64)
    return losses, {"good": is_good, "bad": ~is_good}, (FIRST + 60 * (after + np.arange(count))) * 1_000_000


def alarmed(good, bad, part="answers"):
    """Of a test whose validation erred in 5 %, after 800 calm labels, and 400 that err so."""
    losses, parts, _ = said(2000, 0.05, 0.05, 0)
    labels = LabelTest.fit(losses, 20_000.0, **{part: parts})
    for losses, parts, times in (said(800, 0.05, 0.05, 1), said(400, good, bad, 2, after=800)):
        found = labels.update(losses, times=times, **{part: parts})
    return labels, found


def test_an_alarm_says_which_answer_is_wrong_how_often_and_since_when():
    found = alarmed(0.4, 0.05)[1]
    assert [each.name for each in found.erring] == ["", "good"]
    whole, good = found.erring
    assert (whole.known, good.known) == pytest.approx((0.05, 0.05), abs=0.02)
    assert (whole.now, good.now) == pytest.approx((0.225, 0.4), abs=0.08)
    assert good.since.rows.low <= 800 <= good.since.rows.high
    told = label_evidence(found, StillRight(False, 0.0, 1.0, None), 0, whole.known, False, "").told
    since, before = "of the labelled since 2026-03-05, in", "when it was validated"
    assert told == (
        f"wrong in {whole.now:.0%} {since} {whole.known:.1%} {before}; "
        f"where it says good, wrong in {good.now:.0%} {since} {good.known:.1%} {before}"
    )


def test_an_alarm_of_whatever_it_answers_names_no_answer():
    assert [each.name for each in alarmed(0.35, 0.35)[1].erring] == [""]


def test_an_alarm_of_a_slice_says_how_often_it_is_wrong_there_and_since_when():
    (worse,) = alarmed(0.4, 0.05, part="slices")[0].worse_slices()
    assert worse.erring.now == pytest.approx(0.4, abs=0.08)
    assert worse.erring.since.rows.low <= 800 <= worse.erring.since.rows.high
    told = f"wrong in {worse.erring.now:.0%} of the labelled since 2026-03-05, in {worse.erring.known:.1%} before"
    assert slice_evidence([worse]).told == f"it errs more where good, {told}"


def test_what_an_older_version_kept_goes_on_and_tells_of_answers_from_then_on():
    labels, _ = alarmed(0.05, 0.05)
    state = json.loads(json.dumps(labels.state()))
    for name in ("parts", "names"):
        del state["recent"][name]
    labels.restore(state)
    losses, parts, _ = said(400, 0.4, 0.05, 2)
    found = labels.update(losses, answers=parts)
    assert found.alarm
    assert found.erring[1].now == pytest.approx(0.4, abs=0.08)
    assert found.erring[1].since.rows.low >= 1200


def test_a_number_beside_a_bound_is_as_good_as_a_class():
    """Clipped errors of a regression, which are never 0 or 1."""
    rng = np.random.default_rng(2)
    labels = LabelTest.fit(rng.beta(1, 9, 2000), RUN)
    assert not labels.update(rng.beta(1, 9, 5000)).alarm
    assert labels.update(rng.beta(2, 8, 1000)).alarm


def test_weights_undo_how_a_queue_chose():
    """Half of the samples are hard, of which one in five is wrong; the queue asks for nine hard ones of ten."""
    rng = np.random.default_rng(3)

    def queue(count, wrong):
        hard = rng.random(count) < 0.9
        losses = (rng.random(count) < np.where(hard, wrong, 0.0)).astype(np.float64)
        return losses, np.where(hard, 0.5 / 0.9, 0.5 / 0.1)

    validation = (rng.random(4000) < 0.1).astype(np.float64)
    losses, weights = queue(4000, 0.2)
    assert LabelTest.fit(validation, RUN).update(losses).alarm
    labels = LabelTest.fit(validation, RUN, most_weight=5.0)
    found = labels.update(losses, weights)
    assert not found.alarm
    assert found.loss == pytest.approx(0.1, abs=0.02)
    assert labels.update(*queue(4000, 0.5)).alarm


def test_the_worse_slices_are_named_and_no_other():
    rng = np.random.default_rng(4)

    def rows(count, worse):
        ages = rng.integers(0, 20, count)
        losses = rng.random(count) < np.where(np.isin(ages, worse), 0.3, 0.05)
        return losses.astype(np.float64), {f"age={age}": ages == age for age in range(20)}

    losses, slices = rows(8000, [])
    labels = LabelTest.fit(losses, RUN, slices)
    losses, slices = rows(4000, [3, 7])
    labels.update(losses, slices=slices)
    worse = labels.worse_slices()
    assert {each.name for each in worse} == {"age=3", "age=7"}
    assert all(each.evidence >= 20 * 20 / len(worse) and each.labels > 100 for each in worse)
    labels.restart()
    assert labels.worse_slices() == ()


def test_a_slice_that_validation_did_not_know_is_held_against_all(labels):
    labels.update(errors(5, 200, 0.5), slices={"new": np.ones(200, np.bool_)})
    (worse,) = labels.worse_slices()
    assert (worse.name, worse.bound, worse.labels) == ("new", labels.bound, 200)


def test_how_many_more_labels_say_that_it_is_still_right(labels):
    assert labels.still_right(0.05).more is None
    losses = errors(6, 150, 0.05)
    labels.update(losses)
    undecided = labels.still_right(0.02)
    assert undecided.right is None
    assert (undecided.low, undecided.high) == pytest.approx(share_bounds(losses.sum(), 150, 0.05))
    mean, allowed = losses.mean(), labels.loss + 0.02
    for count, decides in ((150 + undecided.more, True), (0.94 * (150 + undecided.more), False)):
        assert bool(share_bounds(mean * count, count, 0.05)[1] <= allowed) is decides
    labels.update(errors(6, 5000, 0.05))
    assert labels.still_right(0.02).right
    labels.restart()
    labels.update(errors(7, 300, 0.3))
    assert labels.still_right(0.05).right is False


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 90), max_size=5))
def test_it_goes_on_as_if_it_had_not_stopped_in_whatever_batches(sizes):
    validation = errors(8, 500, 0.1)
    losses = np.random.default_rng(9).beta(0.5, 2, sum(sizes))
    losses[::7] = math.nan
    mask = losses > 0.1
    whole, parts = (LabelTest.fit(validation, 100.0) for _ in range(2))
    whole.update(losses, slices={"some": mask})
    places = np.cumsum([0, *sizes])
    for start, end in pairwise(places):
        parts.update(losses[start:end], slices={"some": mask[start:end]})
        again = LabelTest.fit(validation, 100.0)
        again.restore(json.loads(json.dumps(parts.state(), allow_nan=False)))
        assert again.state() == parts.state()
        assert again.still_right(0.1) == parts.still_right(0.1)
        parts = again
    if sizes:
        assert parts.state()["evidence"] == whole.state()["evidence"]
        assert parts.state()["slices"] == whole.state()["slices"]
        assert parts.update([]).loss == (None if not sum(sizes) else pytest.approx(whole.update([]).loss))


def test_without_validation_it_says_that_it_lacks_some():
    for validation, lacking in (([], 1), ([math.nan], 1), ([1.0, 1.0], 0)):
        labels = LabelTest.fit(validation, RUN)
        found = labels.update(np.ones(900))
        assert not found.alarm
        assert found.too_few == lacking
        assert found.log_evidence == -math.inf
        assert labels.worse_slices() == ()


def test_mistakes_are_named_and_change_nothing(labels):
    before = labels.state()
    with pytest.raises(DataError, match=r"2 of 3 have a loss outside of 0..1, the first of them row 1: 4.0"):
        labels.update([0.0, 4.0, -1.0])
    with pytest.raises(DataError, match=r"weight outside of 0..1.*most_weight"):
        labels.update([0.0, 1.0], [0.5, 3.0])
    with pytest.raises(DataError, match="2 labels need a weight each, but there are 1"):
        labels.update([0.0, 1.0], [0.5, math.nan])
    with pytest.raises(DataError, match="slices of other lengths: a of 1"):
        labels.update([0.0, 1.0], slices={"a": [True]})
    with pytest.raises(DataError, match="most_weight 0"):
        LabelTest.fit([0.0], RUN, most_weight=0)
    with pytest.raises(DataError, match="restart"):
        LabelTest.fit([0.0], RUN).restore(before)
    assert labels.state() == before
