"""A run that passed its gates becomes a release; aliases go forward and back, and the history tells it all."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.release.registered import EASY, HARD, NAME, REPOSITORY, Project, at_home
from totalml.errors import DataError, FeatureError, ModelError, StoreError
from totalml.follow_up import register_release
from totalml.progress import Progress
from totalml.release import make, promote
from totalml.release import register as register_module
from totalml.release.bundle import RELEASES
from totalml.release.register import is_due, register
from totalml.release.signature import Signature
from totalml.release.watched import settings_of
from totalml.runs.find import find_run
from totalml.runs.stored import stored_recipe
from totalml.store import Store

WITHOUT_TORCH = (
    "import sys; from pathlib import Path; from totalml.compose import main; from totalml.runner import run\n"
    "code = main(Path.cwd(), run, sys.argv[1:])\n"
    "sys.exit('torch was imported' if 'torch' in sys.modules else code)"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Project:
    """Two runs, each registered as the candidate."""
    project = Project(tmp_path_factory.mktemp("project"))
    told = project.go(EASY)
    assert f"totalml promote {NAME}@candidate puts it in production" in told
    project.go(EASY, "seed=1")
    return project


@pytest.fixture
def project(made, tmp_path, monkeypatch) -> Project:
    at_home(monkeypatch)
    for part in ("store", "runs"):
        shutil.copytree(getattr(made, part), tmp_path / part)
    return Project(tmp_path)


def test_a_run_that_passed_its_gates_is_registered_once(project, capsys):
    history = project.history()
    assert [(each.alias, each.how) for each in history] == [("candidate", "registered")] * 2
    assert [each.version for each in history] == [f"{each.parent.name}/{each.name}" for each in project.attempts()]
    assert len({each.release for each in history}) == 2
    where = [f"runtime.store={project.store}", f"runtime.runs={project.runs}"]
    from tests.release.registered import RUN

    command = [sys.executable, "-c", WITHOUT_TORCH, *RUN, *where, EASY]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert project.history() == history


def test_what_was_not_to_be_registered_is_not(project, capsys):
    before = project.history()
    project.go(HARD, expect=3)
    project.go(EASY, "seed=2", "registry=null")
    project.go("gates=[]")
    ungated = project.attempts()[-1].parent.name
    project.go(EASY, "seed=2", "smoke=true")
    assert project.history() == before
    project.go(EASY, "seed=2")  # the finished run is registered when that is asked for
    assert len(project.history()) == len(before) + 1
    assert project.tell("promote", ungated) == 0
    assert "no gate was asked, as the recipe has none" in capsys.readouterr().out
    assert project.tell("promote", f"{NAME}@candidate") == 0
    assert "no gate" not in capsys.readouterr().out


def test_a_finished_run_that_is_to_be_watched_otherwise_becomes_another_release(project, capsys):
    assert project.tell("promote", f"{NAME}@candidate") == 0
    before = project.bundle()
    other = "monitoring={false_alarms_per_year: 12, slices: [pub]}"
    told = project.go(EASY, "seed=1", other)
    assert "monitoring is another by now; making the release" in told
    after = project.bundle()
    assert len(project.attempts()) == 2
    watched, signature = settings_of(after), Signature.read(after)
    assert (watched.false_alarms_per_year, watched.slices, "pub" in signature.context) == (12, ("pub",), True)
    differing = {name for name in after.files if after.files[name] != before.files.get(name)}
    assert differing == {"recipe.yaml", "signature.json", "sbom.cdx.json"}
    run = find_run(project.history()[-1].version, project.runs)
    for recipe in (stored := stored_recipe(run.folder), stored.model_copy(update={"monitoring": watched})):
        assert is_due(recipe, run, Store(project.store)) == (recipe is stored)
    assert project.tell("promote", project.attempts()[-1].parent.name) == 0  # the run, so the latest that it became
    moves = [(each.how, each.release) for each in project.history() if each.alias == "production"]
    assert moves == [("promoted", before.hash), ("promoted", after.hash)]
    assert project.tell("rollback", NAME, "--why", "too loud") == 0
    assert project.bundle("production").hash == before.hash
    told = project.go(EASY, "seed=1", "monitoring.slices=[pubs]", expect=9)
    assert "no release was made of it: monitoring: 'pubs' is no metadata column, did you mean 'pub'?" in told


def test_production_goes_forward_and_back(project, capsys):
    first, second = (f"{each.parent.name}/{each.name}" for each in project.attempts())
    assert project.tell("promote", first, "--why", "the first") == 0
    assert project.tell("promote", f"{NAME}@candidate") == 0
    assert project.tell("promote", f"{NAME}@candidate") == 0
    told = capsys.readouterr().out
    assert f"before: {first}" in told
    assert f"production of {NAME} is {second} already" in told
    assert project.tell("rollback", NAME, "--why", "worse in the pub") == 0
    assert f"(run {first}); before: release" in capsys.readouterr().out
    assert project.tell("rollback", NAME, "--to", project.bundle("candidate").hash[7:15], "--why", "no, better") == 0
    moves = [each for each in project.history() if each.alias == "production"]
    assert [(each.version, each.how) for each in moves] == [
        (first, "promoted"),
        (second, "promoted"),
        (first, "rolled back"),
        (second, "rolled back"),
    ]
    capsys.readouterr()
    assert project.tell("registry", "history", NAME, "--alias", "production") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:3] for line in lines[1:3]] == [["production", "rolled"], ["production", "rolled"]]
    assert "worse in the pub" in lines[2]
    assert "the first" in lines[4]
    assert project.tell("rollback", NAME, "--why", "in panic") == 0
    assert "that undid the rollback of " in (told := capsys.readouterr().out)
    assert "(no, better)" in told


def test_of_two_that_promote_one_run_at_once_one_does(project, capsys, monkeypatch):
    release = promote._release

    def while_the_other_one_does(*told):
        monkeypatch.setattr(promote, "_release", release)
        assert project.tell("promote", f"{NAME}@candidate") == 0
        return release(*told)

    monkeypatch.setattr(promote, "_release", while_the_other_one_does)
    assert project.tell("promote", f"{NAME}@candidate") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(" already")
    assert len([each for each in project.history() if each.alias == "production"]) == 1


def test_a_run_that_an_older_version_put_there_gets_its_release(project, capsys):
    first = project.attempts()[0]
    facts = json.loads((first / "run.json").read_text())
    shutil.rmtree(project.store / "journal")
    old = {"when": "2026-11-25T04:00:00+00:00", "alias": "production", "who": "eve", "why": "", "attempt": 1}
    old |= {"run_id": facts["run_id"], "weights": facts["outputs"]["weights"]}
    (project.store / "registry").mkdir()
    (project.store / "registry" / f"{NAME}.jsonl").write_text(json.dumps(old) + "\n")
    assert project.tell("registry", "show", f"{NAME}@production") == 2
    assert "of which no release was made; totalml promote" in capsys.readouterr().err
    assert project.tell("promote", first.parent.name) == 0
    assert project.tell("registry", "show", f"{NAME}@production") == 0
    assert [each.how for each in project.history()] == ["carried over", "rolled back"]


def test_releases_are_listed_shown_and_compared(project, capsys):
    assert project.tell("promote", f"{project.attempts()[0].parent.name}") == 0
    capsys.readouterr()
    assert project.tell("registry", "list") == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:]] == [
        [NAME, "candidate"],
        [NAME, "production"],
    ]
    assert project.tell("registry", "show", f"{NAME}@production") == 0
    shown = capsys.readouterr().out
    assert "a picture, seen as 32 px (crop)" in shown
    assert "p:good: double" in shown
    assert "accuracy at least 0: passed" in shown
    assert project.tell("registry", "diff", f"{NAME}@production", f"{NAME}@candidate", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["recipe"] == {"seed": [0, 1]}
    assert "data_hash" not in found["made of"]
    assert project.tell("registry", "diff", f"{NAME}@candidate", f"{NAME}@candidate") == 0
    assert "are one release" in capsys.readouterr().out


def test_a_rollback_holds_every_file_to_its_digest(project, capsys):
    for attempt in project.attempts():
        assert project.tell("promote", attempt.parent.name) == 0
    before = project.history()
    damaged = project.store / RELEASES / before[0].release.removeprefix("blake3:") / "model.onnx"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    assert project.tell("rollback", NAME, "--why", "a try") == 5
    assert f"{damaged} is not what was released" in capsys.readouterr().err
    assert project.history() == before


def test_a_hash_alone_names_a_release_and_a_path_a_run(project, capsys):
    first, second = project.history()
    assert project.tell("registry", "list") == 0
    assert (listed := capsys.readouterr().out.splitlines()[1].split()[2]) == second.release[7:19]
    assert project.tell("promote", listed) == 0
    assert project.tell("registry", "show", listed) == 0
    assert second.release in capsys.readouterr().out
    assert project.tell("registry", "diff", first.release, listed) == 0
    head, part, *_ = capsys.readouterr().out.splitlines()
    assert (head, part) == (f"{first.release} ({first.release[7:19]}) -> {listed} ({listed})", "figures")
    assert project.tell("promote", f"runs/{NAME}/{first.version}/") == 0
    assert project.bundle("production").hash == first.release
    assert project.tell("registry", "show", "0123456789ab") == 2


def test_that_nothing_is_registered_since_gates_failed_is_told(project, capsys):
    assert project.tell("promote", f"{NAME}@candidates") == 2
    assert "did you mean 'candidate'? Its last run is " in capsys.readouterr().err
    shutil.rmtree(project.store / "journal")
    last = project.attempts()[-1]
    assert project.tell("promote", f"{NAME}@candidate") == 2
    run = f"{last.parent.name}/{last.name}"
    assert f"; its last run is {run}, of which totalml promote {run} makes" in capsys.readouterr().err
    file = last / "gates.json"
    file.write_text(file.read_text().replace('"passed": true', '"passed": false'))
    assert project.tell("promote", f"{NAME}@candidate") == 2
    told = capsys.readouterr().err
    assert f"its last run, {run}, did not pass its gates (accuracy at least 0): {last}/report.html" in told


@pytest.fixture
def blue_for_red(monkeypatch):
    """The service's path decodes so."""
    from totalml.features import given

    decode = given.row_of
    monkeypatch.setattr(given, "row_of", lambda *told: decode(*told)[..., ::-1])


