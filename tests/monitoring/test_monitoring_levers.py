"""A lever that does less than the model says is told by name; what moves all series at once is none of its doing."""

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from totalml.monitoring.cause import judge
from totalml.monitoring.lever_effects import Errors, LeverWatch
from totalml.monitoring.levers import Levers
from totalml.monitoring.lost_effect import LOST, PRIOR, Step, lost_effects
from totalml.monitoring.page.detectors import measured
from totalml.monitoring.panel import Panel
from totalml.monitoring.panel_levers import PanelLevers
from totalml.monitoring.verdict import CONCEPT, NONE, OF_WINDOW, Evidence
from totalml.release.onnx_model import NUMERIC

SERIES, NAMES = 30, ("tv", "social")
WEEK_US = 7 * 86_400_000_000
KNOWN = Panel("metadata:region", 52, np.arange(120) * WEEK_US, float(SERIES), np.zeros((120, 0)))
REFERENCE = np.arange(94, 120)
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


def one(given: Errors, week: int) -> Errors:
    rows = given.numbers == week
    return Errors(given.numbers[rows], given.series[rows], given.errors[rows], given.brought[rows])


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


def test_a_step_is_least_squares_of_what_is_new_of_each_series_in_the_week():
    watching, given = watch(), errors(np.arange(120, 122), 3)
    follow(watching, given)
    step, kept = watching._steps[-1], watching._remembered
    usual = np.array([watching._usual[f"s{place}"] for place in range(SERIES)])
    both = [np.column_stack([each.errors, each.brought]) - usual for each in (one(given, 120), one(given, 121))]
    new = both[1] - kept * both[0]
    design = np.column_stack([np.ones(SERIES), new[:, 1:]])
    np.testing.assert_allclose(step.change, np.linalg.lstsq(design, new[:, 0], rcond=None)[0][1:], rtol=1e-9)
    np.testing.assert_allclose(
        step.variance, watching._variance * np.diag(np.linalg.inv(design.T @ design))[1:], rtol=1e-9
    )
    assert 0.3 < kept < 0.7  # half is planted
    assert 0.03**2 < watching._variance < 0.05**2


def test_a_week_of_wrong_data_alone_is_no_lost_effect():
    given = errors(np.arange(120, 140), 4)
    wrong = replace(given, errors=np.where(given.numbers == 130, given.errors - 5 * given.brought[:, 0], given.errors))
    assert not any(each.alarm for each in follow(watch(), wrong))


def test_what_bets_own_is_the_likelihood_of_a_change_by_the_whole_normal_distribution():
    random = np.random.default_rng(7)
    told, variance, known = random.normal(0, 0.4, 8), random.uniform(0.1, 0.3, 8), 3
    found = lost_effects(
        [Step(k, np.array([a]), np.array([b])) for k, (a, b) in enumerate(zip(told, variance, strict=True))], known
    )

    def likelihood(since: int, count: int) -> float:
        lost = np.where(np.arange(count) >= since, LOST, 0.0)
        spread = np.diag(variance[:count]) + PRIOR**2
        away = told[:count] + lost
        return float(-0.5 * (np.linalg.slogdet(spread)[1] + away @ np.linalg.solve(spread, away)))

    for count in range(known + 1, 9):
        expected = sum(np.exp(likelihood(since, count) - likelihood(99, count)) for since in range(known, count))
        assert found.owned[count - 1] == pytest.approx(expected, rel=1e-9)


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


def test_a_week_that_is_missing_half_of_its_labels_or_the_week_before_says_nothing():
    watching, given = watch(), errors(np.arange(120, 130), 6)
    known = len(watching._steps)
    assert watching.look(one(given, 121)).value is None  # 120 did not come
    few = one(given, 122)
    few = Errors(few.numbers[:10], few.series[:10], few.errors[:10], few.brought[:10])
    assert watching.look(few).value is None
    assert len(watching._steps) == known


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
    assert measured(lost).endswith("to 1; found at 200 to 1")
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
