"""A monitor with thresholds of its own is held to the same false alarms as any other detector."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from tests.drill.drawn import recipe
from tests.serving.serving import PICTURE
from totalml.drill import Pools, draw_history, judge
from totalml.drill.detector import SILENT
from totalml.drill.monitored import Monitored, monitors
from totalml.monitoring.verdict import CONCEPT, NONE, OF_FAIRNESS, PAGE, Verdict
from totalml.recipe import LateLabels
from totalml.recipe.monitoring import MonitoringRecipe


class Counting:
    """Alarms on a day whose labels tell of more errors than its budget forgives."""

    def __init__(self, budget: float) -> None:
        self._most, self.seen = 8 / budget, []

    def look(self, rows: pa.Table, labelled: pa.Table, together: pa.Table) -> Verdict:
        self.seen.append((rows["time"].to_pylist(), rows["number"].to_pylist(), labelled["loss"].to_pylist()))
        alarms = sum(self.seen[-1][2]) > self._most
        return Verdict(CONCEPT, "", PAGE) if alarms else Verdict(NONE, "")


@pytest.fixture
def tabled(pools: Pools) -> Pools:
    numbers = pa.array(pools.observations.numbers["property:noise"])
    times = pa.nulls(len(numbers), pa.timestamp("us", "UTC"))
    return replace(pools, table=pa.table({"time": times, "number": numbers}))


def test_it_sees_each_day_once_and_labels_when_they_are_told(tabled):
    made = []

    def new(history: object, budget: float) -> Counting:
        made.append(Counting(budget))
        return made[-1]

    history = draw_history(tabled, recipe(), "habit", 1, 0)
    monitored = Monitored("counting", new, budgets=(1.0, 4.0))
    evidence = monitored.evidence(history)
    for monitor in made:
        assert [one for _, numbers, _ in monitor.seen for one in numbers] == [
            *history.observations.numbers["property:noise"]
        ]
        assert [[*map(float, history.wrong[history.known_on == day])] for day in range(56)] == [
            losses for _, _, losses in monitor.seen
        ]
    for day, (times, _, losses) in enumerate(made[0].seen):
        assert all((one - min(made[0].seen[0][0])).days in (day - 1, day) for one in times)
        least = next((budget for budget in (1.0, 4.0) if sum(losses) > 8 / budget), None)
        assert evidence[day] == (SILENT if least is None else -np.log(least))
        assert monitored.verdict(history, day) == (NONE if least is None else CONCEPT)
    assert np.isfinite(evidence[35:]).any()


@pytest.mark.parametrize("loose", [4.0, 20.0])
def test_a_monitor_is_held_under_a_stricter_budget_only_if_it_alarms_in_too_many_calm_histories(tabled, loose):
    """Of each history a number by chance, the same under every budget: it alarms if that is below the budget."""
    truths = dict.fromkeys(recipe().scenarios, CONCEPT)
    asked, small = [], recipe(calm_histories=50, false_alarms=0.1, histories=4)

    def new(history, budget):
        asked.append(budget)
        number = np.random.default_rng(history.rows.astype(np.int64)).uniform(0, 100)
        return SimpleNamespace(look=lambda *_: Verdict(CONCEPT, "", PAGE) if number < budget else Verdict(NONE, ""))

    held = Monitored("monitor", new, (loose,), 7, along=False, stricter=1.0)
    found = next(iter(judge([held], tabled, small, truths, seed=1)[0]))
    drifts = len(small.scenarios) * small.histories
    if loose == 4.0:
        assert asked == [4.0] * (100 + drifts)
    else:
        assert asked == [20.0] * 100 + [1.0] * (100 + drifts)
    assert 0 < found.false_alarms <= 0.1


def test_it_looks_at_the_slices_that_its_settings_name_as_a_service_does(pools):
    light = pools.observations.scores["answer:p"]
    said = np.where(light > 0.5, "light", "dark")
    ages = np.where(np.arange(len(said)) % 2 == 0, "young", "old")
    times = pa.array(pools.observations.times, pa.timestamp("us", "UTC"))
    answers = {"answer:predicted": said, "answer:confidence": np.maximum(light, 1 - light)}
    table = pa.table({"time": times, **answers, "metadata:age": ages})
    history = draw_history(replace(pools, table=table, truths=pa.table({"label": said})), recipe(), None, 1, 0)
    monitor = monitors(SimpleNamespace(monitoring=MonitoringRecipe(slices=("age",))), PICTURE, ("age",))(history, 2.0)
    window = history.table(np.arange(200))
    labelled = window.slice(0, 0).append_column("labelled", times.slice(0, 0)).append_column("loss", pa.array([], "f8"))
    fairness = monitor.look(window, labelled, window).of(OF_FAIRNESS)
    assert fairness is not None
    assert not fairness.alarm


def test_it_knows_what_is_true_of_what_it_is_fitted_on_and_so_hears_of_errors(pools):
    """`wrong` looks as `base` does: only labels can tell."""
    light = pools.observations.scores["answer:p"]
    said = np.where(light > 0.5, "light", "dark")
    answers = {"answer:predicted": said, "answer:confidence": np.maximum(light, 1 - light), "answer:p:light": light}
    times = pa.array(pools.observations.times, pa.timestamp("us", "UTC"))
    true = np.where(pools.wrong, np.where(said == "light", "dark", "light"), said)
    known = replace(pools, table=pa.table({"time": times, **answers}), truths=pa.table({"label": true}))
    drill = recipe(labels=LateLabels(share=1.0, delay_days=1))
    new = monitors(SimpleNamespace(monitoring=MonitoringRecipe()), PICTURE, ())
    for scenario, cause in (("habit", CONCEPT), (None, NONE)):
        history = draw_history(known, drill, scenario, 1, 0)
        found = Monitored("monitor", new, (2.0,), 7)
        alarms = np.flatnonzero(found.evidence(history) > SILENT)
        assert [found.verdict(history, day) for day in alarms[:1]] == ([cause] if scenario else [])
        assert all(day > history.began for day in alarms)
