"""A drill is held once, after its run; what is kept of it is reused, and what cannot be drilled is told."""

import json
import subprocess
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.release.registered import REPOSITORY, TINY
from tests.warm import run_python

DRILL = (
    "+recipe=guinness_drill_smoke",
    *TINY,
    "drill.populations.base.source.size_px=32",
    "drill.populations.base.source.count=120",
    "drill.populations.st_patricks.source.count=110",
    "drill.populations.st_patricks.source.size_px=32",
    "drill.reference=40",
    "drill.days=14",
    "drill.from_day=7",
    "drill.per_day=2",
    "drill.histories=3",
    "drill.calm_histories=20",
)


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._where = [f"runtime.store={folder}/store", f"runtime.runs={folder}/runs"]

    def go(self, *overrides: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_python(["run.py", *DRILL, *self._where, *overrides], REPOSITORY)
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    @property
    def attempt(self) -> Path:
        (file,) = self.folder.glob("runs/*/*/*/drill.json")
        return file.parent


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("drilled"))
    project.first = project.go().stdout
    return project


def drill(attempt: Path) -> dict:
    return json.loads((attempt / "drill.json").read_text())


@pytest.mark.slow
def test_it_tells_what_it_kept(project):
    kept = drill(project.attempt)
    assert [each["population"] for each in kept["measured"]] == ["base", "st_patricks", "generosity", "swapped"]
    assert kept["truths"] == {
        "rating_habit": "concept",
        "st_patricks": "expected season",
        "channels_swapped": "data quality",
    }
    for judged in kept["judged"]:
        assert f"{100 * judged['fresh']:.1f} %" in project.first
    outcomes = pq.read_table(project.attempt / "drill.parquet").to_pylist()
    assert len(outcomes) == 3 * 3 * len(kept["judged"])
    for judged in kept["judged"]:
        for found in judged["found"]:
            own = [
                each
                for each in outcomes
                if (each["detector"], each["scenario"]) == (judged["detector"], found["scenario"])
            ]
            assert sum(each["alarm"] is not None for each in own) == pytest.approx(3 * found["alarmed"])


@pytest.mark.slow
def test_the_populations_are_in_the_form_of_the_log(project):
    tables = [pq.read_table(file) for file in project.attempt.glob("drill/*.parquet")]
    assert len(tables) == 4
    for table in tables:
        assert {"time", "answer:predicted", "property:sharpness", "metadata:uploader"} <= {*table.column_names}
    right = [pc.mean(pc.equal(table["answer:predicted"], table["label"]).cast("int8")).as_py() for table in tables]
    told = [each["accuracy"]["value"] for each in drill(project.attempt)["measured"]]
    assert sorted(right) == pytest.approx(sorted(told))


@pytest.mark.slow
def test_a_second_call_reports_and_a_killed_one_goes_on(project):
    attempt, before = project.attempt, drill(project.attempt)
    again = project.go()
    assert again.stdout == project.first
    assert "draws" not in again.stderr
    # Killed between scoring and judging; and a file that a power cut left half.
    (attempt / "drill.json").write_text((attempt / "drill.json").read_text()[:100])
    times = {file: file.stat().st_mtime_ns for file in attempt.glob("drill/*.parquet")}
    next(iter(times)).unlink()
    went_on = project.go()
    assert drill(attempt) == before
    changed = [file for file, time_ns in times.items() if file.stat().st_mtime_ns != time_ns]
    assert changed == [next(iter(times))]
    assert went_on.stdout == project.first


@pytest.mark.slow
def test_too_small_a_population_is_named_and_the_run_stays_whole(project):
    done = project.go("drill.per_day=6", expect=4)
    assert "'base' has 120" in done.stderr
    assert "Traceback" not in done.stderr
    assert "The run is whole" in done.stderr


@pytest.mark.slow
def test_without_a_source_the_runs_own_samples_are_drilled(project, tmp_path):
    own = [
        "drill.populations.base.source=null",
        "data.source.count=400",
        "drill.days=10",
        "drill.from_day=5",
        "drill.window_days=5",
        "drill.reference=30",
        "~drill.populations.st_patricks",
        "~drill.scenarios.st_patricks",
    ]
    told = Project(tmp_path).go(*own).stdout
    assert "st_patricks" not in told
    assert "swapped" in told
    (file,) = tmp_path.glob("runs/*/*/*/run.json")
    rows = pq.read_table(next(file.parent.glob("drill/*.parquet"))).num_rows
    assert rows == len(pq.read_table(next(tmp_path.glob("store/releases/*/reference/rows.parquet"))))


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("drill.base=bas", "did you mean 'base'"),
        ("drill.scenarios.rating_habit.population=generous", "there is no population 'generous'"),
        ("drill.populations.swapped.of=generosity", "name either a source"),
        ("drill.from_day=14", "a history has 14 days"),
        ("drill.calm_histories=10", "take 21 or more"),
    ],
)
def test_mistakes_are_told_before_anything_runs(tmp_path, override, told):
    done = Project(tmp_path).go(override, expect=2)
    assert told in done.stderr
    assert not (tmp_path / "store").exists()
