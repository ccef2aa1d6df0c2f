"""What a CUDA device gives: its tests, the same figures as a CPU, bfloat16, compile, and pictures a second.

The recipe is run once on the CPU and then on the device, each time trained anew from the same pixels. Pictures a second
are those of training epochs, against a bare loop of torch whose pixels lie on the device from the start; what both
need before the first epoch is taken out by timing a short and a long training.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.features import FeatureSet
    from totalml.recipe import Recipe

NO_DEVICE = 10
REPOSITORY = Path(__file__).parents[1]
VALIDATION, LEARNING_RATE = 64, 1e-3  # as in bench_training
REPEATS = 3
RATIO = 0.9  # of the bare loop's pictures a second
TESTS_TIMEOUT_S = 120
QUICK = ("+recipe=guinness_smoke", "data.source.count=80", "training.batch_size=16")
FULL = ("+recipe=guinness", "data.snapshot=null", "gates=[]")
REFERENCE = "reference"  # the run on the CPU
WITHOUT_STAGES = shutil.ignore_patterns("stages")
ALIKE = ("evaluation=quick", "tracking=none", "runtime.progress=none")


@dataclass(frozen=True)
class Row:
    """A line of the table; `good` is None where nothing is asked of the value."""

    what: str
    value: str
    target: str
    good: bool | None


@dataclass(frozen=True)
class Figures:
    """What a run came to. Args: seconds: of its training."""

    metrics: dict[str, float]
    low: float
    high: float
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="a small recipe and short trainings")
    options = parser.parse_args()
    sys.path.insert(0, str(REPOSITORY))  # recipes/ has code of its own
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as run.py does, before torch is imported
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        print(f"no CUDA device: torch {torch.__version__} sees none; --device cpu --quick tries the script itself")
        return NO_DEVICE
    name = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    print(f"{name}, torch {torch.__version__}, Python {sys.version.split()[0]}")
    started, rows = time.perf_counter(), []
    for row in _rows(options.device, options.quick):
        rows.append(row)
        word = {True: "good", False: "NOT GOOD", None: ""}[row.good]
        print(f"{row.what:<34} {row.value:<34} {row.target:<44} {word}".rstrip(), flush=True)
    print(f"all in {time.perf_counter() - started:.0f} s")
    return int(any(row.good is False for row in rows))


def _rows(device: str, quick: bool) -> Iterator[Row]:
    yield _tried("tests marked gpu", lambda: _tests(device))
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder), "gpu" if device == "cuda" else "cpu", QUICK if quick else FULL)
        yield _tried("recipe on the CPU", runs.on_the_cpu)
        yield _tried(f"recipe on {device}", runs.on_the_device)
        yield _tried("bfloat16", lambda: runs.varied("bfloat16", "runtime.precision=bfloat16"))
        yield _tried("compile", lambda: runs.varied("compile", "runtime.compile=true"))
    yield _tried("training, pictures a second", lambda: _throughput(device, quick))


def _tried(what: str, measure: Callable[[], Row]) -> Row:
    """What goes wrong in a row is its value, and the others are still measured."""
    from totalml.errors import TotalmlError

    try:
        return measure()
    except (TotalmlError, RuntimeError, KeyError, OSError, subprocess.SubprocessError) as error:
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
        return Row(what, "failed", reason, False)


def _tests(device: str) -> Row:
    """Those files alone that hold such tests: collecting all would take longer than the tests."""
    files = [str(file) for file in sorted(REPOSITORY.glob("tests/**/test_*.py")) if "mark.gpu" in file.read_text()]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=TESTS_TIMEOUT_S, check=False)
    last = done.stdout.strip().splitlines()[-1].strip("= ") if done.stdout.strip() else f"exit code {done.returncode}"
    passed = done.returncode == 0 and ("passed" in last or device == "cpu")
    return Row(
        "tests marked gpu", last.partition(" in ")[0], "all pass" if device == "cuda" else "skipped here", passed
    )


class Runs:
    """Runs of one recipe, each in a store of its own that holds pixels and no trained model.

    Args:
        device: as `runtime.device` names it.
    """

    def __init__(self, folder: Path, device: str, recipe: tuple[str, ...]) -> None:
        self._folder, self._device, self._recipe = folder, device, recipe
        self._found: Figures | None = None  # on the CPU

    @property
    def _reference(self) -> Figures:
        if self._found is None:
            raise RuntimeError("there is no run on the CPU to hold it against")
        return self._found

    def on_the_cpu(self) -> Row:
        found = self._found = self._run(REFERENCE, "runtime.device=cpu")
        return Row("recipe on the CPU", f"{_accuracy(found)}, training {found.seconds:.1f} s", "", None)

    def on_the_device(self) -> Row:
        reference, found = self._reference, self._run("device")
        names = sorted({*found.metrics} & {*reference.metrics})
        apart = {name: abs(found.metrics[name] - reference.metrics[name]) for name in names}
        widest = max(apart, key=apart.__getitem__)
        what = f"recipe on {'cuda' if self._device == 'gpu' else self._device}"
        value = f"{_accuracy(found)}, training {found.seconds:.1f} s"
        target = f"{widest} {apart[widest]:.3f} apart, at most {self._tolerance:g}"
        return Row(what, value, target, apart[widest] <= self._tolerance)

    def varied(self, what: str, override: str) -> Row:
        """Other rounding: the accuracy should lie within the interval of the reference."""
        reference, found = self._reference, self._run(what, override)
        good = reference.low <= found.metrics["accuracy"] <= reference.high
        target = f"accuracy within {reference.low:.3f} to {reference.high:.3f}"
        return Row(what, f"{_accuracy(found)}, training {found.seconds:.1f} s", target, good)

    def _run(self, name: str, *overrides: str) -> Figures:
        from totalml.compose import compose_recipe
        from totalml.runner import run

        home = self._folder / name
        if name != REFERENCE:
            shutil.copytree(self._folder / REFERENCE / "store", home / "store", ignore=WITHOUT_STAGES)
        where = [f"runtime.{part}={home / part}" for part in ("store", "runs")]
        device = f"runtime.device={self._device}"
        recipe = compose_recipe(REPOSITORY, [*self._recipe, *ALIKE, *where, device, *overrides])
        self._tolerance = recipe.tolerance.metrics
        with contextlib.redirect_stdout(io.StringIO()):  # its closing table
            folder = run(recipe)
        facts, measured = (json.loads((folder / file).read_text()) for file in ("run.json", "metrics.json"))
        known = {key: each for key, each in measured["metrics"].items() if each["value"] is not None}
        accuracy, metrics = known["accuracy"], {key: each["value"] for key, each in known.items()}
        return Figures(metrics, accuracy["low"], accuracy["high"], facts["seconds"]["training"])


def _accuracy(figures: Figures) -> str:
    return f"accuracy {figures.metrics['accuracy']:.3f}"


def _throughput(device: str, quick: bool) -> Row:
    from bench_training import a_recipe, random_features, train_ours

    from totalml.model import SmallCnn
    from totalml.recipe import RuntimeRecipe

    size, batch, count = (32, 32, 192) if quick else (64, 256, 16_384)
    epochs = (1, 3) if quick else (2, 10)
    features = random_features(count + VALIDATION, size)
    recipe = a_recipe(size, batch, SmallCnn(width=16))
    recipe = recipe.model_copy(update={"runtime": RuntimeRecipe(device="gpu" if device == "cuda" else "cpu")})

    def ours(epochs: int) -> None:
        train_ours(
            recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": epochs})}), features
        )

    bare_loop(recipe, features, device, 1)  # whatever is compiled or tuned at the first step
    theirs = _rate(lambda epochs: bare_loop(recipe, features, device, epochs), count, *epochs)
    mine = _rate(ours, count, *epochs)
    value = f"{mine:,.0f}, bare loop {theirs:,.0f}"
    good = mine >= RATIO * theirs if device == "cuda" else None  # what is asked of a GPU says nothing of a CPU
    return Row("training, pictures a second", value, f"{mine / theirs:.2f}x, at least {RATIO}x on a GPU", good)


def bare_loop(recipe: "Recipe", features: "FeatureSet", device: str, epochs: int) -> None:
    """The shortest training that a person would write; all pixels lie on the device before the first step."""
    import numpy as np
    import torch
    from torch.nn import functional

    from totalml.model import build_network
    from totalml.task import Classification

    rows = np.arange(len(features) - VALIDATION)
    network = build_network(recipe.model, Classification(), features, rows).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    pixels, labels = (torch.from_numpy(each).to(device) for each in (features.images.pixels, features.targets.values))
    for _ in range(epochs):
        for part in torch.randperm(len(rows), device=device).split(recipe.training.batch_size):
            loss = functional.cross_entropy(network({"image": pixels[part]}), labels[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()


def _rate(train: Callable[[int], None], count: int, few: int, many: int) -> float:
    """Pictures a second of the epochs between two trainings; of each, the quickest counts.

    Raises: RuntimeError: the machine is too busy to tell.
    """
    timings = [(_timed(train, few), _timed(train, many)) for _ in range(REPEATS)]
    short, long = (min(each) for each in zip(*timings, strict=True))
    if long <= short:
        raise RuntimeError(f"too busy to tell: {many} epochs took {long:.1f} s and {few} took {short:.1f} s")
    return count * (many - few) / (long - short)


def _timed(train: Callable[[int], None], epochs: int) -> float:
    started = time.perf_counter()
    train(epochs)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
