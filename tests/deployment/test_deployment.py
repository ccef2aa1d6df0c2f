"""A deployment is a file in Git: every mistake is told with its line, and applying it is one event or none."""

import sys
import time
from pathlib import Path

import pytest

from tests.serving.serving import PICTURE, TABLE, picture, promote, release
from tests.serving.test_serving_swap import process, ready_with, until
from totalml.cli import main
from totalml.deployment.deployments import PROPOSED, Deployments
from totalml.deployment.read import read_deployment
from totalml.errors import RecipeError
from totalml.store import Store
from totalml.store.journal import Draft

REPOSITORY = Path(__file__).parents[2]
PLAIN = "model: pints\nrelease: production\n"


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def tell(tmp_path, monkeypatch):
    """`totalml deploy` of a file with this text."""
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def tell(text: str, *more: str) -> int:
        file = tmp_path / "pub.yaml"
        file.write_text(text)
        return main(["deploy", str(file), f"--store={tmp_path / 'store'}", *more])

    return tell


def test_the_committed_deployment_is_whole():
    deployment = read_deployment(REPOSITORY / "deployments" / "guinness.yaml", "deployments/guinness.yaml")
    assert (deployment.model, deployment.release) == ("guinness", "production")


MISTAKES = {
    "model: pints\nmonitoring:\n  zone: Mars/Olympus\n  false_alarms_per_year: 0\n": [
        "3: monitoring.zone: there is no time zone 'Mars/Olympus'; give one such as Europe/Dublin or UTC",
        "4: 'monitoring.false_alarms_per_year' should be greater than 0",
    ],
    "model: pints\nmonitoring:\n  seasons:\n    - {name: fair, dates: 03-14, reference: last.parquet}\n": [
        "4: 'monitoring.seasons[0].reference' should be 'year_before', got 'last.parquet'",
    ],
    "model: pints\nmonitoring:\n  seasons:\n    - {name: fair, dates: 03-14}\n    - {name: fair, dates: 06-16}\n": [
        "several seasons are named fair; give each a name of its own",
    ],
    "modle: pints\n": ["1: unknown key 'modle', did you mean 'model'?"],
    "release: candidate\n": ["1: missing key 'model'"],
    "model: pints\nrelease: Not An Alias\n": ["2: release: expected an alias such as production"],
    "model: pints\nrelease: blake3:12\n": ["2: release: expected an alias"],
    "model: pints\nlimits:\n  samples: 0\n  size: 3\n": [
        "3: 'limits.samples' should be greater than 0",
        "4: unknown key",
    ],
    "model: pints\nlog:\n  predictions: maybe\n  days: 0\n  pictures: 2\n  picturs: 1\n": [
        "3: 'log.predictions' should be a valid boolean",
        "4: 'log.days' should be greater than 0",
        "5: 'log.pictures' should be less than or equal to 1",
        "6: unknown key",
    ],
    "model: pints\ntoken_variable: s3cr3t\n": ["2: 'token_variable' should match pattern"],
    "model: pints\ntoken_variable: HOME\n": ["2: 'token_variable' should match pattern"],
    "model: pints\nrelease: ${oc.env:HOME}\n": ["2: an interpolation; write the value itself"],
    "model: &a pints\nrelease: *a\n": ["1: &a marks a value for repetition", "2: *a repeats"],
    "model: !!python/object/apply:os.system [id]\n": ["1: the tag"],
    "- model\n": ["1: expected a mapping"],
    "model: [\n": ["not valid YAML"],
    "model: pints\n_target_: os.system\n": ["2: unknown key '_target_'"],
    "model: pints\nchallenger:\n  shadow: 10\n  canary: {margins: 0.1}\n": [
        "3: 'challenger.shadow' should hold keys: gates; got 10",
        "4: 'challenger.canary.margins' should hold keys: failures, slow, errors; got 0.1",
    ],
    "model: pints\nchallenger:\n  shadow: {gates: []}\n": [
        "3: 'challenger.shadow.gates' should hold 1 or more, got []"
    ],
    "model: pints\nchallenger:\n  shadow:\n    gates:\n      - {metric: agreemint, at_least: 1}\n"
    "      - {metric: errors, at_most: production}\n      - {metric: shift, at_most: 0, undecided: pass}\n": [
        "5: challenger.shadow.gates[0].metric: traffic has no figure 'agreemint', did you mean 'agreement'?",
        "6: challenger.shadow.gates[1]: give a number",
        "7: challenger.shadow.gates[2].undecided: leave it out",
    ],
}


@pytest.mark.parametrize("text", MISTAKES)
def test_every_mistake_is_told_with_its_line(tmp_path, text):
    file = tmp_path / "pub.yaml"
    file.write_text(text)
    with pytest.raises(RecipeError) as told:
        read_deployment(file, "deployments/pub.yaml")
    assert len(str(told.value).splitlines()) == len(MISTAKES[text])
    for message in MISTAKES[text]:
        assert message in str(told.value)
    assert all(line.startswith("deployments/pub.yaml:") for line in str(told.value).splitlines())


