import os
import re
import signal
import subprocess
from pathlib import Path

from tests.warm import python

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
