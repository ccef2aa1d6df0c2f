"""Several processes train as one: same hyperparameters on every rank, same result, and none is left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.test_training_train import stop_after
from tests.warm import python
from totalml.compose import compose_recipe
from totalml.data import split_samples, take_snapshot
from totalml.errors import Interrupted, RecipeError, TrainingError
from totalml.features import build_features
from totalml.lifecycle import recipe_text
from totalml.store import Store
from totalml.training import train_model
from totalml.training.execution import device_of, processes_of
from totalml.training.ranks.children import COMMAND, Children, child_environment
from totalml.training.ranks.launched import launch_of
from totalml.training.ranks.process_rank import ProcessRank
from totalml.training.ranks.witness import weights_digest
from totalml.training.watch import Watch

REPOSITORY = Path(__file__).parents[2]
SMALL = [
    "+recipe=guinness_smoke",
    "evaluation=quick",
    "data.source.count=60",
    "data.source.size_px=32",
    "data.split.salt=ddp",
]
# Nothing but columns, and all that a loss can have; batches of 13 and 14 samples, so shares differ.
COLUMNS = [
    "model=mlp",
    "model.dropout=0.2",
    "features=table",
    "features.image=null",
    "features.table.numeric=[taste,temperature_c,texture]",
    "features.table.categorical=[glass,device]",
    "training.balance_classes=true",
    "training.label_smoothing=0.1",
    "training.clip_norm=0.5",
    "training.augment=[]",
    "training.batch_size=16",
    "evaluation.slices=null",
]
SGD = "training.optimizer={_target_:torch.optim.SGD,lr:0.05,momentum:0.9}"
PICTURES = ["features.image.size=32", "training.batch_size=16", SGD, "training.scheduler=null"]
TWO = ["runtime=ddp", "runtime.threads=1"]
ONE = ["runtime=cpu", "runtime.threads=1"]


class Trainings:
    """Trainings on one small snapshot."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = Store(root / "store")
        self.snapshot = take_snapshot(self.recipe(ONE).data, self.store)

    def recipe(self, *parts):
        overrides = [override for part in parts for override in part]
        where = [f"runtime.store={self.root / 'store'}", f"runtime.runs={self.root / 'runs'}", "runtime.progress=plain"]
        return compose_recipe(REPOSITORY, [*SMALL, *where, *overrides])

    def train(self, folder, *parts, written=()):
        """Args: written: what the attempt's recipe.yaml says otherwise."""
        recipe = self.recipe(*parts)
        features = build_features(recipe.features, recipe.data, recipe.task, self.snapshot, self.store)
        folder.mkdir(exist_ok=True)
        (folder / "recipe.yaml").write_text(recipe_text(self.recipe(*parts, written)))
        (folder / "run.json").write_text(json.dumps({"data_hash": self.snapshot.data_hash}))
        return train_model(recipe, features, split_samples(recipe.data.split, self.snapshot), folder)


