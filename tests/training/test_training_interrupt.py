import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from lightning.pytorch import Trainer

from tests.training import planted
from tests.training.own import own_recipe
from tests.warm import python
from totalml.errors import Interrupted
from totalml.progress import Progress
from totalml.training import train_model
from totalml.training.own_module import train_module

ROOT = Path(__file__).parents[2]


def start(folder, epochs):
    command = [*python(), "-m", "tests.training.planted", str(folder), str(epochs)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_leaves_whole_epochs_and_the_same_command_goes_on(tmp_path):
    process = start(tmp_path / "run", 3000)
    for line in process.stderr:
        if line.startswith("epoch 2/"):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    message = re.search(r"interrupted: training stopped in epoch (\d+); (\d+) of 3000 epochs are kept\.", out)
    assert "Give the same command again" in out
    done = int(message[2])
    assert int(message[1]) == done + 1
    assert done >= 2

    again = start(tmp_path / "run", 3000)
    lines = [next(again.stderr), next(again.stderr)]
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=60)
    assert lines[0].startswith(f"going on after epoch {done} ")
    assert lines[1].startswith(f"epoch {done + 1}/3000")


def test_a_killed_training_goes_on_too(tmp_path):
    process = start(tmp_path / "run", 3000)
    for line in process.stderr:
        if line.startswith("epoch 3/"):
            break
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    again = start(tmp_path / "run", 3000)
    told = next(again.stderr)
    again.kill()
    again.communicate(timeout=60)
    assert int(re.match(r"going on after epoch (\d+)", told)[1]) >= 3


@pytest.mark.parametrize("own", [False, True], ids=["network", "own module"])
def test_a_sigterm_that_lightning_sees_first_is_an_interruption_too(tmp_path, monkeypatch, own):
    """It raises SystemExit then, by which the process would end with 0 as if all were done."""
    monkeypatch.setattr(Trainer, "received_sigterm", property(lambda trainer: trainer.current_epoch >= 1))
    features = planted.squares()
    asked = own_recipe(epochs=4) if own else planted.recipe(epochs=4)
    train = train_module if own else train_model
    with pytest.raises(Interrupted, match=r"training stopped in epoch 2; 1 .*kept"):
        train(asked, features, planted.splits(features), tmp_path, Progress.silent())
