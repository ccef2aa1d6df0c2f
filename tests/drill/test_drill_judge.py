"""Every detector alarms equally often where nothing happens, and whoever looks at nothing ranks last."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drill.drawn import recipe
from tests.workers.pickled import Pickled
from totalml.drill import Adwin, ColumnByColumn, draw_history, judge
from totalml.drill.detector import DUMMIES, SILENT, windows
from totalml.drill.history import CALM
from totalml.drill.judgement import threshold_for
from totalml.drill.rivals import cut_evidence, log_p_of_ks

TRUTHS = {"sudden": "new covariate", "slow": "new covariate", "habit": "concept", "feast": "expected season"}


@pytest.fixture(scope="module")
def judged(pools):
    rivals = (ColumnByColumn(7), Adwin("score"), Adwin("errors"))
    return judge([*DUMMIES, *rivals], pools, recipe(calm_histories=60, false_alarms=0.1), TRUTHS, seed=1)


@given(
    st.lists(st.floats(-5, 5) | st.integers(-2, 2) | st.just(SILENT), min_size=1, max_size=40), st.floats(0.01, 0.99)
)
def test_the_threshold_is_the_least_that_keeps_the_promise(surest, share):
    surest = np.array(surest, float)
    threshold = threshold_for(surest, share)
    assert (surest >= threshold).mean() <= share + 1e-9
    # Any lower one that makes a difference breaks it: the largest evidence that does not alarm.
    below = surest[surest < threshold]
    assert (surest >= below.max()).sum() > math.floor(share * len(surest) + 1e-9)


def test_all_alarm_falsely_as_often_as_they_may_or_cannot_alarm_at_all(judged):
    for each in judged[0]:
        silent = each.detector in ("always", "never", "every 10th day")  # their evidence is tied in all histories
        assert each.false_alarms == (0.0 if silent else pytest.approx(0.1))


def test_false_alarms_are_what_a_count_by_hand_says(pools, judged):
    detector, asked = ColumnByColumn(7), recipe(calm_histories=60, false_alarms=0.1)
    found = next(each for each in judged[0] if each.detector == detector.name)
    alarmed = [
        any(day >= found.threshold for day in detector.evidence(draw_history(pools, asked, None, 1, number)))
        for number in range(120)
    ]
    assert sum(alarmed[:60]) == 6
    assert found.fresh == sum(alarmed[60:]) / 60


def test_processes_hold_the_same_histories(pools):
    asked = ((ColumnByColumn(7), *DUMMIES), pools, recipe(calm_histories=10, false_alarms=0.1, histories=2), TRUTHS, 1)
    assert judge(*asked, crew=Pickled()) == judge(*asked)


def test_dummies_rank_last(judged):
    names = [each.detector for each in judged[0]]
    assert set(names[-len(DUMMIES) :]) == {each.name for each in DUMMIES}
    assert all(abs(each.score) < 0.2 for each in judged[0][-len(DUMMIES) :])


def test_what_can_be_seen_is_found_and_what_cannot_is_not(judged):
    alarmed = {(each.detector, found.scenario): found for each in judged[0] for found in each.found}
    assert alarmed["KS, Bonferroni", "sudden"].alarmed >= 0.8
    assert alarmed["KS, Bonferroni", "sudden"].delay_days == 7
    assert alarmed["KS, Bonferroni", "habit"].alarmed <= 0.4
    assert alarmed["ADWIN on errors", "habit"].alarmed >= 0.8
    assert alarmed["KS, Bonferroni", "feast"].alarmed >= 0.8  # it knows of no season
    for found in alarmed.values():
        assert sum(found.verdicts.values()) == found.histories
        assert found.alarmed + found.early <= 1


def test_outcomes_say_what_the_shares_are_made_of(judged):
    table, outcomes = judged
    for each in table:
        for found in each.found:
            own = [one for one in outcomes if (one.detector, one.scenario) == (each.detector, found.scenario)]
            assert len(own) == found.histories
            assert sum(one.alarm is not None for one in own) / len(own) == found.alarmed
            assert all(one.alarm is None or 28 <= one.alarm < 56 for one in own)


class LearnsWhatItIs:
    """Alarms on three days, whatever happens, and says on the last of them alone what it is."""

    name = "learns"

    def evidence(self, history):
        happens = np.isin(np.arange(history.days), [29, 39, 49]) & (history.scenario != CALM)
        return np.where(happens, 1.0, SILENT)

    def verdict(self, history, day):
        return "concept" if day == 49 else "unknown"


def test_a_drill_tells_what_is_said_at_first_and_when_it_is_what_happens(pools):
    (judged,), outcomes = judge([LearnsWhatItIs()], pools, recipe(histories=3), TRUTHS, seed=1)
    told = {each.scenario: (each.verdicts, each.delay_days, each.named, each.named_days) for each in judged.found}
    assert told["habit"] == ({"unknown": 3}, 2, 1.0, 22)
    assert told["sudden"] == ({"unknown": 3}, 2, 0.0, None)
    assert {each.named for each in outcomes if each.scenario == "habit"} == {49}


def test_windows_hold_their_days(pools):
    history = draw_history(pools, recipe(), None, 1, 0)
    for last, rows in windows(history, 7):
        assert set(history.day[rows]) <= set(range(last - 6, last + 1))
        assert len(rows) == np.isin(history.day, range(last - 6, last + 1)).sum()


def test_ks_agrees_with_scipy():
    special = pytest.importorskip("scipy.special")
    random = np.random.default_rng(0)
    for shift in (0.0, 0.1, 0.3, 1.0):
        one, other = random.normal(size=300), random.normal(shift, size=200)
        gap = max(abs((one <= x).mean() - (other <= x).mean()) for x in np.concatenate([one, other]))
        root = math.sqrt(120)
        p = special.kolmogorov((root + 0.12 + 0.11 / root) * gap)
        assert log_p_of_ks(np.sort(one), other) == pytest.approx(math.log(p), rel=0.005, abs=1e-3)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.floats(0.001, 1.5))
def test_adwin_cuts_exactly_where_its_paper_says(values, delta):
    values, n = np.array(values), len(values)
    margins = []
    for cut in range(1, n):
        m = 1 / (1 / cut + 1 / (n - cut))
        log = math.log(2 * math.log(n) / delta)
        if log <= 0:
            return
        bound = math.sqrt(2 / m * values.var() * log) + 2 / (3 * m) * log
        margins.append(abs(values[:cut].mean() - values[cut:].mean()) - bound)
    if abs(max(margins)) > 1e-9:
        assert (max(margins) > 0) == (cut_evidence(values) > math.log(1 / delta))
