"""Training speed: `train_model` with progress bar, checkpoints and history against a hand-written loop.

Same network, data in memory, optimizer, batches and validation. The whole calls are timed, interleaved; printed are
medians in ms a step, on the clock and in CPU time; on a busy machine only the latter tells. The loop has no bar,
writes nothing and cannot go on after an interruption.

The first row takes steps in turns: whenever our training asks for a batch, the loop first makes a step with the same
one. What one step costs more than its neighbour tells even on a busy machine; it leaves out the ends of epochs.
"""

import argparse
import contextlib
import dataclasses
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from totalml.component import ForeignComponent
from totalml.data import ImageFolder, Splits
from totalml.features import FeatureSet
from totalml.features.build import sample_keys
from totalml.features.targets import Targets
from totalml.model import Network, SmallCnn, build_network
from totalml.progress import Progress
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures, ModelRecipe, Recipe, TrainingRecipe
from totalml.task import Classification
from totalml.training import train_model

OVERHEAD_MS, RATIO = 0.5, 0.97
LEARNING_RATE = 1e-3
VALIDATION = 64  # samples
Times = tuple[float, float]  # seconds on the clock, and of CPU time


class InMemory:
    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels
        self.shape = pixels.shape[1:]

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self.pixels[rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)  # a step that waits for a second, busy core would measure the machine's other work
    os.environ["FORCE_COLOR"] = "1"  # rich draws its bar although stderr is not a terminal here
    print(f"{'step':<30} {'':<5} {'ours':>8} {'loop':>8} {'more':>7} {'ratio':>7}  target")
    bench_in_turns("36 pictures of 32 px, in turns", 32, 36, SmallCnn(width=8), 100)
    print(f"training, ms a step, medians of {options.repeats} interleaved repeats")
    for size, batch, width, steps in ((32, 24, 8, 300), (64, 40, 16, 75)):
        bench(f"{batch} pictures of {size} px", size, batch, SmallCnn(width=width), steps, options.repeats)


def bench(name: str, size: int, batch: int, backbone: SmallCnn, steps: int, repeats: int) -> None:
    features = random_features(steps * batch + VALIDATION, size)
    recipe = a_recipe(size, batch, backbone)
    train_loop(recipe, features)
    timings = [(timed(train_ours, recipe, features), timed(train_loop, recipe, features)) for _ in range(repeats)]
    count = steps * recipe.training.epochs
    for place, clock in enumerate(("clock", "CPU")):
        ours, loop = (statistics.median(pair[side][place] for pair in timings) * 1e3 / count for side in (0, 1))
        target = f"at least {RATIO}x" if loop >= 20 else f"at most {OVERHEAD_MS} ms more"
        print(
            f"{name:<30} {clock:<5} {ours:8.2f} {loop:8.2f} {ours - loop:7.2f} {loop / ours:6.3f}x  {target}",
            flush=True,
        )


def bench_in_turns(name: str, size: int, batch: int, backbone: SmallCnn, steps: int) -> None:
    features = random_features(steps * batch + VALIDATION, size)
    recipe = a_recipe(size, batch, backbone)
    turns = Turns(recipe, features)
    train_ours(recipe, dataclasses.replace(features, images=turns))  # type: ignore[arg-type]
    for place, clock in enumerate(("clock", "CPU")):
        ours, loop = (np.array([pair[side][place] for pair in turns.pairs]) * 1e3 for side in (0, 1))
        more = np.median(ours - loop)
        print(
            f"{name:<30} {clock:<5} {np.median(ours):8.2f} {np.median(loop):8.2f} {more:7.2f} "
            f"{np.median(loop / ours):6.3f}x  at most {OVERHEAD_MS} ms more",
            flush=True,
        )


class Turns(InMemory):
    """Pictures that, when asked for, first let the loop make a step, and time it and what came since the last."""

    def __init__(self, recipe: Recipe, features: FeatureSet) -> None:
        super().__init__(features.images.pixels)  # type: ignore[union-attr]
        self.pairs: list[tuple[Times, Times]] = []
        self._batch = recipe.training.batch_size
        network = build_network(recipe.model, Classification(), features, np.arange(len(features) - VALIDATION))
        self._step = stepping(network, features)
        self._before: tuple[Times, Times] | None = None  # of the loop's last step, and when it ended

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        asked = now()
        if len(rows) != self._batch:  # validation, or a check of the network
            self._before = None
            return super().gather(rows)
        if self._before is not None:
            loop, ended = self._before
            self.pairs.append((since(ended, asked), loop))
        begun = now()
        self._step(rows)
        ended = now()
        self._before = since(begun, ended), ended
        return super().gather(rows)


def now() -> Times:
    return time.perf_counter(), time.process_time()


def since(begun: Times, ended: Times) -> Times:
    return ended[0] - begun[0], ended[1] - begun[1]


def timed(train: Callable[[Recipe, FeatureSet], None], recipe: Recipe, features: FeatureSet) -> Times:
    begun = now()
    train(recipe, features)
    return since(begun, now())


def random_features(count: int, size: int) -> FeatureSet:
    rng = np.random.default_rng(0)
    ids = [str(row) for row in range(count)]
    return FeatureSet(
        key="blake3:" + "0" * 64,
        ids=ids,
        sample_keys=sample_keys(ids),
        targets=Targets(("a", "b"), rng.integers(0, 2, count)),
        images=InMemory(rng.integers(0, 256, (count, size, size, 3), np.uint8)),  # type: ignore[arg-type]
        numeric=np.zeros((count, 0), np.float32),
        numeric_names=(),
        categorical=np.zeros((count, 0), np.int64),
        categorical_names=(),
        vocabularies=(),
        decoded=0,
        reused=0,
    )


def a_recipe(size: int, batch: int, backbone: SmallCnn) -> Recipe:
    adam = ForeignComponent(target="torch.optim.AdamW", arguments={"lr": LEARNING_RATE})
    return Recipe(
        name="bench",
        data=DataRecipe(source=ImageFolder(root=".")),
        features=FeaturesRecipe(image=ImageFeatures(size=size)),
        model=ModelRecipe(image=backbone),
        training=TrainingRecipe(epochs=4, batch_size=batch, optimizer=adam),
    )


def train_ours(recipe: Recipe, features: FeatureSet) -> None:
    rows = np.arange(len(features))
    splits = Splits(train=rows[:-VALIDATION], validation=rows[-VALIDATION:], test=rows[:0])
    with (
        tempfile.TemporaryDirectory() as folder,
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        train_model(recipe, features, splits, Path(folder), Progress("rich"))


def train_loop(recipe: Recipe, features: FeatureSet) -> None:
    rows = np.arange(len(features) - VALIDATION)
    network = build_network(recipe.model, Classification(), features, rows)
    step = stepping(network, features)
    pixels = features.images.pixels  # type: ignore[union-attr]
    for _ in range(recipe.training.epochs):
        network.train()
        for part in np.split(np.random.default_rng(0).permutation(rows), len(rows) // recipe.training.batch_size):
            step(part)
        network.eval()
        with torch.no_grad():
            network({"image": torch.from_numpy(pixels[-VALIDATION:])}).argmax(dim=1)


def stepping(network: Network, features: FeatureSet) -> Callable[[NDArray[np.int64]], None]:
    """What makes one training step with some rows."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    pixels, labels = features.images.pixels, torch.from_numpy(features.targets.values)  # type: ignore[union-attr]

    def step(rows: NDArray[np.int64]) -> None:
        scores = network({"image": torch.from_numpy(pixels[rows])})
        loss = functional.cross_entropy(scores, labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
