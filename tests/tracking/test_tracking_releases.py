"""W&B holds the releases of tracked runs, with the aliases of the registry; a backend that is away costs a line."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.alerts.found import CONCEPT, settings
from tests.release.registered import EASY, NAME, REPOSITORY, at_home
from tests.tracking.backend import Backend
from tests.tracking.conftest import Place
from totalml import project
from totalml.alerts.alerts import Alerts
from totalml.alerts.channel import deliver
from totalml.cli import main
from totalml.errors import TrackingError
from totalml.identity import short
from totalml.registry import Aliases
from totalml.release import promote
from totalml.release.bundle import MANIFEST, open_bundle
from totalml.release.tracked import tell_releases
from totalml.store import Store
from totalml.tracking import companion
from totalml.tracking.record import TrackingRecord

COLLECTION = f"{NAME}-release"
GATED = ("smoke=false", EASY)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Place:
    """Two runs that were tracked offline and registered as the candidate, and a third one that was not tracked."""
    place = Place(tmp_path_factory.mktemp("registered"))
    for seed, mode in enumerate(("offline", "offline", "none")):
        place.go(f"tracking={mode}", f"seed={seed}", *GATED, *(["registry=null"] if mode == "none" else []))
    companion.dismiss()
    return place


@pytest.fixture
def registered(made, tmp_path, monkeypatch) -> Place:
    at_home(monkeypatch)
    place = Place(tmp_path)
    shutil.copytree(made.store, place.store)
    shutil.copytree(made.runs, place.runs)
    return place


@pytest.fixture
def tell(registered, capsys) -> Callable[..., str]:
    """What a verb of `totalml` prints."""

    def tell(*words: str, expect: int = 0) -> str:
        code = main([*words, f"--runs={registered.runs}", f"--store={registered.store}"])
        out, err = capsys.readouterr()
        assert code == expect, out + err
        return out + err

    return tell


def releases(place: Place) -> list[str]:
    """Bundle hashes, in the order in which they were registered."""
    return list(dict.fromkeys(each.release for each in Aliases(Store(place.store), NAME).history()))


def versions(place: Place) -> list[str]:
    """What `promote` takes, by seed."""
    found = {}
    for file in place.runs.glob(f"{NAME}/*/*/run.json"):
        seed = (file.parent / "recipe.yaml").read_text().split("\nseed: ")[1].split()[0]
        found[seed] = f"{file.parents[1].name}/{file.parent.name}"
    return [found[seed] for seed in sorted(found)]


def expected(place: Place, **aliases: str) -> dict[str, str]:
    """Besides those, each release has the start of its hash as an alias."""
    return {short(release, 12): release for release in releases(place)[:2]} | aliases


def test_what_was_registered_offline_is_sent_with_its_files_and_aliases(registered, serve, tell):
    backend = serve()
    first, second = releases(registered)
    tell("promote", versions(registered)[0])
    assert backend.operations == []
    told = tell("track", "sync")
    assert told.index(" sent: http") < told.index(f"{COLLECTION}:{short(first, 12)} is there, with production")
    assert backend.pointed(COLLECTION) == expected(registered, candidate=second, production=first)
    version, later = backend.versions[COLLECTION]
    assert (version["artifactTypeName"], version["state"], later["state"]) == ("model", "COMMITTED", "COMMITTED")
    bundle = open_bundle(first, Store(registered.store))
    facts = {key: bundle.facts[key] for key in ("run_id", "attempt", "config_hash", "data_hash", "backend")}
    assert json.loads(version["metadata"]) == {"release": first, **facts}
    for name in (MANIFEST, *bundle.files):
        assert backend.files[f"{COLLECTION}/{name}"] == (bundle.folder / name).read_bytes()
    before = len(backend.operations)
    assert "every tracked run has been sent" in tell("track", "sync")
    assert len(backend.operations) == before


def test_an_alias_that_moves_here_moves_there(registered, serve, tell):
    arrived(registered, backend := serve())
    first, second = releases(registered)
    for version, release in zip(versions(registered), (first, second), strict=False):
        assert "with " in tell("promote", version)
        assert backend.pointed(COLLECTION) == expected(registered, candidate=second, production=release)
    tell("rollback", NAME, "--why", "worse")
    assert backend.pointed(COLLECTION) == expected(registered, candidate=second, production=first)
    assert len(backend.versions[COLLECTION]) == 2
    assert "every tracked" in tell("track", "sync")


def test_an_alias_that_goes_where_w_and_b_is_not_told_of_is_withdrawn(registered, serve, tell):
    arrived(registered, backend := serve())
    tell("promote", versions(registered)[0])
    assert backend.pointed(COLLECTION)["production"] == releases(registered)[0]
    tell("promote", versions(registered)[2])
    assert backend.pointed(COLLECTION) == expected(registered, candidate=releases(registered)[1])
    assert len(backend.versions[COLLECTION]) == 2


def test_a_run_that_is_sent_live_takes_its_release_along(made, serve, tmp_path):
    place = Place(tmp_path)
    place.store = tmp_path / "store"
    shutil.copytree(made.store, place.store)
    backend = serve()
    place.go("tracking=wandb", "seed=5", *GATED)
    (release,) = set(releases(place)) - set(releases(made))
    assert backend.pointed(COLLECTION) == {short(release, 12): release, "candidate": release}


@pytest.mark.parametrize("how", [{"dies_at": "CreateArtifact"}, {"refuse_files": 403}])
def test_a_faulty_backend_costs_a_promotion_a_line_and_a_sync_sends_it_later(how, registered, serve, tell, monkeypatch):
    arrived(registered, serve(**how))
    monkeypatch.setattr(promote, "tell_releases", partial(tell_releases, patience_s=2.0))
    told = tell("promote", versions(registered)[0])
    assert "W&B was not told of release" in told
    assert "totalml track sync does it" in told
    assert f"releases of {NAME} were not sent" in tell("track", "sync", "--patience=2", expect=TrackingError.exit_code)
    backend = serve()
    arrived(registered, backend)
    tell("track", "sync")
    first, second = releases(registered)
    assert backend.pointed(COLLECTION) == expected(registered, candidate=second, production=first)


def test_a_sync_that_is_killed_goes_on_and_comes_to_the_same(registered, serve, tell, monkeypatch):
    tell("promote", versions(registered)[0])
    arrived(registered, backend := serve())
    save = TrackingRecord.save

    def killed(record: TrackingRecord, folder: Path) -> None:
        if record.release:
            raise KeyboardInterrupt
        save(record, folder)

    with monkeypatch.context() as patch:
        patch.setattr(TrackingRecord, "save", killed)
        tell("track", "sync", expect=130)  # the first release is there, and nobody wrote it down
    assert len(backend.versions[COLLECTION]) == 1
    tell("track", "sync")
    first, second = releases(registered)
    assert backend.pointed(COLLECTION) == expected(registered, candidate=second, production=first)
    assert len(backend.versions[COLLECTION]) == 2


def test_a_promotion_that_nobody_tracks_starts_no_companion(registered, tell):
    companion.dismiss()
    tell("promote", versions(registered)[2])
    tell("promote", versions(registered)[1])
    assert companion._companions == {}


def test_an_alert_goes_to_the_run_that_the_release_was_made_of(registered, serve):
    at_work = project.Place(REPOSITORY, registered.runs, registered.store)
    alert = Alerts(Store(registered.store), NAME).raise_alert(replace(CONCEPT, release=releases(registered)[0]))
    (channel,) = settings({"wandb": {}}).channels
    backend = serve()
    assert "W&B does not know the run of release" in str(deliver(channel, alert, at_work))
    arrived(registered, backend)
    assert deliver(channel, alert, at_work) is None
    ((_, told),) = [each for each in backend.operations if each[0] == "NotifyScriptableRunAlert"]
    record = TrackingRecord.load(registered.runs / NAME / versions(registered)[0])
    assert (told["severity"], told["runName"]) == ("ERROR", record.id)
    assert f"[page] {NAME}: concept" in told["title"]
    assert CONCEPT.sentence in told["text"]


def test_a_record_that_an_older_version_wrote_is_read(tmp_path):
    (tmp_path / "tracking.json").write_text(json.dumps({"id": "a", "project": "b", "tags": ["c"], "sent": "then"}))
    record = TrackingRecord.load(tmp_path)
    assert (record.tags, record.aliases, record.release) == (("c",), (), None)


def arrived(place: Place, backend: Backend) -> None:
    """As if the runs, and no releases, had been sent to this backend."""
    for file in place.runs.glob("*/*/*/tracking.json"):
        record = TrackingRecord.load(file.parent)
        replace(record, sent="2026-01-01T00:00:00+00:00").save(file.parent)
        backend.operations.append(("UpsertBucket", {"name": record.id}))
