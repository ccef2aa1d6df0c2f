"""What follows from an alert without a person: once, and only where nothing speaks against it."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.alerts.found import CONCEPT, MODEL, TICKET, Clock, settings
from tests.alerts.test_alerts_delivery import until
from tests.serving.serving import promote, release
from totalml.alerts.alert import REACTED, Alert, Reacted
from totalml.alerts.alerts import Alerts
from totalml.alerts.finding import Sample
from totalml.alerts.react import React
from totalml.alerts.review import queued
from totalml.cli import main
from totalml.deployment.deployments import Deployments
from totalml.project import Place
from totalml.recipe.alerting import AlertingRecipe
from totalml.registry import Aliases, Promotion
from totalml.release.bundle import Bundle
from totalml.store import Store

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def place(tmp_path, store) -> Place:
    return Place(tmp_path, tmp_path / "runs", store.root)


@pytest.fixture
def clock() -> Clock:
    """Events of the model's journal are written by the true one."""
    clock = Clock()
    clock.now = datetime.now(UTC)
    return clock


def reacting(*reactions: str, **more: object) -> AlertingRecipe:
    every = dict.fromkeys(("concept", "new covariate", "unknown", "data quality"), reactions)
    return settings({"console": {}}, reactions=every, **more)


def found(store: Store, bundle: Bundle | None, verdict: str = "concept", what: str = "") -> Alert:
    finding = replace(CONCEPT, verdict=verdict, what=what, release=bundle.hash if bundle else "")
    return Alerts(store, MODEL).raise_alert(finding)


def standing(store: Store) -> Promotion:
    now = Aliases(store, MODEL).standing("production")
    assert now is not None
    return now


def two_releases(store: Store) -> tuple[Bundle, Bundle]:
    old, new = release(store, 1.0), release(store, 0.5)
    promote(store, old)
    promote(store, new)
    return old, new


def outcomes(store: Store, alert: Alert) -> list[tuple[str, str]]:
    return [(each.reaction, each.outcome) for each in Alerts(store, MODEL).find(alert.id).reactions]


def test_production_goes_back_once_and_says_by_which_alert(store, clock):
    old, new = two_releases(store)
    alert = found(store, new)
    (would,) = React(store, MODEL, reacting("rollback"), dry_run=True)(alert)
    assert (would.sentence.startswith("would put production"), standing(store).release) == (True, new.hash)
    assert outcomes(store, alert) == []
    react = React(store, MODEL, reacting("rollback", "propose"), clock=clock)
    rolled, proposed = react(alert)
    assert standing(store).release == old.hash
    assert standing(store).how == "rolled back"
    assert standing(store).why == f"alert {alert.id}: {CONCEPT.sentence}"
    assert "production of pints: back to release" in rolled.sentence
    assert "totalml rollback" not in proposed.sentence  # it would undo it
    for again in (alert, Alerts(store, MODEL).find(alert.id)):
        assert React(store, MODEL, reacting("rollback"), clock=clock)(again) == []
    assert len(Aliases(store, MODEL).history()) == 3


def test_a_release_of_the_same_weights_mends_nothing_so_it_is_not_gone_back_to(store, clock):
    old, new = two_releases(store)
    again = release(store, 0.5, plan=b"{}")
    promote(store, again)
    alert = found(store, again)
    (proposed,) = React(store, MODEL, reacting("propose"), clock=clock)(alert)
    assert f"totalml rollback pints --to {old.hash[7:19]} --why" in proposed.sentence
    React(store, MODEL, reacting("rollback"), clock=clock)(found(store, again, what="later"))
    assert (again.hash != new.hash, standing(store).release) == (True, old.hash)


def killed(*_: object) -> bool:
    raise KeyboardInterrupt


