"""Killed at any moment, the next call comes to the result of an undisturbed run; two calls at once do the work once."""

import json
import os
import random
import subprocess

import pytest

from tests.stages.conftest import REPOSITORY, TINY
from tests.warm import python

ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}  # a fork must not need threads that its parent had


@pytest.mark.slow
def test_killed_at_any_point_a_run_goes_on_to_the_same_result(tmp_path):
    """Every tenth of all points, from a random first one: over some runs of the suite, every point."""
    first = random.SystemRandom().randrange(10)
    command = [*python(), "-m", "tests.stages.killed", str(tmp_path), str(first), "10"]
    done = subprocess.run(command, cwd=REPOSITORY, env=ONE_THREAD, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    undisturbed, *kills = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    # The pictures are decoded before the checks and the stage is told after them, so these two are one here.
    stages = {kill["stage"].replace("quality", "features") for kill in kills}
    assert stages == {"snapshot", "features", "training", "evaluation", "report"}, kills
    for kill in kills:
        assert kill["outputs"] == undisturbed["outputs"], kill
        assert kill["attempts"] == 1, kill
        assert kill["leftovers"] == [], kill


def test_of_two_identical_runs_at_once_one_works_and_the_other_reports(tmp_path):
    where = [f"runtime.store={tmp_path}/store", f"runtime.runs={tmp_path}/runs"]
    command = [*python(), "run.py", *TINY, *where, "runtime.progress=plain"]
    both = [
        subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [("this run is finished" in err) for _, err in told].count(True) == 1
    assert told[0][0].splitlines()[0] == told[1][0].splitlines()[0]  # the same accuracy
    assert len(list(tmp_path.glob("runs/*/*/*/run.json"))) == 1


def test_two_runs_that_share_a_training_train_once(tmp_path):
    where = [f"runtime.store={tmp_path}/store", f"runtime.runs={tmp_path}/runs", "runtime.progress=plain"]
    both = [
        subprocess.Popen(
            [*python(), "run.py", *TINY, *where, f"evaluation.bootstrap={count}"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for count in (10, 20)
    ]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    facts = [json.loads(file.read_text()) for file in tmp_path.glob("runs/*/*/*/run.json")]
    assert sorted(run["stages"]["training"]["reused"] for run in facts) == [False, True]
    assert facts[0]["outputs"] == facts[1]["outputs"]
