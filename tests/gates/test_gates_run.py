"""Runs with gates, as a user sees them: exit code 3, nothing lost, nothing trained again, and what may be promoted."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warm import run_python
from totalml.cli import main

REPOSITORY = Path(__file__).parents[2]
TINY = [
    "+recipe=guinness_smoke",
    "data.source.count=60",
    "data.source.size_px=32",
    "features.image.size=32",
    "training.epochs=1",
    "data.split.salt=tiny",
    "registry.format=torch",  # what is promoted is not asked here; to export it would cost 2 s
]
EASY, HARD = "{metric: accuracy, at_least: 0.0}", "{metric: accuracy, at_least: 1.1}"
NOT_WORSE = "{metric: accuracy, at_least: production}"
WITHOUT_TORCH = (
    "import sys; from pathlib import Path; from totalml.compose import main; from totalml.runner import run\n"
    "code = main(Path.cwd(), run, sys.argv[1:])\n"
    "heavy = {'torch', 'lightning', 'pandas'} & set(sys.modules)\n"
    "sys.exit(str(heavy) if heavy else code)"
)


class Project:
    """One store and one folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.store, self.runs = folder / "store", folder / "runs"

    def go(self, *overrides: str, expect: int = 0) -> str:
        return self._told(run_python(["run.py", *self._words(*overrides)], REPOSITORY), expect)

    def go_without_torch(self, *overrides: str, expect: int = 0) -> str:
        command = [sys.executable, "-c", WITHOUT_TORCH, *self._words(*overrides)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
        return self._told(done, expect)

    def _words(self, *overrides: str) -> list[str]:
        where = [f"runtime.store={self.store}", f"runtime.runs={self.runs}", "runtime.progress=plain"]
        return [*TINY, *where, *overrides]

    def _told(self, done: subprocess.CompletedProcess[str], expect: int) -> str:
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def latest(self) -> Path:
        return max(self.runs.glob("guinness_smoke/*/*/run.json"), key=lambda file: file.stat().st_mtime_ns).parent

    def facts(self) -> dict:
        return json.loads((self.latest() / "run.json").read_text())

    def name(self) -> str:
        return f"{self.latest().parent.name}/{self.latest().name}"

    def promote(self, *arguments: str) -> int:
        return self.tell("promote", *arguments)

    def tell(self, *words: str) -> int:
        return main([*words, f"--runs={self.runs}", f"--store={self.store}"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Project:
    """A run without gates."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.go()
    return project


@pytest.fixture
def project(trained, tmp_path, monkeypatch) -> Project:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for part in ("store", "runs"):
        shutil.copytree(getattr(trained, part), tmp_path / part)
    return Project(tmp_path)


def test_a_failed_gate_ends_the_run_with_3_and_loses_nothing(project):
    told = project.go(f"gates=[{EASY}, {HARD}]", expect=3)
    assert re.search(r"Gate: accuracy at least 0 +passed", told)
    assert re.search(r"Gate: accuracy at least 1.1 +failed", told)
    assert "It may not be released: 1 of 2 gates did not pass." in told
    assert "Traceback" not in told
    facts = project.facts()
    assert (facts["status"], facts["releasable"], facts["error"]) == ("finished", False, None)
    assert {"gates.json", "report.html", "MODEL_CARD.md"} <= {file for file, found in facts["results"].items() if found}
    assert "It may not be released" in (project.latest() / "report.html").read_text()


def test_another_gate_does_nothing_again_but_judge(project):
    before = project.facts()
    project.go(f"gates=[{EASY}]")
    facts = project.facts()
    assert facts["config_hash"] != before["config_hash"]
    assert facts["outputs"] == before["outputs"]
    assert {name for name, stage in facts["stages"].items() if stage["reused"]} == {
        "quality",
        "features",
        "training",
        "evaluation",
        "explanation",
        "robustness",
        "out_of_distribution",
    }
    assert facts["releasable"]


def test_a_finished_run_tells_its_verdict_again_without_torch(project):
    first = project.go(f"gates=[{HARD}]", expect=3)
    again = project.go_without_torch(f"gates=[{HARD}]", expect=3)
    assert "runtime.rerun=true runs it again" in again
    line = next(line for line in first.splitlines() if line.startswith("Gate: "))
    assert line in again
    assert project.facts()["attempt"] == 1


def test_production_that_moved_is_compared_with_again_and_the_record_stays(project):
    first = project.name()
    told = project.go(f"gates=[{NOT_WORSE}]")
    assert "nothing is in production yet" in told
    judged, record = project.latest(), (project.latest() / "gates.json").read_bytes()
    assert project.promote(first) == 0
    again = project.go_without_torch(f"gates=[{NOT_WORSE}]")
    assert f"production is {first} now" in again
    assert "the very model that is in production" in again
    assert (judged / "gates.json").read_bytes() == record
    project.go("seed=1", f"gates=[{NOT_WORSE}]", expect=3)  # another model on seven samples: nothing can be shown
    recorded = json.loads((project.latest() / "gates.json").read_text())
    assert f"{recorded['production']['run_id']}/{recorded['production']['attempt']}" == first
    assert recorded["gates"][0]["how"] == "paired"
    assert recorded["gates"][0]["outcome"] == "undecided"


def test_only_what_passed_is_promoted_and_a_rollback_names_an_earlier_run(project, capsys):
    first = project.name()
    project.go(f"gates=[{HARD}]", expect=3)
    stopped = project.name()
    assert project.promote(stopped) == 3
    assert "accuracy at least 1.1: failed" in capsys.readouterr().err
    assert project.promote(first, "--why", "the first") == 0
    project.go(f"gates=[{EASY}]")
    second = project.name()
    assert project.promote(second) == 0
    assert project.promote(first, "--why", "rollback") == 0
    assert project.promote(first) == 0
    told = capsys.readouterr().out
    assert f"before: {second}" in told
    assert "already" in told
    assert project.tell("registry", "history", "guinness_smoke", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(f"{each['run_id']}/{each['attempt']}", each["how"]) for each in told] == [
        (first, "promoted"),
        (second, "promoted"),
        (first, "rolled back"),
    ]


def test_a_model_in_production_keeps_the_verdict_by_which_it_came_there(project):
    better = "{metric: accuracy, at_least: production, margin: -0.5}"
    project.go(f"gates=[{better}]")
    assert project.promote(project.name()) == 0
    project.go(f"gates=[{better}]")


def test_an_unfinished_or_damaged_run_is_not_promoted(project, capsys):
    (project.latest() / "metrics.json").write_text("{}")
    assert project.promote(project.name()) == 5
    assert "gone or changed: metrics.json" in capsys.readouterr().err
    facts = project.facts()
    (project.latest() / "run.json").write_text(json.dumps(facts | {"status": "interrupted"}))
    assert project.promote(project.name()) == 2
    assert "is interrupted" in capsys.readouterr().err
    assert not (project.store / "journal").exists()


def test_production_that_lies_elsewhere_is_brought_for_the_comparison(tmp_path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])
    there = [f"runtime.{part}=file://{tmp_path}/there/{part}" for part in ("store", "runs")]
    project = Project(tmp_path)
    project.go(*there, f"runtime.cache={tmp_path}/cache")
    (run_json,) = (tmp_path / "cache").rglob("guinness_smoke/*/1/run.json")
    elsewhere = tmp_path / "another machine"
    elsewhere.mkdir()
    for part in ("conf", "recipes"):
        (elsewhere / part).symlink_to(REPOSITORY / part)
    with monkeypatch.context() as moved:
        moved.chdir(elsewhere)
        where = [f"--runs={run_json.parents[3]}", f"--store=file://{tmp_path}/there/store"]
        assert main(["promote", "guinness_smoke", *where]) == 0
    shutil.rmtree(run_json.parents[3])
    told = project.go(*there, f"runtime.cache={tmp_path}/cache", f"gates=[{NOT_WORSE}]")
    assert "the very model that is in production" in told


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["guinness_smoke", "--alias", "Pro duction"], "'Pro duction' is no alias's name"),
    ],
)
def test_a_wrong_name_is_explained(project, capsys, arguments, expected):
    assert project.promote(*arguments) == 2
    assert expected in capsys.readouterr().err


def test_a_job_of_a_sweep_that_may_not_be_released_is_no_failed_job(project):
    told = project.go("-m", f"gates=[{HARD}]", "evaluation.bootstrap=0,10")
    assert "Gates: 2 of 2 jobs may not be released: 1, 2" in told
    (record,) = project.runs.glob("sweeps/*/*/sweep.json")
    jobs = json.loads(record.read_text())["jobs"]
    assert [(job["status"], job["releasable"]) for job in jobs] == [("finished", False)] * 2