def test_killed_after_the_rollback_it_is_kept_and_not_done_again(store, clock, monkeypatch):
    old, new = two_releases(store)
    alert, react = found(store, new), React(store, MODEL, reacting("rollback"), clock=clock)
    with monkeypatch.context() as patch:
        patch.setattr(Alerts, "react", killed)
        with pytest.raises(KeyboardInterrupt):
            react(alert)
    assert (standing(store).release, outcomes(store, alert)) == (old.hash, [])
    (done,) = React(store, MODEL, reacting("rollback"), clock=clock)(alert)
    assert (done.outcome, done.sentence) == ("done", "it was rolled back because of this alert before")
    assert len(Aliases(store, MODEL).history()) == 3


def test_no_second_rollback_within_the_cooldown_and_none_to_what_was_rolled_back(store, clock):
    first, second, third = release(store, 1.0), release(store, 0.9), release(store, 0.8)
    for each in (first, second, third):
        promote(store, each)
    react = React(store, MODEL, reacting("rollback", cooldown_hours=2), clock=clock)
    (done,) = react(found(store, third))
    assert (done.outcome, standing(store).release) == ("done", second.hash)
    fourth = release(store, 0.7)
    promote(store, fourth)
    (soon,) = react(found(store, fourth, what="soon"))
    assert (soon.outcome, "a person decides now" in soon.sentence) == ("refused", True)
    clock.go(hours=3)
    (later,) = react(found(store, fourth, what="later"))
    assert (later.outcome, standing(store).release) == ("done", second.hash)
    clock.go(hours=3)
    (back_again,) = react(found(store, second, what="again"))
    assert (back_again.outcome, "was rolled back itself" in back_again.sentence) == ("refused", True)


def forced(store: Store, bundle: Bundle, *overruled: str) -> None:
    facts = bundle.facts["run_id"], bundle.facts["attempt"], ""
    when = datetime.now(UTC).isoformat()
    Aliases(store, MODEL).move(
        lambda _: Promotion(when, "production", *facts, "eve", "", "promoted", bundle.hash, overruled)
    )


def test_none_to_a_release_that_never_passed_its_parity_gate(store, clock):
    old, new = release(store, 1.0), release(store, 0.5)
    forced(store, old, "accuracy at least 1: failed", "parity: the service's path answers 9 samples within 0.4")
    promote(store, new)
    (refused,) = React(store, MODEL, reacting("rollback"), clock=clock)(found(store, new))
    assert (refused.outcome, "never passed its parity gate" in refused.sentence) == ("refused", True)
    forced(store, old, "accuracy at least 1: failed")
    promote(store, new)
    (done,) = React(store, MODEL, reacting("rollback"), clock=clock)(found(store, new, what="later"))
    assert (done.outcome, standing(store).release) == ("done", old.hash)


def test_none_where_nothing_was_before_or_another_release_answers(store, clock):
    only = release(store, 1.0)
    promote(store, only)
    react = React(store, MODEL, reacting("rollback"), clock=clock)
    (nothing,) = react(found(store, only))
    assert (nothing.outcome, nothing.sentence.endswith("only; nothing was before")) == ("refused", True)
    new = release(store, 0.5)
    promote(store, new)
    for bundle, what in ((only, "old"), (None, "none")):
        (other,) = react(found(store, bundle, what=what))
        assert (other.outcome, "is in production by now" in other.sentence) == ("refused", True)
    assert standing(store).release == new.hash


def test_a_damaged_release_is_told_and_production_stays(store, clock):
    old, new = two_releases(store)
    (old.folder / "model.onnx").write_bytes(b"x")
    (failed,) = React(store, MODEL, reacting("rollback"), clock=clock)(found(store, new))
    assert (failed.outcome, "is not what was released" in failed.sentence) == ("failed", True)
    assert standing(store).release == new.hash


