"""A watch whose state is damaged, or of another version, goes on from all of it or from nothing, and never fails."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.monitoring import test_monitoring_attribution as of_attribution
from tests.monitoring import test_monitoring_levers as of_levers
from tests.monitoring import test_monitoring_monitor as of_rows
from tests.monitoring import test_monitoring_period_errors as of_periods
from tests.monitoring.panels import SERIES, WEEKS, panel, rows_of
from tests.monitoring.test_monitoring_panel import BUDGET, labelled, week
from totalml.monitoring.detectors import go_on
from totalml.monitoring.panel_labels import PanelLabels
from totalml.monitoring.season_watch import SeasonWatch

Look = Callable[[int], object]  # at so many windows after the release
GONE = object()
OTHERS = (GONE, None, "x", -1, [[1.0]])


def of_labels() -> tuple[Any, Look]:
    before = rows_of(np.arange(WEEKS - 26, WEEKS))
    wrong = np.random.default_rng(0).random(len(before)) < 0.1
    watch = PanelLabels(panel(), (before, wrong * 1.0), {}, 100.0, ("region",), 0.03)

    def look(at: int) -> object:
        watch.add(labelled(week(WEEKS + at), np.ones(SERIES)), np.full(SERIES, ""))
        return watch.end("", False, 0 if at else None)

    return watch, look


def of_seasons() -> tuple[Any, Look]:
    watch = SeasonWatch(panel(), BUDGET)
    return watch, lambda at: watch.look(week(WEEKS + at), np.arange(SERIES))


def of_whole_periods() -> tuple[Any, Look]:
    watch = of_periods.watch_of(of_periods.panel_of(of_periods.errors_of(of_periods.WEEKS, 0)))
    return watch, lambda at: watch.look(of_periods.labelled({of_periods.WEEKS + at: (-0.3, 0.3, 0.0)[at]}))


def of_channels() -> tuple[Any, Look]:
    watch, given = of_levers.watch(), of_levers.errors(np.arange(120, 123), 1)
    return watch, lambda at: watch.look(of_levers.one(given, 120 + at))


def of_maps() -> tuple[Any, Look]:
    watch = of_attribution.watch(least=500)
    return watch, lambda at: of_attribution.look(watch, of_attribution.looked(200, 10 + at))


def damaged(state: Any) -> Iterator[Any]:
    """Each leaf, list and part of it replaced by something else, one at a time; of lists the first."""
    places = range(min(len(state), 1)) if isinstance(state, list) else [*state] if isinstance(state, dict) else ()
    for place in places:
        for other in OTHERS:
            changed = copy.copy(state)
            if other is GONE:
                del changed[place]
            else:
                changed[place] = other
            yield changed
        for part in damaged(state[place]):
            changed = copy.copy(state)
            changed[place] = part
            yield changed


@pytest.mark.parametrize("made", [of_labels, of_seasons, of_whole_periods, of_channels, of_maps])
def test_whatever_a_state_holds_its_watch_goes_on(made):
    watch, look = made()
    new = watch.state()
    for at in (0, 1):
        look(at)
    whole = json.loads(json.dumps(watch.state(), allow_nan=False))
    expected = look(2)
    for state in damaged(whole):
        watch.restore(new)
        go_on(watch, state)
        look(2)
        json.dumps(watch.state(), allow_nan=False)
    watch.restore(new)
    go_on(watch, whole)
    assert look(2) == expected


@pytest.mark.parametrize("other", [None, "x", math.nan, {}, [1.0]])
def test_a_monitor_goes_on_from_what_is_whole_of_its_state(other):
    before, again = of_rows.monitor(), of_rows.monitor()
    of_rows.look(before, of_rows.days(1)[0])
    state, new = before.state(), again.state()
    for name in state:
        again.restore(new)
        again.restore(state | {name: other})
        assert again.state() == state | {name: new[name]}


def test_what_is_damaged_leaves_nothing_half_restored():
    watch, look = of_whole_periods()
    new = watch.state()
    look(0)
    state = watch.state()
    watch.restore(new)
    go_on(watch, state | {"odd": [[1, 7, 0.5]]})
    assert watch.state() == new