@pytest.mark.usefixtures("blue_for_red")
def test_a_path_that_decodes_otherwise_is_never_registered(project):
    before, attempt = project.history(), find_run(project.attempts()[0].parent.name, project.runs)
    with pytest.raises(ModelError, match="the service's path answers"):
        register(stored_recipe(attempt.folder), attempt, Store(project.store), Progress.silent())
    assert project.history() == before


@pytest.mark.parametrize("kind", [DataError, FeatureError, ModelError, StoreError])
def test_whatever_a_release_fails_by_the_run_is_told_to_be_whole(project, monkeypatch, kind):
    def refuse(*_):
        raise kind("picture 'pint-0007' has 3 bytes")

    attempt = find_run(project.attempts()[0].parent.name, project.runs)
    monkeypatch.setattr(register_module, "is_due", lambda *_: True)
    monkeypatch.setattr(make, "make_release", refuse)
    told = "The run is whole and passed its gates, but no release was made of it: picture 'pint-0007'"
    with pytest.raises(kind, match=told):
        register_release(stored_recipe(attempt.folder), attempt, Store(project.store), Progress.silent())


@pytest.mark.usefixtures("blue_for_red")
def test_a_path_that_decodes_otherwise_is_refused_and_may_be_overruled(project, capsys):
    assert project.tell("promote", f"{NAME}@candidate") == 3
    assert "parity: the service's path answers" in capsys.readouterr().err
    assert project.tell("promote", f"{NAME}@candidate", "--force", "--why", "we know") == 0
    assert "overruled: parity" in capsys.readouterr().out
    assert project.tell("registry", "history", NAME) == 0
    assert "we know; overruled parity" in capsys.readouterr().out.splitlines()[1]


