"""One job that goes wrong, in whatever way, costs no other its result; what was interrupted goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.sweep.planted import loss_of
from tests.warm import python

REPOSITORY = Path(__file__).parents[2]
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


@pytest.mark.parametrize(
    ("how", "told"),
    [("refuse", "a rate of 0.5 is refused"), ("bug", "ZeroDivisionError: nobody foresaw this")],
)
def test_a_failed_job_is_named_with_its_error_and_its_log_and_the_others_run(start, state, capsys, how, told):
    assert start("-m", "training.optimizer.lr=0.1,0.5,0.2", f"question={how}") == 1
    said = capsys.readouterr()
    statuses = [job["status"] for job in state()["jobs"]]
    assert statuses == ["finished", "failed", "finished"]
    log = Path(state()["jobs"][1]["log"])
    assert said.err.rstrip().endswith(f"job 2: training.optimizer.lr=0.5\n  {told}\n  log: {log}")
    assert told in log.read_text()
    assert ("Traceback" in log.read_text()) == (how == "bug")
    assert "failed" in said.out.splitlines()[3]
    assert state()["jobs"][1]["error"] == told


def test_a_failed_job_is_tried_again_by_the_same_command(start, state):
    assert start("-m", "training.optimizer.lr=0.1,0.5", "question=refuse") == 1
    assert start("-m", "training.optimizer.lr=0.1,0.5", "question=mended") == 0
    assert [(job["status"], job["reused"]) for job in state()["jobs"]] == [("finished", True), ("finished", False)]


def test_ctrl_c_ends_the_sweep_with_130_and_the_same_command_goes_on(start, state, capsys):
    assert start("-m", "training.optimizer.lr=0.1,0.5,0.2", "question=interrupt") == 130
    said = capsys.readouterr()
    assert said.err.rstrip().endswith("interrupted; 1 of 3 jobs are done; the same command goes on")
    assert [job["status"] for job in state()["jobs"]] == ["finished", "interrupted", "waiting"]
    assert start("-m", "training.optimizer.lr=0.1,0.5,0.2") == 0
    assert [job["reused"] for job in state()["jobs"]] == [True, False, False]


def command(project: Path, *arguments: str, first: str = "", words: Sequence[str] = ()) -> list[str]:
    """Args: first: code that comes before it. words: that start Python, a warm one unless told."""
    code = (
        f"{first}\n"
        "import sys; from pathlib import Path; from totalml.compose import main; from totalml.sweep import sweep\n"
        "from tests.sweep.planted import live\n"
        f"sys.exit(main(Path({str(project)!r}), live, sys.argv[1:], sweep=sweep))"
    )
    return [*(words or python()), "-c", code, "-m", "+recipe=photos", *arguments]


def test_a_sweep_that_is_killed_goes_on_with_the_rest(project, state):
    arguments = ["training.optimizer.lr=0.1,0.2,0.5,0.3"]
    process = subprocess.Popen(command(project, *arguments, "question=sleep"), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list(project.glob("runs/sweeps/*/*/3.log")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert [job["status"] for job in state()["jobs"]] == ["finished", "finished", "waiting", "waiting"]
    done = subprocess.run(command(project, *arguments), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert [job["reused"] for job in state()["jobs"]] == [True, True, False, False]


@pytest.mark.parametrize("sweeper", ["grid", "optuna"])
def test_the_same_sweep_started_twice_waits_for_the_first(project, state, sweeper):
    if sweeper == "optuna":
        pytest.importorskip("optuna")
    swept = ["hydra/sweeper=optuna", "hydra.sweeper.trials=1"] if sweeper == "optuna" else []
    arguments = [*swept, "training.optimizer.lr=choice(0.5)"]
    first = subprocess.Popen(command(project, *arguments, "question=sleep"), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(project.glob("runs/sweeps/*/*/1.log")):
        assert time.monotonic() < deadline
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    second = subprocess.Popen(command(project, *arguments), stderr=subprocess.PIPE, text=True)
    assert "waiting for another process" in second.stderr.readline()
    first.kill()
    first.communicate()
    said = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert state()["jobs"][-1]["status"] == "finished"


@pytest.mark.parametrize("launcher", ["joblib", pytest.param("submitit_local", marks=pytest.mark.slow)])
def test_a_worker_that_is_killed_takes_no_other_job_with_it(project, state, launcher):
    pytest.importorskip("joblib" if launcher == "joblib" else "submitit")
    settings = JOBLIB if launcher == "joblib" else ["hydra/launcher=submitit_local"]
    arguments = [*settings, "training.optimizer.lr=0.1,0.5,0.2", "question=die"]
    # A shared folder may show a result late; this one does not.
    at_once = "" if launcher == "joblib" else "from submitit import Job; Job._results_timeout_s = 1"
    done = subprocess.run(
        command(project, *arguments, first=at_once), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stderr
    jobs = state()["jobs"]
    assert [job["status"] for job in jobs] == ["finished", "failed", "finished"]
    assert [job["metric"] for job in jobs] == [loss_of(0.1), None, loss_of(0.2)]
    assert "killed" in jobs[1]["error"]
    assert "job 2: training.optimizer.lr=0.5" in done.stderr


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
def test_the_workers_of_a_sweep_that_is_killed_go_with_it(project):
    pytest.importorskip("joblib")
    arguments = [*JOBLIB, "training.optimizer.lr=0.1,0.5", "question=sleep"]
    own = command(project, *arguments, words=[sys.executable])  # workers are children of it
    process = subprocess.Popen(own, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(project.glob("runs/sweeps/*/*/2.log")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    workers = [pid for pid in children(process.pid) if b"LokyProcess" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert workers
    process.kill()
    process.wait()
    deadline = time.monotonic() + 120
    while any(map(lives, workers)):
        assert time.monotonic() < deadline, f"left behind: {workers}"
        time.sleep(0.1)


def test_a_worker_that_begins_when_its_conductor_is_gone_leaves_too():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    told = (
        "import sys, time; from totalml.workers.parent import leave_with; leave_with(int(sys.argv[1])); time.sleep({})"
    )
    left = [sys.executable, "-c", told.format(60), str(gone.pid)]
    assert subprocess.run(left, timeout=50, check=False).returncode == 1
    stays = [sys.executable, "-c", told.format(2), "1"]  # of a process that lives and is not its parent
    assert subprocess.run(stays, timeout=50, check=False).returncode == 0


def lives(pid: str) -> bool:
    """Not of one that has ended and whose new parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> list[str]:
    return [pid for file in Path(f"/proc/{pid}/task").glob("*/children") for pid in file.read_text().split()]


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_jobs_of_several_processes_have_a_log_each(start, state, project, capfd, launcher):
    pytest.importorskip("joblib" if launcher == "joblib" else "submitit")
    settings = JOBLIB if launcher == "joblib" else ["hydra/launcher=submitit_local"]
    if launcher == "joblib":  # processes that an earlier test left warm would write to its stderr
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown()
    assert start("-m", *settings, "training.optimizer.lr=0.1,0.2") == 0
    assert [job["metric"] for job in state()["jobs"]] == [loss_of(rate) for rate in (0.1, 0.2)]
    for job in state()["jobs"]:
        assert f"training.optimizer.lr={job['parameters']['training.optimizer.lr']}" in Path(job["log"]).read_text()
    said = capfd.readouterr().err
    assert "UserWarning" not in said
    assert ("job 2 of 2: training.optimizer.lr=0.2: finished" in said) == (launcher == "joblib")
    assert start("-m", *settings, "training.optimizer.lr=0.1,0.2") == 0
    # The other processes had as many threads as this one knew they would.
    assert [job["reused"] for job in state()["jobs"]] == [True] * 2
