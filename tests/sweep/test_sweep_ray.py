"""The Ray launcher, with a Ray that is started on this machine."""

import subprocess

import pytest

from tests.sweep.planted import loss_of
from tests.sweep.test_sweep_failures import command

pytestmark = pytest.mark.service


def test_ray_runs_the_jobs(project, state):
    pytest.importorskip("hydra_plugins.hydra_ray_launcher")
    arguments = ["hydra/launcher=ray", "training.optimizer.lr=0.1,0.2,0.3"]
    done = subprocess.run(command(project, *arguments), capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert [job["metric"] for job in state()["jobs"]] == [loss_of(rate) for rate in (0.1, 0.2, 0.3)]