def test_callers_of_production_are_not_let_down(project, capsys, monkeypatch):
    first, second = (each.parent.name for each in project.attempts())
    assert project.tell("promote", first) == 0
    from totalml.release import signature

    monkeypatch.setattr(signature.Signature, "misfits", lambda ours, theirs: ["it wants further columns: age"])
    assert project.tell("promote", second) == 3
    assert "signature: it wants further columns: age" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("registry", "show", f"{NAME}@produktion"), 2, "did you mean 'production'?"),
        (("registry", "show", "guinnes_smoke@production"), 2, f"did you mean '{NAME}'?"),
        (("registry", "show", NAME), 2, f"say which release of {NAME}: {NAME}@candidate"),
        (("registry", "show", f"{NAME}@nothing"), 2, f"there are {NAME}@candidate"),
        (("registry", "history", "../x"), 2, "'../x' is no model's name"),
        (("registry", "history", f"{NAME}@production"), 2, f"give {NAME}, and --alias production"),
        (("registry", "history", NAME, "--alias", "staging"), 2, "never had an alias 'staging'; there are: candidate"),
        (("rollback", f"{NAME}@production", "--why", "x"), 2, f"give {NAME}, and --alias production"),
        (("rollback", NAME, "--why", " "), 2, "--why is empty"),
        (("rollback", NAME, "--why", "x"), 2, "pointed at release"),
        (("rollback", NAME, "--alias", "staging", "--why", "x"), 2, "never pointed at anything"),
        (("rollback", NAME, "--to", "ffff0000", "--why", "x"), 2, "never stood there"),
        (("promote", NAME, "--alias", "Pro duction"), 2, "'Pro duction' is no alias's name"),
    ],
)
def test_a_wrong_name_is_explained(project, capsys, words, code, told):
    assert project.tell("promote", f"{NAME}@candidate") == 0
    assert project.tell(*words) == code
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said


def test_a_model_that_cannot_be_exported_says_so_and_the_run_is_whole(project, capsys, monkeypatch):
    def refuse(*_):
        raise ModelError("the operator 'fancy' cannot be exported.")

    monkeypatch.setattr(make, "export_onnx", refuse)
    project.go("gates=[]", "seed=3", "registry.format=torch")
    torch_run = project.attempts()[-1].parent.name
    project.go("gates=[]", "seed=4")
    onnx_run = project.attempts()[-1].parent.name
    assert project.tell("promote", onnx_run) == 7
    said = capsys.readouterr().err
    assert "the operator 'fancy' cannot be exported. Set registry.format=torch" in said
    assert project.tell("promote", torch_run) == 0
    assert "model.onnx" not in project.bundle("production")