@pytest.fixture(scope="module", autouse=True)
def _warm_ranks():
    """Those that this process starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("totalml.training.ranks.children.COMMAND", (*python()[1:], *COMMAND))
        yield


def run_py_with_warm_ranks():
    """`run.py`, but its ranks are forks, too."""
    command = (*python()[1:], *COMMAND)
    code = f"import runpy; from totalml.training.ranks import children; children.COMMAND = {command!r}"
    return ["-c", f"{code}; runpy.run_path('run.py', run_name='__main__')"]


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return Trainings(tmp_path_factory.mktemp("ddp"))


@pytest.fixture(scope="module")
def columns_in_two(trainings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("columns")
    return trainings.train(folder, COLUMNS, TWO, ["training.epochs=4"]), folder


def children_of(folder):
    """Process ids of the ranks that train in or below a folder."""
    found = subprocess.run(
        ["pgrep", "-f", f"totalml.training.ranks.worker {folder}"], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def difference(one, other):
    """The largest difference of any weight, as a share of the largest weight of its tensor."""
    pairs = [(load_file(one.weights)[name], tensor) for name, tensor in load_file(other.weights).items()]
    return max(float((a.double() - b.double()).abs().max() / b.double().abs().max()) for a, b in pairs)


def losses(trained):
    return [(epoch.train_loss, epoch.validation_loss) for epoch in trained.history]


def rates_in(log):
    return re.findall(r"(\d+) steps at learning rates (\S+) to (\S+)", log.read_text())


def test_two_processes_come_to_the_weights_of_one(trainings, columns_in_two, tmp_path):
    two, _ = columns_in_two
    one = trainings.train(tmp_path, COLUMNS, ONE, ["training.epochs=4"])
    assert difference(two, one) < 1e-5
    assert losses(two) == [pytest.approx(pair, rel=1e-5) for pair in losses(one)]
    assert [e.validation_score for e in two.history] == [e.validation_score for e in one.history]
    assert [e.learning_rate for e in two.history] == [e.learning_rate for e in one.history]
    assert (two.best_epoch, two.epochs_run, two.stopped) == (one.best_epoch, one.epochs_run, one.stopped)


def test_every_rank_has_the_rates_of_the_recipe_and_ends_with_the_same_weights(columns_in_two):
    trained, folder = columns_in_two
    told = rates_in(folder / "rank-1.log")
    assert [float(last) for _, last, _ in told[1:]] == [epoch.learning_rate for epoch in trained.history[1:]]
    last = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["network"]
    assert f"weights at the end: {weights_digest(last)}" in (folder / "rank-1.log").read_text()


def test_nothing_but_the_logs_of_ranks_is_left_besides(columns_in_two):
    _, folder = columns_in_two
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    expected = {
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "model.safetensors",
        "recipe.yaml",
        "run.json",
        "steps.npy",
    }
    assert names == expected | {"rank-1.log"}


def test_two_trainings_in_two_processes_are_equal_and_a_resumed_one_too(
    trainings, columns_in_two, tmp_path, monkeypatch
):
    whole, _ = columns_in_two
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(MemoryError):
            trainings.train(tmp_path, COLUMNS, TWO, ["training.epochs=4"])
    resumed = trainings.train(tmp_path, COLUMNS, TWO, ["training.epochs=4"])
    assert resumed.resumed_from == 2
    assert [replace(epoch, seconds=0) for epoch in resumed.history] == [replace(e, seconds=0) for e in whole.history]
    assert resumed.weights_digest == whole.weights_digest


def test_a_rank_may_get_nothing_of_a_batch(trainings, tmp_path):
    tiny = ["training.batch_size=1", "training.epochs=1", SGD, "training.scheduler=null"]
    runs = [trainings.train(tmp_path / name, COLUMNS, tiny, where) for name, where in (("1", ONE), ("2", TWO))]
    assert difference(runs[1], runs[0]) < 1e-5


def test_a_batch_is_normalised_as_a_whole(trainings, tmp_path):
    runs = [trainings.train(tmp_path / name, PICTURES, where) for name, where in (("1", ONE), ("2", TWO))]
    assert difference(runs[1], runs[0]) < 1e-3
    assert losses(runs[1]) == [pytest.approx(pair, rel=1e-3) for pair in losses(runs[0])]


def test_a_rank_that_would_train_something_else_is_found_out(trainings, tmp_path):
    with pytest.raises(TrainingError, match="rank 1 was about to train something else"):
        trainings.train(tmp_path, COLUMNS, TWO, written=["training.optimizer.lr=0.5"])


def test_a_rank_that_cannot_start_is_named_with_its_reason(trainings, tmp_path, monkeypatch):
    monkeypatch.setattr("totalml.training.ranks.children.COMMAND", ("-c", "raise SystemExit('no such luck')"))
    with pytest.raises(TrainingError, match=r"rank 1 ended with exit code 1: no such luck\. Its log: .*rank-1\.log"):
        trainings.train(tmp_path, COLUMNS, TWO)


def test_a_killed_rank_ends_the_training_and_is_named(trainings, tmp_path, monkeypatch):
    start, killed = Children.start, []

    def started(self, *arguments):
        start(self, *arguments)
        killed.append(self._processes[1])

    monkeypatch.setattr(Children, "start", started)
    monkeypatch.setattr(Watch, "tell", lambda *_: killed[0].kill() or killed.append(time.monotonic()))
    with pytest.raises(TrainingError, match=r"lost a process: rank 1 was killed by signal 9.*rank-1\.log"):
        trainings.train(tmp_path, COLUMNS, TWO, ["training.epochs=100000"])
    assert time.monotonic() - killed[1] < 10


@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
@pytest.mark.parametrize(("start", "end"), [(0, 0), (0, 1), (3, 9), (10, 30)])
def test_shares_make_up_the_whole(world_size, start, end):
    shares = [range(100)[ProcessRank(rank, world_size).share(start, end)] for rank in range(world_size)]
    assert [number for share in shares for number in share] == list(range(start, end))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


SLURM = {
    "SLURM_PROCID": "5",
    "SLURM_NTASKS": "8",
    "SLURM_LOCALID": "1",
    "SLURM_JOB_ID": "77",
    "SLURM_STEP_ID": "0",
    "SLURMD_NODENAME": "node2",
}
TORCHRUN = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "TORCHELASTIC_RUN_ID": "x7",
    "TORCHELASTIC_RESTART_COUNT": "0",
    "SLURM_PROCID": "0",
    "SLURM_NTASKS": "2",
    "SLURM_JOB_ID": "77",
}


@pytest.mark.parametrize(("variables", "name"), [(SLURM, ("77", "0", "")), (TORCHRUN, ("x7", "0"))])
def test_the_place_that_a_launcher_gives_is_taken(trainings, variables, name):
    launch = launch_of(trainings.recipe(["runtime=ddp_slurm"]).runtime, variables)
    assert launch.place == ProcessRank(rank=5, world_size=8, local_rank=1, local_size=4)
    assert launch.name == name


@pytest.mark.parametrize(
    ("given", "variables", "message"),
    [
        ("runtime=ddp_slurm", {}, "neither srun nor torchrun started this process"),
        ("runtime.devices=3", SLURM, "the launcher started 8 processes; runtime.nodes=2 and runtime.devices=3"),
        ("runtime.nodes=3", SLURM, "the launcher started 8 processes; runtime.nodes=3 and runtime.devices=auto"),
        ("runtime.nodes=2", TORCHRUN | {"TORCHELASTIC_RUN_ID": "none"}, "--rdzv-id"),
    ],
)
def test_a_launch_that_does_not_fit_the_recipe_is_explained(trainings, given, variables, message):
    runtime = trainings.recipe(["runtime=ddp_slurm", given]).runtime
    with pytest.raises(TrainingError, match=message):
        launch_of(runtime, variables)


def test_ctrl_c_leaves_whole_epochs_and_no_process(trainings, tmp_path, monkeypatch):
    monkeypatch.setattr(Watch, "tell", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted, match=r"1 of 1000 epochs are kept\. Give the same command again"):
        trainings.train(tmp_path, COLUMNS, TWO, ["training.epochs=1000"])
    assert children_of(tmp_path) == []


def test_a_process_ends_with_the_one_that_started_it():
    code = (
        "import time; from totalml.training.ranks.children import leave_with_parent\n"
        "leave_with_parent(); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(1)
    child.stdin.close()
    assert child.wait(50) == 1  # however long it took to start; else it sleeps


def test_a_child_hears_nothing_of_the_launcher_that_started_its_parent(monkeypatch):
    for name in (*SLURM, *TORCHRUN, "MASTER_PORT", "NODE_RANK", "GROUP_RANK"):
        monkeypatch.setenv(name, "7")
    monkeypatch.setenv("MY_RANK", "kept")
    told = child_environment()
    assert {name for name in told if "RANK" in name or name.startswith(("SLURM", "TORCHELASTIC"))} == {"MY_RANK"}
    assert "MASTER_PORT" not in told
    assert "WORLD_SIZE" not in told


def test_each_process_gets_its_own_gpu(trainings, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    runtime = trainings.recipe(["runtime=ddp_gpu"]).runtime
    assert processes_of(runtime) == 2
    assert device_of(runtime, 1) == torch.device("cuda", 1)
    with pytest.raises(TrainingError, match="asks for 4 GPUs and torch sees 2"):
        device_of(trainings.recipe(["runtime=ddp_gpu", "runtime.devices=4"]).runtime)
    # Slurm may show each task its own GPU only.
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device_of(trainings.recipe(["runtime=ddp_slurm"]).runtime, 3) == torch.device("cuda", 0)


@pytest.mark.parametrize("given", ["runtime.devices=2", "runtime.nodes=2", "runtime.devices=auto"])
def test_several_devices_need_a_strategy(trainings, given):
    with pytest.raises(RecipeError, match="'devices' and 'nodes' go with 'strategy: ddp'"):
        trainings.recipe([given])


@pytest.mark.parametrize("given", ["0", "-1", "many", "1.5", "true", "null"])
def test_a_number_of_devices_that_is_none_is_told_once(trainings, given):
    with pytest.raises(RecipeError) as error:
        trainings.recipe(["runtime=ddp", f"runtime.devices={given}"])
    assert len(error.value.mistakes) == 1
    assert "expected a number of processes from 1, or 'auto'" in error.value.mistakes[0]


class Commands:
    """`run.py` in processes of their own; its ranks start as they always do, unless told."""

    def __init__(self, trainings, runs, script=("run.py",)):
        where = [f"runtime.store={trainings.root / 'store'}", f"runtime.runs={runs}", "runtime.progress=plain"]
        self.runs = runs
        self.words = [*python(), *script, *SMALL, *where, *COLUMNS, *TWO]

    def start(self, *more, **variables):
        """One of them; output comes together at the end."""
        return subprocess.Popen(
            [*self.words, *more],
            cwd=REPOSITORY,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def outputs(self):
        return [json.loads(file.read_text()).get("outputs") for file in sorted(self.runs.glob("*/*/*/run.json"))]

    def logs(self):
        return sorted(self.runs.glob("*/*/*/rank-1.log"))


def end(process):
    out, _ = process.communicate(timeout=120)
    return process.returncode, out


def rates_by_rank(log):
    """The learning rate in the attempt's recipe, and all that its second rank used."""
    recipe = (log.parent / "recipe.yaml").read_text()
    (asked,) = re.findall(r"^ +lr: (\S+)$", recipe, re.MULTILINE)
    return float(asked), {float(rate) for _, low, high in rates_in(log) for rate in (low, high)}


