"""The Slurm launcher, with commands of Slurm's names that run the array on this machine."""

from pathlib import Path

import pytest

from tests.sweep.planted import loss_of

COMMANDS = {
    "sbatch": """\
cp "${@: -1}" "$FAKE_SLURM/submitted.sh"
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$FAKE_SLURM/submitted.sh")
for task in $(seq 0 "$last"); do
  SLURM_JOB_ID=$((70 + task)) SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task SLURM_PROCID=0 SLURM_LOCALID=0 \\
    SLURM_NTASKS=1 SLURM_NODEID=0 SLURM_JOB_NUM_NODES=1 bash "$FAKE_SLURM/submitted.sh" >/dev/null 2>&1 &
done
echo "Submitted batch job 7"
""",
    "srun": """\
while [[ $1 == -* ]]; do
  [[ $1 == --output || $1 == --error ]] && shift
  shift
done
exec "$@"
""",
    "sacct": "printf 'JobID|State|NodeList\\n7_0|RUNNING|here\\n7_1|RUNNING|here\\n'\n",
}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch) -> Path:
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in COMMANDS.items():
        (folder / name).write_text(f"#!/usr/bin/env bash\n{text}")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("FAKE_SLURM", str(folder))
    return folder


def test_slurm_gets_an_array_with_what_conf_says(slurm, start, state):
    pytest.importorskip("submitit")
    settings = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=long", "hydra.launcher.gpus_per_node=2"]
    assert start("-m", *settings, "training.optimizer.lr=0.1,0.2") == 0
    text = (slurm / "submitted.sh").read_text()
    wanted = ["partition=long", "gpus-per-node=2", "time=240", "cpus-per-task=8", "mem=16GB", "array=0-1%2"]
    assert [line for line in wanted if f"#SBATCH --{line}" not in text] == []
    assert [job["metric"] for job in state()["jobs"]] == [loss_of(0.1), loss_of(0.2)]
