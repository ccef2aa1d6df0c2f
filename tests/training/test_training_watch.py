"""A person at a terminal reads a few lines of a training, a log a line for each epoch; numbers are written in full."""

import pytest

from totalml.progress import Progress
from totalml.task import Classification, Regression
from totalml.training.history import Epoch
from totalml.training.watch import Watch

LOSSES = (12_000.0, 9_000.25, 8_000.0, 8_500.0)


def told(mode: str, capsys: pytest.CaptureFixture[str], losses: tuple[float, ...] = LOSSES) -> list[str]:
    watch = Watch(Progress(mode), len(losses), 1, Regression(targets=("sales",)))
    watch.on_train_start(None, None)
    for number, loss in enumerate(losses, start=1):
        watch.tell(Epoch(number, 0.5, loss, loss / 1000, 0.1, 2.0), loss == min(losses[:number]))
    watch.close()
    watch.close()  # as after an exception, too
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("epoch")]


def test_on_a_terminal_the_first_the_best_and_the_last_epoch_stay(capsys):
    assert [line.split(":")[0] for line in told("rich", capsys)] == ["epoch 1/4", "epoch 3/4", "epoch 4/4"]


def test_an_epoch_that_is_two_of_these_is_told_once(capsys):
    assert len(told("rich", capsys, LOSSES[:2])) == 2


def test_a_log_has_a_line_for_each_epoch(capsys):
    lines = told("plain", capsys)
    assert lines[1] == "epoch 2/4: loss 0.5000, validation loss 9,000, mae 9, best so far (2.0 s)"
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("task", "score", "shown"),
    [
        (Regression(targets=("sales",)), 10_040.4, "mae 10,040"),  # once 1.004e+04
        (Regression(targets=("sales",)), 65.638, "mae 65.64"),
        (Classification(), 0.951, "accuracy 95.1%"),
        (Classification(), float("nan"), "no accuracy"),
    ],
)
def test_scores_are_written_as_people_write_them(capsys, task, score, shown):
    Watch(Progress("plain"), 1, 1, task).tell(Epoch(1, 0.5, 0.5, score, 0.1, 2.0), False)
    assert f", {shown} (2.0 s)" in capsys.readouterr().err