def test_what_a_person_has_taken_is_theirs(store, clock):
    _, new = two_releases(store)
    alert, alerts = found(store, new), Alerts(store, MODEL)
    alerts.acknowledge(alert.id, "I look")
    assert React(store, MODEL, reacting("rollback"), clock=clock)(alerts.find(alert.id)) == []
    assert standing(store).release == new.hash


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("concept", "totalml rollback pints --why 'alert pints-1: concept'; or train with newer labels: python run.py"),
        ("unknown", "look first; if it errs: totalml rollback pints"),
        ("new covariate", "label what is new: totalml feedback pints labels.csv"),
        ("data quality", "mend what sends the data, the model need not change; then totalml alerts resolve pints-1"),
        ("expected season", "nothing need be done"),
    ],
)
def test_by_default_a_command_is_proposed(store, clock, verdict, told):
    _, new = two_releases(store)
    alert, told_by_default = found(store, new, verdict), settings({"console": {}})
    (proposed,) = React(store, MODEL, told_by_default, clock=clock)(alert)
    assert (proposed.outcome, told in proposed.sentence) == ("proposed", True), proposed.sentence
    assert React(store, MODEL, told_by_default, clock=clock)(Alerts(store, MODEL).find(alert.id)) == []


def test_of_two_that_react_at_once_the_second_keeps_nothing(store):
    alert, first, second = found(store, None), Alerts(store, MODEL), Alerts(store, MODEL)
    assert first.react(alert.id, Reacted("shadow", "concept", "done", "it is"))
    assert not second.react(alert.id, Reacted("shadow", "concept", "refused", "somebody else was first"))
    assert outcomes(store, alert) == [("shadow", "done")]


def test_another_verdict_has_reactions_of_its_own(store, clock):
    _, new = two_releases(store)
    alert, react = found(store, new, "new covariate"), React(store, MODEL, reacting("propose"), clock=clock)
    react(alert)
    (again,) = react(Alerts(store, MODEL).update(alert.id, replace(CONCEPT, release=new.hash)))
    assert "totalml rollback" in again.sentence
    events = store.journal(f"{MODEL}.alerts").events()
    assert [event.facts["verdict"] for event in events if event.kind == REACTED] == ["new covariate", "concept"]


def test_requests_are_queued_with_their_pictures_for_labels(store, clock):
    hashes = [f"blake3:{each * 64}" for each in "abc"]
    store.save_file(b"a picture", "pictures", MODEL, "2026-11-27", "a" * 64)
    samples = tuple(Sample(f"request {n}", input=each, probability=0.5) for n, each in enumerate(hashes))
    finding = replace(TICKET, samples=(*samples, Sample("request 9", id="2", release="blake3:other")))
    alert = Alerts(store, MODEL).raise_alert(finding)
    (done,) = React(store, MODEL, reacting("queue_labels"), clock=clock)(alert)
    told = f"4 requests, 1 with their pictures, wait for labels in review/pints/{alert.id}.parquet"
    assert done.sentence.startswith(told)
    rows = queued(store, MODEL).to_pylist()
    assert [row["request_id"] for row in rows] == ["request 0", "request 1", "request 2", "request 9"]
    assert store.root.joinpath(rows[0]["picture"]).read_bytes() == b"a picture"
    assert [row["picture"] for row in rows[1:]] == [None] * 3
    assert [row["probability"] for row in rows] == [0.5, 0.5, 0.5, 1.0]
    assert [row["release"] for row in rows] == [CONCEPT.release] * 3 + ["blake3:other"]
    assert {(row["alert"], row["verdict"], row["queued"]) for row in rows} == {(alert.id, "new covariate", clock())}
    bare = Alerts(store, MODEL).raise_alert(replace(finding, what="bare", samples=()))
    assert React(store, MODEL, reacting("queue_labels"), clock=clock)(bare)[0].outcome == "refused"


