"""Optuna finds what is planted, forgets nothing when it is killed, and lets bad jobs go early."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.sweep.planted import BEST_RATE, loss_of
from tests.sweep.test_sweep_failures import command
from totalml.sweep.record import Job
from totalml.sweep.space import Choice, Number, corners

optuna = pytest.importorskip("optuna")

from totalml.sweep.search import Search  # noqa: E402

RATE = Number("++lr", 0.0001, 1.0, log=True)
KIND = Choice("++kind", ("bad", "good", "worse"))


def cost(point: dict[str, str]) -> float:
    """Least at lr = 0.01 and kind = good."""
    return loss_of(float(point["++lr"])) + {"good": 0.0, "bad": 1.0, "worse": 2.0}[point["++kind"]]


def answer(search: Search, count: int, asked: list[dict[str, str]] | None = None) -> list[tuple[float, dict[str, str]]]:
    found = []
    for _ in range(count):
        ((number, point),) = search.ask(1).items()
        if asked is not None:
            asked.append(point)
        search.tell(Job(number, (), point, status="finished", metric=cost(point)))
        found.append((cost(point), point))
    return found


def test_the_planted_optimum_is_found(tmp_path):
    found = answer(Search(tmp_path, [RATE, KIND], "minimize", seed=0), 40)
    best, point = min(found, key=lambda each: each[0])
    assert point["++kind"] == "good"
    assert 0.5 * BEST_RATE < float(point["++lr"]) < 2 * BEST_RATE
    drawn = sorted(cost for cost, _ in found[:5])
    assert best < drawn[0]


def test_the_direction_counts(tmp_path):
    found = answer(Search(tmp_path, [RATE, KIND], "maximize", seed=0), 30)
    assert max(found, key=lambda each: each[0])[1]["++kind"] == "worse"


def test_a_search_that_is_killed_asks_what_an_undisturbed_one_asks(tmp_path):
    whole: list[dict[str, str]] = []
    answer(Search(tmp_path / "whole", [RATE, KIND], "minimize", seed=3), 12, whole)
    parts: list[dict[str, str]] = []
    for count in (3, 4, 5):
        search = Search(tmp_path / "parts", [RATE, KIND], "minimize", seed=3)
        answer(search, count, parts)
        search.ask(1)  # killed while this one ran
    assert parts == whole


def test_what_was_under_way_or_failed_is_asked_for_again_first(tmp_path):
    search = Search(tmp_path, [RATE, KIND], "minimize", seed=3)
    answer(search, 6)
    under_way = search.ask(3)
    failed = next(iter(under_way))
    search.tell(Job(failed, (), under_way[failed], status="failed"))
    again: list[dict[str, str]] = []
    answer(Search(tmp_path, [RATE, KIND], "minimize", seed=3), 3, again)
    assert again == list(under_way.values())


def test_another_seed_asks_something_else(tmp_path):
    one, two = (Search(tmp_path / str(seed), [RATE], "minimize", seed).ask(1) for seed in (1, 2))
    assert one != two


def test_jobs_asked_for_at_once_differ(tmp_path):
    asked = Search(tmp_path, [RATE, KIND], "minimize", seed=0).ask(4)
    assert len({json.dumps(point) for point in asked.values()}) == 4


def test_numbers_are_short_whole_where_meant_and_within_bounds():
    assert RATE.written(0.00123456) == "0.001235"
    assert Number("k", 0.00012345, 0.5).written(0.00012345) == "0.00012345"
    assert Number("k", 8, 32).written(16.0) == "16"


def test_the_corners_touch_every_bound_and_every_choice():
    points = corners([RATE, KIND, Number("k", 1, 9)])
    assert {point["++kind"] for point in points} == {"bad", "good", "worse"}
    assert {point["++lr"] for point in points} == {"0.0001", "1.0"}
    assert {point["k"] for point in points} == {"1", "9"}


RATES = "training.optimizer.lr=tag(log,interval(0.0001,0.5))"
SEARCH = ["hydra/sweeper=optuna", "hydra.sweeper.trials=8", "training.epochs=6", RATES]


def test_a_search_runs_to_its_end_and_a_second_call_repeats_none(start, state, capsys):
    assert start("-m", *SEARCH) == 0
    first = state()
    assert len(first["jobs"]) == 8
    for job in first["jobs"]:
        assert job["metric"] is None or job["metric"] == loss_of(float(job["parameters"]["training.optimizer.lr"]))
    assert start("-m", *SEARCH) == 0
    assert state() == first
    assert start("-m", *SEARCH, "hydra.sweeper.trials=9", job=lambda _: None) == 1  # without a result: failed
    assert "came to no validation_loss" in state()["jobs"][8]["error"]
    assert "Experimental" not in capsys.readouterr().err


def test_a_job_that_fares_badly_is_ended_early_and_can_go_on(start, state):
    assert start("-m", *SEARCH, "seed=1") == 0
    pruned = [job for job in state()["jobs"] if job["status"] == "pruned"]
    assert pruned, "none of 8 jobs was pruned"
    done = [job["metric"] for job in state()["jobs"] if job["status"] == "finished"]
    for job in pruned:
        assert loss_of(float(job["parameters"]["training.optimizer.lr"])) > sorted(done)[0]
        assert "pruned after epoch 3" in Path(job["log"]).read_text()
    assert start("-m", *SEARCH, "seed=2", "hydra.sweeper.prune=false") == 0
    assert {job["status"] for job in state()["jobs"]} == {"finished"}


def test_the_whole_space_is_looked_at_before_anything_starts(start, capsys):
    seen = []
    wrong = ["training.epochs=range(0,5)", "model=small_cnn,mlp"]
    assert start("-m", "hydra/sweeper=optuna", *wrong, job=seen.append) == 2
    said = capsys.readouterr().err
    assert seen == []
    assert "'training.epochs' should be greater than 0, got 0" in said
    assert "model" in said
    assert start("-m", "hydra/sweeper=optuna", "seed=tag(log,interval(0,5))") == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_search_over_several_processes_prunes_there_too(project, state):
    pytest.importorskip("joblib")
    arguments = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *SEARCH, "seed=1"]
    done = subprocess.run(command(project, *arguments), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert [job["number"] for job in state()["jobs"]] == list(range(1, 9))
    assert {job["status"] for job in state()["jobs"]} == {"finished", "pruned"}
    assert "Warning" not in done.stderr
