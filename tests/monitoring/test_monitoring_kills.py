"""Services are killed, and others go on: each window is looked at once, each row is in one, people are told once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from tests.monitoring.glass import MODEL, NEW_GLASS, deployed, photos, pints, watched_release
from tests.release.registered import at_home
from tests.serving.serving import promote
from tests.serving.test_serving_swap import WITHOUT_TORCH, process, until
from totalml.alerts.alerts import Alerts
from totalml.monitoring.history import History, Looked
from totalml.monitoring.verdict import NONE, UNKNOWN
from totalml.prediction_log import LogReader
from totalml.store import Store

# On one machine the log has what was answered within a second or two.
QUICK = f"""
from datetime import timedelta
from totalml.monitoring import watch
from totalml.serving import watching
watch.SETTLES, watching.EVERY_S, watching.TRIED_EVERY_S = timedelta(seconds=2.5), 0.5, 0.5
{WITHOUT_TORCH}
"""
# Killed once people were told of a window, and before it is written down.
DYING = f"""
import os, signal
from totalml.monitoring.history import History
append = History.append
History.append = lambda *it: os.kill(os.getpid(), signal.SIGKILL) if it[1].verdict.alarms else append(*it)
{QUICK}
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    at_home(monkeypatch)
    store = Store(tmp_path / "store")
    promote(store, watched_release(store))
    return store


def serve(base: str, pictures: Sequence[bytes]) -> None:
    with httpx.Client(verify=False, base_url=base, timeout=30) as client:
        for each in pictures:
            assert client.post("/predict", content=each, headers={"Content-Type": "image/png"}).status_code == 200


def watches(base: str) -> bool:
    """Whether it has written a window down."""
    return "totalml_monitor_windows_total{" in httpx.get(f"{base}/metrics", verify=False).text


def require_each_row_once(store: Store, looked: Sequence[Looked]) -> None:
    assert all(after.start == before.end for before, after in pairwise(looked))
    times = LogReader(store, MODEL).read(["time"])["time"]
    iso = [each.as_py().isoformat(timespec="microseconds") for each in times.cast(pa.timestamp("us", "UTC"))]
    for each in looked:
        assert each.rows == sum(each.start <= time < each.end for time in iso)


@pytest.mark.slow
def test_killed_within_a_window_and_between_alert_and_event_nothing_is_missed_or_doubled(store, tmp_path):
    file, history = str(deployed(tmp_path, store)), History(store, MODEL)
    with process(store.root, what=file, program=QUICK) as (_, base):
        serve(base, photos(pints(120)))
        until(history.looked)
    assert [(each.verdict.cause, each.rows) for each in history.looked()] == [(NONE, 100)]

    with process(store.root, what=file, program=DYING) as (dying, base):
        serve(base, photos(pints(40, NEW_GLASS)))
        assert dying.wait(60) == -9
    assert [each.finding.verdict for each in Alerts(store, MODEL).all()] == [UNKNOWN]
    assert len(history.looked()) == 1

    with process(store.root, what=file, program=QUICK):
        until(lambda: len(history.looked()) == 2)
    looked = history.looked()
    assert [each.verdict.cause for each in looked] == [NONE, UNKNOWN]
    require_each_row_once(store, looked)
    events = store.journal(f"{MODEL}.alerts").events()
    assert [event.kind for event in events].count("raised") == 1
    assert len(Alerts(store, MODEL).all()) == 1


@pytest.mark.slow
def test_of_two_services_one_monitors_and_the_other_goes_on_once_it_was_killed(store, tmp_path):
    file, history = str(deployed(tmp_path, store)), History(store, MODEL)
    with (
        process(store.root, what=file, program=QUICK) as (first, one),
        process(store.root, what=file, program=QUICK) as (second, other),
    ):
        serve(one, photos(pints(60, seed=2)))
        serve(other, photos(pints(60, seed=3)))
        until(history.looked)
        until(lambda: watches(one) or watches(other))
        assert watches(one) != watches(other)
        (killed, left) = (first, other) if watches(one) else (second, one)
        killed.kill()
        serve(left, photos(pints(90, seed=4)))
        until(lambda: watches(left))
    looked = history.looked()
    assert [each.rows for each in looked] == [100, 100]
    require_each_row_once(store, looked)
