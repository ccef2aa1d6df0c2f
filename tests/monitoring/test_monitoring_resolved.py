"""Who says that an alert is over is not told of the same errors again, and of later ones they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.alerts.found import CONCEPT as FINDING
from tests.monitoring.released import release, rows
from tests.monitoring.test_monitoring_levers import WEEK_US, errors, follow, watch
from tests.monitoring.test_monitoring_monitor import days, look, monitor
from tests.monitoring.traffic import MODEL
from totalml.alerts.alerts import Alerts
from totalml.monitoring.opened import open_watch
from totalml.monitoring.verdict import CONCEPT, NONE, UNKNOWN
from totalml.store import Store

RESOLVED = 7  # an event of the journal of alerts


@pytest.mark.parametrize("resolved", [False, True])
def test_errors_of_before_are_told_until_somebody_says_that_it_is_over(resolved):
    watching, fresh = monitor(), days(6)
    assert [look(watching, day).cause for day in days(2, wrong=0.3)][-1] == CONCEPT
    if resolved:
        watching.restart_after(RESOLVED)
    assert look(watching, fresh[2]).cause == (NONE if resolved else CONCEPT)
    assert CONCEPT in [look(watching, day).cause for day in days(6, wrong=0.3)[3:]]


def test_a_monitor_that_goes_on_elsewhere_knows_what_was_resolved():
    watching, again = monitor(), monitor()
    watching.restart_after(RESOLVED)
    found = [look(watching, day).cause for day in days(2, wrong=0.3)]
    again.restore(watching.state())
    again.restart_after(RESOLVED)
    assert found[-1] == CONCEPT
    assert look(again, days(3)[2]).cause == CONCEPT
    again.restart_after(RESOLVED + 1)
    assert look(again, days(4)[3]).cause == NONE


def test_a_lever_is_told_again_only_of_weeks_that_came_since():
    """It goes on to bring half: the weeks before said so already."""
    given = errors(np.arange(120, 200), 1, (0.0, -0.5), since=125)
    watching, told = watch(), watch()
    assert follow(watching, between(given, 120, 150))[-1].alarm
    assert follow(told, between(given, 120, 150))[-1].alarm
    told.restart()
    assert follow(watching, between(given, 150, 151))[-1].alarm
    assert not follow(told, between(given, 150, 151))[-1].alarm
    later = [each for each in follow(told, between(given, 151, 200)) if each.alarm]
    assert later
    since = datetime.fromisoformat(later[0].since)
    assert since >= datetime.fromtimestamp(150 * WEEK_US / 1e6, UTC)


def between(given, first, end):
    kept = (given.numbers >= first) & (given.numbers < end)
    return type(given)(given.numbers[kept], given.series[kept], given.errors[kept], given.brought[kept])


def test_a_watch_asks_the_alerts_of_its_release_which_errors_are_over(tmp_path: Path):
    store = Store(tmp_path)
    bundle = release(store, rows(200), {})
    watching, alerts = open_watch(store, bundle.hash, None, lambda _: None), Alerts(store, MODEL)
    finding = replace(FINDING, release=bundle.hash)
    for other in (replace(finding, verdict=UNKNOWN), replace(finding, release="blake3:" + 64 * "f")):
        alerts.resolve(alerts.raise_alert(other).id, "over")
    raised = alerts.raise_alert(finding)
    assert watching.resolved() == 0
    alerts.resolve(raised.id, "chance")
    first = watching.resolved()
    alerts.resolve(alerts.raise_alert(finding).id, "chance, again")
    assert 0 < first < watching.resolved()
    asked = []
    watching.monitor.restart_after = asked.append
    watching.since = datetime.now(UTC) - timedelta(days=2)
    watching.traffic = Silent(watching.traffic)
    assert [*watching.look(datetime.now(UTC))] != []
    assert {*asked} == {watching.resolved()}


class Silent:
    """As if something had been answered two days ago."""

    def __init__(self, traffic) -> None:
        self._traffic = traffic

    def first(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=2)

    def __getattr__(self, name: str) -> object:
        return getattr(self._traffic, name)
