"""A lever that does less than the model says is told by name; what moves all series at once is none of its doing."""

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from totalml.monitoring.cause import judge
from totalml.monitoring.detectors import go_on
from totalml.monitoring.lever_chance import Chance
from totalml.monitoring.lever_effects import MOST_SERIES, Errors, LeverWatch
from totalml.monitoring.lever_regression import EFFECT, LEVEL
from totalml.monitoring.levers import Levers
from totalml.monitoring.lost_effect import KEPT, LATELY, LOST, OVERSHOOT, LostEffects
from totalml.monitoring.page.detectors import measured
from totalml.monitoring.panel import Panel
from totalml.monitoring.panel_levers import PanelLevers
from totalml.monitoring.verdict import CONCEPT, NONE, OF_WINDOW, Evidence
from totalml.release.onnx_model import NUMERIC

SERIES, NAMES = 30, ("tv", "social")
WEEK_US = 7 * 86_400_000_000
KNOWN = Panel("metadata:region", 52, np.arange(120) * WEEK_US, float(SERIES), np.zeros((120, 0)))
REFERENCE, AFTER = np.arange(94, 120), np.arange(120, 180)
ARL = 200.0


def errors(weeks: np.ndarray, seed: int, change: tuple[float, float] = (0.0, 0.0), since: int = 0) -> Errors:
    """Of a market in which each lever brings about a tenth, and half of what is odd of a region stays for a week."""
    random = np.random.default_rng([seed, int(weeks[0])])
    brought = 0.1 * np.exp(0.4 * random.standard_normal((len(weeks), SERIES, 2)))
    odd = 0.04 * random.standard_normal((len(weeks), SERIES))
    for week in range(1, len(weeks)):
        odd[week] += 0.5 * odd[week - 1]
    shock = 0.05 * random.standard_normal((len(weeks), 1)) + 0.1  # of all at once; 10 % more than the model says
    lost = np.where(weeks >= since, 1.0, 0.0)[:, None] * (brought @ np.array(change))
    return Errors(
        numbers=np.repeat(weeks, SERIES),
        series=np.tile([f"s{place}" for place in range(SERIES)], len(weeks)),
        errors=(odd + shock + lost).ravel(),
        brought=brought.reshape(-1, 2),
    )


def watch(seed: int = 0, run: float = ARL) -> LeverWatch:
    return LeverWatch(KNOWN, NAMES, errors(REFERENCE, 100 + seed), run)


def rows_of(given: Errors, which: np.ndarray) -> Errors:
    return Errors(given.numbers[which], given.series[which], given.errors[which], given.brought[which])


def one(given: Errors, week: int) -> Errors:
    return rows_of(given, given.numbers == week)


def follow(watching: LeverWatch, given: Errors) -> list[Evidence]:
    return [watching.look(one(given, week)) for week in np.unique(given.numbers)]


def test_a_lever_that_lost_half_of_its_effect_is_named_with_how_much_and_since_when():
    found = follow(watch(), errors(np.arange(120, 160), 1, (0.0, -0.5), since=125))
    first = next(place for place, each in enumerate(found) if each.alarm)
    assert 5 < first < 30
    last = found[-1]
    assert last.moved == ("social",)
    told = last.facts["levers"]["social"]
    assert told["low"] < 0.5 < told["high"]
    assert told["high"] - told["low"] < 0.5
    assert last.told.startswith("social has lost about ")
    assert abs(np.datetime64(told["since"]) - np.datetime64(125 * WEEK_US, "us")) < np.timedelta64(8 * 7, "D")


def test_a_shock_of_all_series_and_a_model_that_is_too_low_everywhere_say_nothing_of_levers():
    given = errors(np.arange(120, 160), 1)
    shocked = replace(given, errors=given.errors + np.where(given.numbers > 130, -0.3, 0.0))
    assert not any(each.alarm for each in follow(watch(), shocked))
    assert [each.value for each in follow(watch(), shocked)] == pytest.approx(
        [each.value for each in follow(watch(), given)]
    )