@pytest.mark.slow
def test_jobs_of_a_sweep_and_another_at_once_train_their_own_rate_on_all_ranks(trainings, tmp_path):
    commands = Commands(trainings, tmp_path, run_py_with_warm_ranks())
    sweep = commands.start("training.optimizer.lr=0.001,0.01", "training.scheduler=null", "-m")
    other = commands.start("training.optimizer.lr=0.02", "training.scheduler=null")
    for code, out in map(end, (sweep, other)):
        assert code == 0, out
    rates = sorted(map(rates_by_rank, commands.logs()))
    assert rates == [(0.001, {0.001}), (0.01, {0.01}), (0.02, {0.02})]


@pytest.mark.slow
def test_no_rank_outlives_rank_0(trainings, tmp_path):
    commands = Commands(trainings, tmp_path)
    process = commands.start("training.epochs=100000")
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("*/*/*/checkpoints/last.ckpt")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(children_of(tmp_path)) == 1
    process.kill()
    end(process)
    deadline = time.monotonic() + 5
    while children_of(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_ranks_that_slurm_starts_make_one_run(trainings, tmp_path):
    commands = Commands(trainings, tmp_path)
    several = ["runtime.nodes=2", "runtime.devices=1"]

    def launched(step):
        slurm = {"SLURM_NTASKS": "2", "SLURM_JOB_ID": str(os.getpid()), "SLURM_STEP_ID": step}
        slurm |= {"SLURM_LOCALID": "0", "SLURMD_NODENAME": "localhost"}
        tasks = [commands.start(*several, **slurm, SLURM_PROCID=rank) for rank in ("0", "1")]
        return [end(task) for task in tasks]

    first = launched("0")
    assert [code for code, _ in first] == [0, 0], first
    (outputs,) = commands.outputs()
    assert re.search(r"\d+ steps at learning rates", first[1][1])
    again = launched("1")
    assert [code for code, _ in again] == [0, 0], again
    assert "this run is finished" in again[0][1]
    assert "nothing to train" in again[1][1]
    # The same world, started by rank 0 itself, comes to the same bits.
    (tmp_path / "own").mkdir()
    assert outputs["weights"] == trainings.train(tmp_path / "own", COLUMNS, TWO).weights_digest
