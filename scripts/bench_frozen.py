"""Trials a minute of a learning-rate sweep: a frozen ResNet-18 against the same one trained end to end.

Both are whole runs of one recipe, from the recipe to the report, in one warm process, on the same pints, decoded
beforehand; random weights, which cost what pretrained ones do. The first frozen trial embeds the pictures.
"""

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from totalml.compose import compose_recipe
from totalml.runner import run

REPOSITORY = Path(__file__).parents[1]
TARGET = 30.0
RECIPE = (
    "+recipe=guinness",
    "data.snapshot=null",
    "quality=none",
    "evaluation=quick",
    "model=frozen_resnet18",
    "model.image.weights=null",
    "training=head",
    "training.early_stopping=null",
    "runtime.progress=none",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20, help="frozen ones")
    parser.add_argument("--end-to-end", type=int, default=2, help="trials of the peer, each a minute or two")
    parser.add_argument("--pints", type=int, default=1000)
    parser.add_argument("--pixels", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = [f"runtime.{name}={folder}/{name}" for name in ("store", "runs")]
        size = [f"data.source.count={options.pints}", f"data.source.size_px={options.pixels}"]
        shape = [*where, *size, f"features.image.size={options.pixels}"]
        trial(*shape, "model.freeze=false", "training.epochs=1", learning_rate=0.1)  # renders, decodes, imports
        shape.append(f"training.epochs={options.epochs}")
        peer = [trial(*shape, "model.freeze=false", learning_rate=rate(n)) for n in range(options.end_to_end)]
        first, *rest = (trial(*shape, learning_rate=rate(n)) for n in range(options.trials))
    print(f"frozen ResNet-18, {options.pints} pints of {options.pixels} px, {options.epochs} epochs, whole runs")
    print(f"{'':<32} {'s a trial':>10} {'a minute':>9} {'ratio':>7}  target")
    theirs, ours = statistics.median(peer), statistics.median(rest)
    amortised = (first + ours * (options.trials - 1)) / options.trials
    show(f"end to end, median of {len(peer)}", theirs)
    show("frozen, the first", first)
    show(f"frozen, median of {len(rest)} more", ours, theirs)
    show(f"frozen, the first among {options.trials}", amortised, theirs)


def trial(*overrides: str, learning_rate: float) -> float:
    """Seconds of one run, its composition included."""
    started = time.perf_counter()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        run(compose_recipe(REPOSITORY, [*RECIPE, *overrides, f"training.optimizer.lr={learning_rate}"]))
    return time.perf_counter() - started


def rate(number: int) -> float:
    return float(round(1e-4 * 1.3**number, 9))


def show(what: str, seconds: float, peer: float | None = None) -> None:
    compared = f"{peer / seconds:6.1f}x  at least {TARGET:g}x" if peer else ""
    print(f"{what:<32} {seconds:10.2f} {60 / seconds:9.1f} {compared}")


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))  # for the recipe's own code
    main()