@pytest.fixture
def deployed(store, tmp_path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "pub.yaml"

    def deployed(verb: str, *more: str) -> int:
        file.write_text("model: pints\nchallenger:\n  release: candidate\n")
        return main([verb, str(file), f"--store={store.root}", *more])

    return deployed


def test_a_candidate_that_was_stopped_goes_into_its_shadow(store, clock, deployed):
    old, new = release(store, 1.0), release(store, 0.9)
    promote(store, old)
    promote(store, new, "candidate")
    assert deployed("deploy") == 0
    assert deployed("rollout", "--to", "stopped", "--why", "worse") == 0
    react = React(store, MODEL, reacting("shadow"), deployment="pub", clock=clock)
    (would,) = React(store, MODEL, reacting("shadow"), deployment="pub", dry_run=True)(found(store, old))
    assert (would.outcome, Deployments(store, MODEL).challenger("pub").stage) == ("done", "stopped")
    (done,) = react(found(store, old))
    challenger = Deployments(store, MODEL).challenger("pub")
    assert (done.outcome, challenger.stage, challenger.why) == ("done", "shadow", "alert pints-1: concept")
    (is_there,) = react(found(store, old, what="more"))
    assert "is in stage shadow of deployment pub" in is_there.sentence
    assert React(store, MODEL, reacting("shadow"))(found(store, old, what="bare"))[0].outcome == "refused"


@pytest.mark.parametrize("in_production", [True, False])
def test_what_a_deployment_follows_goes_back_as_production_does_and_no_alias_that_nobody_sees(
    store, clock, tmp_path, monkeypatch, in_production
):
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])
    old, new = two_releases(store)
    for alias in ("staging", "candidate"):
        promote(store, old, alias)
        promote(store, new, alias)
    if not in_production:
        promote(store, release(store, 0.7))
    file = tmp_path / "pub.yaml"
    file.write_text("model: pints\nrelease: staging\n")
    assert main(["deploy", str(file), f"--store={store.root}"]) == 0
    (proposed,) = React(store, MODEL, reacting("propose"), clock=clock)(alert := found(store, new))
    assert f"totalml rollback pints --alias staging --why 'alert {alert.id}: concept'" in proposed.sentence
    assert ("totalml rollback pints --why" in proposed.sentence) == in_production
    react = React(store, MODEL, reacting("rollback"), clock=clock)
    (done,) = react(found(store, new, what="more"))
    aliases = Aliases(store, MODEL)
    back = {alias for alias in ("production", "staging", "candidate") if aliases.standing(alias).release == old.hash}
    assert (done.outcome, back) == ("done", {"staging", "production"} if in_production else {"staging"})


def test_a_new_run_is_proposed_unless_it_may_be_started(store, place, clock):
    alert = found(store, None)
    started = reacting("retrain", retrain={"start": True, "overrides": ["data.snapshot=null", "seed=1"]})
    assert React(store, MODEL, started, clock=clock)(alert) == []  # whoever has the project does it
    (refused,) = React(store, MODEL, started, place, clock=clock)(alert)
    assert (refused.outcome, "has no run.py" in refused.sentence) == ("refused", True)
    (proposed,) = React(store, MODEL, reacting("retrain"), clock=clock)(found(store, None, what="x"))
    assert proposed.outcome == "proposed"
    assert proposed.sentence == "python run.py +recipe=pints data.snapshot=null registry.alias=candidate"


@pytest.mark.parametrize(("code", "outcome"), [(0, "done"), (3, "failed")])
def test_a_new_run_is_started_once_and_its_end_is_told(store, place, clock, tmp_path, code, outcome):
    (tmp_path / "run.py").write_text(f"import sys; print(sys.argv[1:]); sys.exit({code})")
    told = reacting("retrain", retrain={"start": True, "recipe": "fresh", "overrides": ["seed=$(rm -rf /)"]})
    alert = found(store, None)
    (begun,) = React(store, MODEL, told, place, clock=clock)(alert)
    assert (begun.outcome, React(store, MODEL, told, place, clock=clock)(alert)) == ("started", [])
    until(lambda: len(outcomes(store, alert)) == 2)
    assert outcomes(store, alert) == [("retrain", "started"), ("retrain", outcome)]
    words = ["+recipe=fresh", "seed=$(rm -rf /)", "registry.alias=candidate", f"runtime.store={store.root}"]
    assert (store.root / "alerts" / f"{alert.id}.log").read_text() == f"{words}\n"