def applied(store: Store) -> list[tuple[str, str]]:
    """The release in the file and why, of each time."""
    events = [event.facts for event in store.journal("pints").events() if event.kind == "deployed"]
    return [(facts["settings"]["release"], facts["why"]) for facts in events]


def test_applying_it_is_one_event_and_again_none(store, tell, capsys):
    promote(store, release(store))
    assert tell(PLAIN, "--check") == 0
    assert "it can be deployed" in capsys.readouterr().out
    assert Deployments(store, "pints").standing("pub") is None
    assert tell(PLAIN, "--why", "opening night") == 0
    assert tell(PLAIN) == 0
    assert "is deployed already" in capsys.readouterr().out
    assert applied(store) == [("production", "opening night")]


def test_reverting_the_file_and_deploying_rolls_back(store, tell, capsys):
    old, new = release(store, 1.0), release(store, 0.5)
    assert tell(PLAIN.replace("production", old.hash)) == 2
    assert "was never registered, so nobody asked its gates" in capsys.readouterr().err
    for each in (old, new):
        promote(store, each, "candidate")
    texts = [PLAIN.replace("production", each.hash) for each in (old, new, old)]
    for text in texts:
        assert tell(text) == 0
    assert [release for release, _ in applied(store)] == [old.hash, new.hash, old.hash]
    assert Deployments(store, "pints").release("pub") == old.hash


def test_a_monitor_looks_at_what_callers_send(store, tell, capsys):
    promote(store, release(store))
    assert tell(PLAIN + "monitoring: {unit: uploader, slices: [pub]}\n", "--check") == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.partition("monitoring: ")[2].split()[0] for line in told] == ["'uploader'", "'pub'"]
    assert all("; leave it out, or release a run whose recipe watches it, too" in line for line in told)


def test_what_is_not_there_or_does_not_fit_is_refused(store, tell, capsys):
    assert tell(PLAIN) == 2
    assert "no model 'pints' is registered" in capsys.readouterr().err
    promote(store, release(store, 1.0, PICTURE))
    assert tell(PLAIN.replace("production", "staging")) == 2
    assert "pub.yaml: pints has no alias or release 'staging'" in capsys.readouterr().err
    assert tell(PLAIN.replace("production", "blake3:" + "0" * 64)) == 5
    assert "is not in the store" in capsys.readouterr().err
    assert tell(PLAIN) == 0
    other = release(store, 1.0, TABLE)
    promote(store, other, "candidate")
    assert tell(PLAIN.replace("production", other.hash), "--check") == 3
    assert "it wants further columns: age, pub" in capsys.readouterr().err
    assert tell(PLAIN.replace("production", other.hash), "--force") == 0
    assert Deployments(store, "pints").release("pub") == other.hash


@pytest.mark.slow
def test_a_service_follows_the_deployment_and_the_alias_in_it(store, tell, tmp_path, capsys):
    import httpx

    old, new = release(store, 1.0), release(store, 0.5)
    promote(store, old)
    file = tmp_path / "pub.yaml"
    file.write_text(PLAIN)
    assert main(["serve", str(file), f"--store={store.root}"]) == 2
    assert "was never deployed; totalml deploy" in capsys.readouterr().err
    assert tell(PLAIN) == 0
    with process(store.root, what=str(file)) as (_, base), httpx.Client(verify=False, base_url=base) as client:

        def answers() -> str:
            return client.post("/predict", content=picture(), headers={"Content-Type": "image/png"}).json()["release"]

        assert answers() == old.hash
        promote(store, new)
        until(lambda: answers() == new.hash)
        assert tell(PLAIN.replace("production", old.hash)) == 0
        until(lambda: answers() == old.hash)
        promote(store, old)
        time.sleep(1.2)
        assert client.get("/readyz").json() == ready_with(old)


def test_a_stage_is_proposed_once_though_clocks_differ(store, tell):
    promote(store, release(store, 1.0))
    promote(store, release(store, 0.99), "candidate")
    assert tell("model: pints\nchallenger: {}\n") == 0
    deployments = Deployments(store, "pints")
    challenger = deployments.challenger("pub")
    facts = {"deployment": "pub", "release": challenger.release, "passed": challenger.stage}
    assert not deployments.proposed("pub", challenger)
    deployments.append(lambda _: Draft(PROPOSED, facts, "eve", "2001-01-01T00:00:00+00:00"))  # of a slow clock
    assert deployments.proposed("pub", challenger)
    assert tell("model: pints\nchallenger: {advance: propose, canary: null}\n") == 0
    assert not deployments.proposed("pub", deployments.challenger("pub"))