def test_false_alarms_are_as_rare_as_promised():
    weeks, markets = 60, 20
    alarms = sum(
        any(each.alarm for each in follow(watch(seed), errors(np.arange(120, 180), seed))) for seed in range(markets)
    )
    assert alarms <= 10  # of 6 at most in the mean; 10 or fewer in 95 %
    assert markets * weeks / ARL == 6


def test_how_errors_scatter_and_what_stays_of_them_is_learnt_of_the_reference():
    chances = [watch(seed)._effects.chance for seed in range(20)]
    assert np.mean([each.kept for each in chances]) == pytest.approx(0.5, abs=0.02)  # as planted
    assert np.mean([each.deviations**2 for each in chances]) == pytest.approx(0.04**2, rel=0.03)
    assert (
        np.std([each.deviations for each in chances], axis=1).mean() < 0.1 * 0.04
    )  # of 0.15 by chance, were it not shrunk


def uneven(given: Errors) -> Errors:
    """Of ten small shops that scatter five times as much as the others, and use three times as much of little."""
    small = np.arange(len(given.errors)) % SERIES < 10
    together = np.repeat(given.errors.reshape(-1, SERIES).mean(axis=1), SERIES)
    scatter, use = (np.where(small, *each) for each in ((1.6, 0.32), (0.6, 0.2)))
    return replace(given, errors=(given.errors - together) * scatter, brought=given.brought * use[:, None])


def test_series_that_scatter_most_and_use_most_raise_no_more_false_alarms():
    weeks, markets, alarms = 60, 20, 0
    for seed in range(markets):
        watching, given = LeverWatch(KNOWN, NAMES, uneven(errors(REFERENCE, 100 + seed)), ARL), errors(AFTER, seed)
        for week in AFTER:
            if watching.look(one(uneven(given), week)).alarm:
                alarms += 1
                watching.restart()
    assert alarms <= 10  # of 6 in the mean, if as many as promised; 10 or fewer in 95 %
    assert markets * weeks / ARL == 6


def test_how_much_each_series_scatters_is_learnt():
    chance = LeverWatch(KNOWN, NAMES, uneven(errors(REFERENCE, 1)), ARL)._effects.chance
    small = np.char.str_len(np.unique(errors(REFERENCE, 1).series)) == 2  # s0 to s9
    few, many = chance.deviations[~small], chance.deviations[small]
    np.testing.assert_allclose(few, 0.32 * 0.04, rtol=0.5)
    np.testing.assert_allclose(many, 1.6 * 0.04, rtol=0.5)
    assert np.sqrt((many**2).mean() / (few**2).mean()) == pytest.approx(5, rel=0.1)


def test_a_week_of_wrong_data_alone_is_no_lost_effect():
    given = errors(np.arange(120, 140), 4)
    wrong = replace(given, errors=np.where(given.numbers == 130, given.errors - 5 * given.brought[:, 0], given.errors))
    assert not any(each.alarm for each in follow(watch(), wrong))


BETS, LEVERS = Chance(deviations=0.02 * 1.2 ** np.arange(9), kept=0.4), 3


def told(periods: int) -> np.ndarray:
    """(T, R, 1 + L) of which nobody knows some."""
    random, series = np.random.default_rng(7), len(BETS.deviations)
    brought = random.uniform(-0.2, 0.4, (periods, series, LEVERS)) + random.uniform(0, 0.2, (series, LEVERS))
    rows = np.concatenate([0.02 * random.standard_normal((periods, series, 1)), brought], axis=2)
    rows[random.random((periods, series)) < 0.1] = np.nan
    return rows


def bets_on(rows: np.ndarray) -> LostEffects:
    bets = LostEffects(BETS, LEVERS)
    for number, each in enumerate(rows):
        bets.add(number, each)
    return bets


