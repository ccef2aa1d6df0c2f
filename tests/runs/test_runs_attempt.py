"""What is left of an attempt, by how it ended."""

from contextlib import suppress

import pytest

from totalml.errors import Interrupted, ModelError, QualityError, StoreError, TrainingError
from totalml.runs import open_runs
from totalml.runs.attempt import attempts_of, new_attempt

MADE_WITH = {part: {"digest": "d"} for part in ("code", "environment", "execution")}


@pytest.fixture
def run(tmp_path):
    return tmp_path / "runs" / "smoke" / "0123-4567"


def end(attempt, error: Exception, *left: str) -> None:
    """Args: left: files that the attempt wrote before it ended."""
    with suppress(type(error)), attempt.recorded():
        for name in left:
            (attempt.folder / name).parent.mkdir(exist_ok=True)
            (attempt.folder / name).touch()
        raise error


def new(run):
    return new_attempt(run, {**MADE_WITH, "status": "running"})


@pytest.mark.parametrize("error", [ModelError("no such weights"), TrainingError("no GPU"), StoreError("disk full")])
def test_a_failed_start_takes_no_number(run, error):
    end(new(run), error, "recipe.yaml", "quality.json")
    assert list(run.iterdir()) == []
    assert new(run).number == 1


@pytest.mark.parametrize(
    ("error", "left", "status"),
    [
        (TrainingError("lost a process"), ["checkpoints/last.ckpt"], "failed"),
        (TrainingError("rank 1 ended; its log: rank-1.log"), ["rank-1.log"], "failed"),
        (StoreError("disk full"), ["model.safetensors"], "failed"),
        (QualityError("the data did not pass"), [], "failed"),
        (ZeroDivisionError("nobody foresaw it"), [], "failed"),
        (Interrupted("Ctrl-C"), [], "interrupted"),
    ],
)
def test_what_a_run_came_to_before_it_ended_is_kept(run, error, left, status):
    end(new(run), error, *left)
    ((attempt,), _) = attempts_of(run)
    assert (attempt.number, attempt.status) == (1, status)


def test_an_attempt_that_is_gone_on_with_is_never_removed(run):
    end(new(run), Interrupted("Ctrl-C"))
    ((attempt,), _) = attempts_of(run)
    end(attempt, ModelError("no such weights"))
    assert [each.status for each in attempts_of(run)[0]] == ["failed"]


def test_nothing_of_a_failed_start_is_sent(run, tmp_path):
    runs = open_runs(f"file://{tmp_path}/there", str(tmp_path / "cache"))
    attempt = new(runs.root / "smoke" / "0123-4567")
    with pytest.raises(ModelError), runs.published(attempt), attempt.recorded():
        raise ModelError("no such weights")
    assert not (tmp_path / "there").exists()
