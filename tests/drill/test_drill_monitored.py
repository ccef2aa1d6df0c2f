"""A monitor with thresholds of its own is held to the same false alarms as any other detector."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.drill.drawn import recipe
from totalml.drill import Pools, draw_history
from totalml.drill.detector import SILENT
from totalml.drill.monitored import Monitored
from totalml.monitoring.verdict import CONCEPT, NONE, PAGE, Verdict


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