def dense(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N,) errors, (T, L, N) what each lever brought since each period, and (N, N) their covariance, by its formula."""
    weights = np.where(np.isfinite(rows), BETS.deviations[:, None] ** -2, 0.0)
    centred = rows - np.nansum(weights * rows, axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    period, series = np.nonzero(np.isfinite(rows).all(axis=2))
    errors, brought = np.split(centred[period, series], [1], axis=1)
    level = (1 - BETS.kept) * LEVEL * (series[:, None] == np.arange(rows.shape[1]))
    covariance = np.diag(BETS.deviations[series] ** 2) + EFFECT**2 * brought @ brought.T + level @ level.T
    since = brought.T * (period >= np.arange(len(rows))[:, None])[:, None]
    return errors[:, 0], since, covariance


def test_what_bets_own_is_the_likelihood_of_a_change_by_the_whole_normal_distribution():
    rows = told(7)
    errors, since, covariance = dense(rows)

    def likelihood(lost: np.ndarray) -> float:
        away = errors + LOST * lost
        return float(-0.5 * away @ np.linalg.solve(covariance, away))

    nothing = likelihood(np.zeros_like(errors))
    expected = np.mean([[np.exp(likelihood(each) - nothing) for each in levers] for levers in since], axis=1).sum()
    assert np.exp(bets_on(rows).log_evidence) == pytest.approx(expected, rel=1e-4)


def test_how_much_was_lost_is_generalised_least_squares_of_all_periods():
    rows = told(12)
    rows[5:, :, 0] -= 0.6 * rows[5:, :, 2]
    errors, since, covariance = dense(rows)
    first, *others = bets_on(rows).surest(1e9)
    assert (first.place, first.since, others) == (1, 5, [])
    change = since[first.since, first.place]
    precision = np.linalg.inv(covariance)
    certain = change @ precision @ change
    times = change @ precision @ errors / certain
    before = EFFECT**2 * since[0] @ precision @ (errors - times * change)
    assert first.share == pytest.approx(-times / (1 + before[1]), rel=1e-3)
    assert first.high - first.low == pytest.approx(2 * 1.96 / np.sqrt(certain) / (1 + before[1]), rel=1e-3)


def test_a_threshold_is_passed_once_in_as_many_periods_as_promised():
    rows, run = told(30), 60.0
    rows[..., 1:] *= [0.04, 0.08, 0.12]
    _, since, covariance = dense(rows)
    since = since[-12]
    certain = np.einsum("ln,nm,lm->l", since, np.linalg.inv(covariance), since)
    deviations = LOST * np.sqrt(certain / 12)
    assert 0.2 < deviations.min() < deviations.max() < 1
    thresholds = [run * np.exp(-OVERSHOOT * each) for each in deviations]
    assert bets_on(rows).threshold(run) == pytest.approx(np.mean(thresholds), rel=1e-3)
    random = np.random.default_rng(3)
    for deviation, threshold in zip(deviations, thresholds, strict=True):  # of one lever, whose bets own a random walk
        owned, runs, going = np.zeros(4000), np.zeros(4000), np.ones(4000, bool)
        while going.any():
            won = deviation * random.standard_normal(4000) - deviation**2 / 2
            owned = (1 + owned) * np.exp(won)
            runs += going
            going &= owned < threshold
        assert runs.mean() == pytest.approx(run, rel=0.06)


def test_periods_of_long_ago_are_summed_and_given_less_weight():
    rows = told(LATELY + 8)
    bets = bets_on(rows)
    kept = 1 - 1 / (KEPT - LATELY)
    early = bets_on(rows[:8])._rows
    expected = sum(kept ** (8 - place) * each.T @ each for place, each in enumerate(early))
    np.testing.assert_allclose(bets._older.products, expected, rtol=1e-9)
    assert len(bets._rows) == LATELY
    assert len(bets._won) == LATELY


def test_two_levers_that_lose_at_once_are_both_named_and_one_that_loses_much_is_alone():
    both = follow(watch(), errors(np.arange(120, 160), 3, (-0.6, -0.6), since=125))[-1]
    assert set(both.moved) == set(NAMES)
    for seed in range(5):
        alone = follow(watch(seed), errors(np.arange(120, 160), seed, (-1.0, 0.0), since=125))[-1]
        assert alone.moved == ("tv",)
        assert "tv has lost about all of its effect" in alone.told


def test_a_lever_that_is_used_like_one_that_lost_is_not_named_beside_it():
    rows = told(16)
    rows[..., 2] = 0.8 * rows[..., 1] + 0.3 * rows[..., 2]
    rows[4:, :, 0] -= rows[4:, :, 1]
    bets = bets_on(rows)
    assert (bets._own(bets._won)[:2] > np.log(ARL)).all()  # it would explain some, were it not for the other
    assert [each.place for each in bets.surest(ARL)] == [0]
    assert sorted(each.place for each in bets.surest(1e-99)) == [0, 1, 2]


def test_one_series_that_is_far_off_is_as_one_that_is_a_little_off():
    rows = told(12)
    wrong = rows.copy()
    wrong[11, 3, 0] = 50.0
    right, off = (bets_on(each)._rows[11] for each in (rows, wrong))
    beside = off[:, 0] - right[:, 0]
    assert 0 < beside[3] < 8
    others = np.delete(beside * BETS.deviations, [2, 3])  # nobody knows the third
    assert np.abs(others / BETS.deviations[3]).max() < 1.5  # as the mean of all is taken off
    assert np.ptp(others) < 2e-5 * BETS.deviations.max()


def test_no_bet_begins_before_a_restart():
    assert watch()._effects.log_evidence == -np.inf  # in the reference neither
    watching, given = watch(), errors(np.arange(120, 140), 1, (0.0, -0.5))
    follow(watching, given)
    watching.restart()
    assert watching._effects.log_evidence == -np.inf
    bets = watching._effects._may(watching._effects._won)
    assert bets.shape == (45, 2)
    assert not np.isfinite(bets).any()


def test_series_that_scatter_more_than_they_did_are_no_lost_effect():
    markets = 12
    alarms = 0
    for seed in range(markets):
        given = errors(np.arange(120, 146), seed)
        wide = np.random.default_rng(seed).normal(0, 0.08, len(given.errors))
        alarms += any(each.alarm for each in follow(watch(seed), replace(given, errors=given.errors + wide)))
    assert alarms <= 4  # by chance 1.6 in the mean; 5 or more in 2 %


def test_a_lever_that_nobody_uses_any_more_hides_no_other_and_lost_nothing():
    given = errors(np.arange(120, 160), 1, (0.0, -0.5), since=125)
    unused = replace(given, brought=given.brought * [0.0, 1.0])
    found = follow(watch(), unused)
    assert found[-1].moved == ("social",)
    quiet = LeverWatch(KNOWN, NAMES, errors(REFERENCE, 1), 1.5)  # so seldom silent that it alarms of nothing
    loud = follow(quiet, replace(given, brought=given.brought * 0.0))
    assert any(each.alarm for each in loud)
    assert all("nan" not in each.told for each in loud)


def test_of_more_series_than_are_needed_some_are_looked_at():
    random = np.random.default_rng(1)
    many, weeks = MOST_SERIES + 100, np.arange(94, 140)
    brought = 0.1 * np.exp(0.4 * random.standard_normal((len(weeks), many, 1)))
    lost = 0.02 * random.standard_normal((len(weeks), many)) - 0.5 * brought[..., 0] * (weeks >= 125)[:, None]
    given = Errors(
        np.repeat(weeks, many),
        np.tile([f"s{each}" for each in range(many)], len(weeks)),
        lost.ravel(),
        brought.reshape(-1, 1),
    )
    panel = replace(KNOWN, usual_rows=float(many))
    watching = LeverWatch(panel, NAMES[:1], rows_of(given, given.numbers < 120), ARL)
    found = follow(watching, rows_of(given, given.numbers >= 120))
    assert 5 <= [each.alarm for each in found].index(True) <= 8  # it is lost from the sixth on
    assert len(watching.state()["series"]) == MOST_SERIES


def test_a_model_that_has_an_effect_a_third_too_high_from_the_first_day_on_is_no_change():
    too_high = LeverWatch(KNOWN, NAMES, errors(REFERENCE, 8, (-0.3, 0.0)), ARL)
    assert not any(each.alarm for each in follow(too_high, errors(np.arange(120, 180), 8, (-0.3, 0.0))))


def test_killed_and_started_again_it_says_the_same():
    given, watching, other = errors(np.arange(120, 150), 5, (-0.5, 0.0)), watch(), watch()
    for week in range(120, 140):
        watching.look(one(given, week))
    other.restore(json.loads(json.dumps(watching.state())))
    for week in range(140, 150):
        assert other.look(one(given, week)) == watching.look(one(given, week))


@pytest.mark.parametrize("wrong", [(5.0, 0.1), (1e300, 0.1), (0.1, -1e6), (0.1, 1e300)])
def test_wrong_rows_neither_raise_an_alarm_nor_hide_one(wrong: tuple[float, float]):
    since, weeks = 125, np.arange(120, 150)
    for change, lost in (((0.0, 0.0), ()), ((0.0, -0.5), ("social",))):
        given = [errors(REFERENCE, 101), errors(weeks, 1, change, since)]
        for each in given:
            each.errors[7 * SERIES + 3], each.brought[7 * SERIES + 3, 0] = wrong
        found = follow(LeverWatch(KNOWN, NAMES, given[0], ARL), given[1])
        assert found[-1].moved == lost


def test_a_state_of_another_version_or_reference_begins_anew():
    given, watching = errors(np.arange(120, 130), 5), watch()
    follow(watching, given)
    kept = json.loads(json.dumps(watching.state()))
    before = {"names": [*NAMES], "steps": [[119, [0.1, 0.1], [0.2, 0.2]]], "at": 119, "before": {}, "known": 1}
    no_scatter = kept | {"effects": {name: each for name, each in kept["effects"].items() if name != "chance"}}
    for seed, state in ((0, before), (0, no_scatter), (1, kept)):
        other = watch(seed)
        new = other.state()
        go_on(other, state)
        assert other.state() == new
    other = watch()
    go_on(other, kept)
    assert other.state() == kept


def test_series_under_other_names_are_told_and_no_good_news():
    watching, given = watch(), errors(np.arange(120, 125), 1)
    found = follow(watching, replace(given, series=np.char.add("shop ", given.series)))
    assert {each.told for each in found} == {
        "no period came with labels of 8 series that had some in the one before too"
    }


def test_a_week_that_is_missing_half_of_its_labels_or_the_week_before_says_nothing():
    watching, given = watch(), errors(np.arange(120, 130), 6)
    known = watching._effects.state()["numbers"]
    assert watching.look(one(given, 121)).value is None  # 120 did not come
    few = one(given, 122)
    few = Errors(few.numbers[:10], few.series[:10], few.errors[:10], few.brought[:10])
    assert watching.look(few).value is None
    assert watching._effects.state()["numbers"] == known


def test_series_that_are_too_few_or_a_reference_that_is_too_short_are_told():
    short = LeverWatch(KNOWN, NAMES, errors(np.arange(114, 120), 0), ARL)
    assert short.too_few == 7
    assert short.look(errors(np.arange(120, 121), 0)).told == "7 more periods of the reference would be needed"
    few = replace(errors(REFERENCE, 0), series=np.repeat("s0", len(REFERENCE) * SERIES))
    assert LeverWatch(KNOWN, NAMES, few, ARL).too_few > 0


def test_a_lost_effect_is_a_concept_and_its_verdict_names_the_lever():
    lost = follow(watch(), errors(np.arange(120, 160), 1, (0.0, -0.5)))[-1]
    verdict = judge([Evidence(OF_WINDOW, False, "nothing moved"), lost])
    assert verdict.cause == CONCEPT
    assert "social has lost about" in verdict.told
    assert verdict.moved == ("social",)
    assert measured(lost).endswith(f"to 1; found at {np.exp(lost.level):.0f} to 1")
    assert judge([Evidence(OF_WINDOW, False, "nothing moved"), replace(lost, alarm=False)]).cause == NONE


class _Scorer:
    """Sells 100, and 2 a unit of the first lever's two columns, and 1 of the second's."""

    signature = SimpleNamespace(numeric=("size", "spend_tv.lag0", "spend_tv.lag1", "spend_social"))

    def inputs(self, ids: list[str], pictures: None, rows: pa.Table) -> dict[str, np.ndarray]:
        return {NUMERIC: np.stack([rows[name].to_numpy() for name in self.signature.numeric], axis=1)}

    def score(self, inputs: dict[str, np.ndarray]) -> SimpleNamespace:
        return SimpleNamespace(answers=pa.table({"value": 100 + inputs[NUMERIC] @ [0.0, 2.0, 2.0, 1.0]}))


def test_what_a_lever_brings_is_the_answer_less_that_without_all_of_its_columns():
    levers = Levers(bundle=None, features={"tv": "spend_tv", "social": "spend_social"}, target="sold")
    levers.__dict__["_scorer"] = _Scorer()
    columns = {
        "size": [1.0, 1.0],
        "spend_tv.lag0": [10.0, 0.0],
        "spend_tv.lag1": [5.0, 0.0],
        "spend_social": [70.0, 100.0],
    }
    rows = pa.table(
        {**{f"metadata:{name}": values for name, values in columns.items()}, "answer:value": [200.0, 200.0]}
    )
    np.testing.assert_allclose(levers.brought(rows), [[0.15, 0.35], [0.0, 0.5]])
    found = levers.errors(rows, pa.table({"sold": [190.0, None]}), KNOWN)
    assert found is not None
    np.testing.assert_allclose(found.errors, [-0.05, np.nan])
    reference = rows.append_column("timestamp", pa.array([0, 1], pa.timestamp("us", "UTC")))
    made = PanelLevers.fit(levers, KNOWN, reference, pa.table({"sold": [1.0, 1.0]}), ARL)
    assert made is not None
    assert made.look(rows.slice(0, 0)).told == "no labels came"


@dataclass(frozen=True)
class _Known:
    """Levers whose errors were found out elsewhere; the place of a lever is its feature."""

    features: dict[str, str]
    known: Errors

    def errors(self, rows: pa.Table, truths: pa.Table, panel: Panel) -> Errors:
        here = np.isin(self.known.numbers, rows["week"].to_numpy())
        brought = self.known.brought[np.ix_(here, [int(each) for each in self.features.values()])]
        return Errors(self.known.numbers[here], self.known.series[here], self.known.errors[here], brought)


def test_a_lever_that_brings_nothing_is_told_and_hides_no_other():
    weeks = np.concatenate([REFERENCE, np.arange(120, 160)])
    whole = errors(weeks, 1, (0.0, -0.5), since=120)
    with_idle = replace(whole, brought=np.column_stack([whole.brought, np.zeros(len(whole.errors))]))
    levers = _Known({"tv": "0", "social": "1", "radio": "2"}, with_idle)
    made = PanelLevers.fit(levers, KNOWN, pa.table({"week": REFERENCE}), pa.table({}), ARL)
    told = [made.look(pa.table({"week": [week]})) for week in range(120, 160)]
    assert all("not watched, since the model says that they bring nothing: radio" in each.told for each in told)
    assert told[-1].alarm
    assert told[-1].moved == ("social",)
    again = PanelLevers.fit(levers, KNOWN, pa.table({"week": REFERENCE}), pa.table({}), ARL)
    again.restore(made.state())
    assert again.state() == made.state()


def test_where_no_lever_brings_anything_none_is_watched_and_that_is_told():
    known = errors(REFERENCE, 1)
    levers = _Known({"tv": "0"}, replace(known, brought=np.zeros((len(known.errors), 1))))
    made = PanelLevers.fit(levers, KNOWN, pa.table({"week": REFERENCE}), pa.table({}), ARL)
    assert made.look(pa.table({"week": [110]})).told == (
        "not watched, since the model says that they bring nothing: tv"
    )
    made.restore(made.state())
