"""An alert is raised once however often and by however many it is found, and what a person says of it holds."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as few
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from tests.alerts.found import CONCEPT, MODEL, TICKET, Clock, settings
from tests.store.machines import machine
from totalml.alerts.alert import ACKNOWLEDGED, RAISED, RESOLVED, Reacted
from totalml.alerts.alerts import Alerts, model_of, models_with_alerts
from totalml.alerts.finding import Finding, Sample
from totalml.errors import RecipeError, StoreError
from totalml.registry import models
from totalml.store import Store
from totalml.store.event import Draft

HOUR = 3600.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alerts(tmp_path, clock) -> Alerts:
    return Alerts(Store(tmp_path), MODEL, settings({"console": {}}, cooldown_hours=24), clock)


def test_an_alert_is_what_was_found(alerts, tmp_path):
    alert = alerts.raise_alert(CONCEPT)
    assert (alert.id, alert.state, alert.finding) == ("pints-1", RAISED, CONCEPT)
    again = Alerts(Store(tmp_path), MODEL).find("pints-1")
    assert asdict(again) == asdict(alert)
    assert (models_with_alerts(Store(tmp_path)), models(Store(tmp_path))) == ([MODEL], set())
    assert model_of(alert.id) == MODEL


def test_what_goes_on_is_told_again_only_after_its_cooldown_and_counted(alerts, clock):
    first = alerts.raise_alert(CONCEPT)
    for _ in range(200):
        clock.go(seconds=5)
        assert alerts.raise_alert(CONCEPT).notice == first.notice
    clock.go(hours=23)
    assert (same := alerts.raise_alert(CONCEPT)).notice == first.notice
    assert same.count == 202
    clock.go(hours=1)
    assert alerts.raise_alert(CONCEPT).notice > first.notice
    assert [each.id for each in alerts.all()] == [first.id]
    assert len(alerts._journal.events()) < 6


def test_one_that_somebody_has_taken_is_not_told_again_unless_it_becomes_another(alerts, clock):
    taken = alerts.raise_alert(TICKET)
    assert alerts.acknowledge(taken.id, "I look")
    assert not alerts.acknowledge(taken.id, "I too")
    clock.go(days=3)
    assert alerts.raise_alert(TICKET).notice == taken.notice
    assert alerts.find(taken.id).state == ACKNOWLEDGED
    graver = alerts.update(taken.id, CONCEPT)
    assert (graver.id, graver.state, graver.finding.verdict) == (taken.id, RAISED, "concept")
    assert graver.notice > taken.notice
    # Found under either name it is the same one; a gentler word does not take the page back.
    assert alerts.raise_alert(CONCEPT).id == alerts.raise_alert(replace(TICKET, verdict="concept")).id == taken.id
    assert alerts.find(taken.id).finding.severity == "page"


def test_after_it_is_resolved_the_next_one_is_an_alert_of_its_own(alerts):
    first = alerts.raise_alert(CONCEPT)
    assert alerts.resolve(first.id, "rolled back")
    assert not alerts.resolve(first.id, "again")
    assert not alerts.acknowledge(first.id, "too late")
    assert alerts.update(first.id, TICKET).finding == CONCEPT
    second = alerts.raise_alert(CONCEPT)
    assert (second.id != first.id, [each.id for each in alerts.open()]) == (True, [second.id])
    assert alerts.raise_alert(replace(CONCEPT, what="another slice")).id not in (first.id, second.id)


def test_a_name_that_is_none_is_explained(alerts):
    alerts.raise_alert(CONCEPT)
    with pytest.raises(RecipeError, match="has no alert 'pints-2', did you mean 'pints-1'"):
        alerts.find("pints-2")
    for wrong in ("pints", "../x-1", "pints-", "pints-x", "Pints-1", "-1", "pints-²"):
        with pytest.raises(RecipeError, match="is no alert's id such as guinness-12"):
            model_of(wrong)


def test_what_a_newer_version_wrote_is_told(alerts, tmp_path):
    Store(tmp_path).journal(f"{MODEL}.alerts").append(Draft("sung", {"alert": "pints-1"}, "eve", "2026-11-28"), 0)
    with pytest.raises(StoreError, match="event 1 of the alerts of pints was written by a newer version"):
        alerts.all()


def find_it(place: str, cache: str, start) -> None:
    alerts = Alerts(machine(place, Path(cache)), MODEL)
    start.wait(30)
    for _ in range(5):
        alerts.raise_alert(CONCEPT)


def test_of_several_machines_that_find_it_at_once_one_raises_it(tmp_path):
    context = multiprocessing.get_context("fork")
    start = context.Barrier(4)
    place = f"file://{tmp_path}/there"
    finders = [context.Process(target=find_it, args=(place, str(tmp_path / f"{n}"), start)) for n in range(4)]
    for each in finders:
        each.start()
    for each in finders:
        each.join(60)
    assert [each.exitcode for each in finders] == [0] * 4
    (alert,) = Alerts(machine(place, tmp_path / "later"), MODEL).all()
    assert alert.finding == CONCEPT


ODD = [b"x", np.float32(2), 10**400, 2.0**60]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(ODD)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
SAMPLES = st.builds(Sample, st.text(max_size=200), st.text(max_size=5), probability=st.floats())


@given(
    st.builds(
        Finding,
        verdict=st.text(),
        severity=st.sampled_from(["page", "ticket", "loud"]),
        sentence=st.text(max_size=2000),
        what=st.text(),
        evidence=st.lists(st.dictionaries(st.text(max_size=5), ANYTHING, max_size=3), max_size=3).map(tuple),
        between=st.none() | st.tuples(st.text(), st.text()),
        samples=st.lists(SAMPLES, max_size=3).map(tuple),
    )
)
@few(max_examples=100, deadline=None)
def test_whatever_a_caller_sends_is_kept_within_bounds(finding):
    with tempfile.TemporaryDirectory() as folder:
        alert = Alerts(Store(Path(folder)), MODEL).raise_alert(finding)
        assert Alerts(Store(Path(folder)), MODEL).find(alert.id).finding == alert.finding == finding.bounded()
    assert alert.finding.bounded() == alert.finding
    assert alert.finding.severity in ("page", "ticket")
    assert all(each.isprintable() for each in (alert.finding.sentence, alert.finding.verdict, alert.finding.what))
    assert all(0 < each.probability <= 1 for each in alert.finding.samples)


def test_an_id_is_kept_as_it_is_or_not_at_all():
    given = [
        Sample("two  spaces\t\x07"),
        Sample(1024 * "x"),
        Sample(1025 * "x"),
        Sample("half \ud800"),
        Sample("a", "é" * 9),
    ]
    found = replace(CONCEPT, samples=(*given,)).bounded()
    assert [*found.samples] == [given[0], given[1], given[4]]


def test_huge_evidence_is_cut():
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    pieces = 1000 * ({"text": 10**6 * "x", "deep": deep, "wide": [*range(10**6)], "n": float("nan")},)
    found = replace(CONCEPT, sentence=10**7 * "y", evidence=pieces, samples=500 * CONCEPT.samples).bounded()
    assert len(str(found.as_json())) < 100_000
    assert found.sentence.endswith("…")
    assert found.evidence[0]["n"] == "nan"


@dataclass
class Told:
    """A plain model of one alert."""

    state: str
    finding: Finding
    channels: set[str]
    notices: int = 1
    told_at: float = 0.0
    arrived: int = 0
    reactions: int = 0


class Pub(RuleBasedStateMachine):
    """Alerts in a real store against a list of what was said."""

    made = Bundle("made")

    @initialize()
    def begin(self) -> None:
        self.folder, self.clock, self.model = tempfile.mkdtemp(), Clock(), {}
        self.alerts = [self.opened(), self.opened()]

    def opened(self) -> Alerts:
        channels = {"console": {}}, {"jsonl": {"file": "a.jsonl"}, "at_least": "page"}
        return Alerts(Store(Path(self.folder)), MODEL, settings(*channels, cooldown_hours=2), self.clock)

    def now(self) -> float:
        return self.clock().timestamp()

    @rule(by=st.sampled_from([10.0, HOUR, 3 * HOUR]))
    def wait(self, by) -> None:
        self.clock.go(seconds=by)

    @rule()
    def restart(self) -> None:
        self.alerts = [self.opened(), self.opened()]

    @rule(target=made, finding=st.sampled_from([CONCEPT, TICKET, replace(CONCEPT, what="x")]), who=st.integers(0, 1))
    def find(self, finding, who):
        id_ = self.alerts[who].raise_alert(finding).id
        same = [old for old, t in self.model.items() if t.state != RESOLVED and t.finding.key == finding.key]
        channels = {"console", "jsonl"} if finding.severity == "page" else {"console"}
        if not same:
            assert id_ not in self.model
            self.model[id_] = Told(RAISED, finding, channels, told_at=self.now())
            return id_
        assert same == [id_]
        told = self.model[id_]
        if told.state == RAISED and self.now() - told.told_at >= 2 * HOUR:
            told.notices, told.told_at = told.notices + 1, self.now()
        return multiple()

    @rule(id_=made)
    def acknowledge(self, id_) -> None:
        told = self.model[id_]
        assert self.alerts[0].acknowledge(id_, "mine") == (told.state == RAISED)
        told.state = ACKNOWLEDGED if told.state == RAISED else told.state

    @rule(id_=made)
    def resolve(self, id_) -> None:
        told = self.model[id_]
        assert self.alerts[1].resolve(id_, "over") == (told.state != RESOLVED)
        if told.state != RESOLVED:
            told.state, told.notices, told.told_at = RESOLVED, told.notices + 1, self.now()

    @rule(id_=made)
    def react(self, id_) -> None:
        told = self.model[id_]
        assert self.alerts[1].react(id_, Reacted("propose", "concept", "proposed", "look")) == (told.reactions == 0)
        if not told.reactions:
            told.reactions, told.notices, told.told_at = 1, told.notices + 1, self.now()

    @rule(id_=made, arrives=st.booleans())
    def send(self, id_, arrives) -> None:
        told = self.model[id_]
        self.clock.go(hours=1)  # no claim stands for so long
        claimed = self.alerts[0].claim(id_, "console")
        assert (claimed is not None) == (told.arrived < told.notices)
        assert self.alerts[1].claim(id_, "console") is None
        if claimed and arrives:
            self.alerts[0].delivered(claimed, "console")
            told.arrived = told.notices

    @invariant()
    def all_say_the_same(self) -> None:
        ids = {each.id: each for each in self.alerts[0].all()}
        assert self.alerts[1].all() == [*ids.values()]
        assert {id_: (each.state, each.finding, {*each.channels}) for id_, each in ids.items()} == {
            id_: (told.state, told.finding, told.channels) for id_, told in self.model.items()
        }
        waiting = {each.id for each in self.alerts[0].outstanding("console")}
        assert waiting == {id_ for id_, told in self.model.items() if told.arrived < told.notices}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


TestPub = Pub.TestCase
TestPub.settings = few(max_examples=25, stateful_step_count=20, deadline=None)
