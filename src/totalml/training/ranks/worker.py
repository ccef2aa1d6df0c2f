"""A further process of a training: one that a launcher started, or rank 0, as
`python -m totalml.training.ranks.worker <ranks.json> <rank>`.

It reads the attempt's own recipe and snapshot, never a command line: inside a sweep that would be another job's.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import TotalmlError
from totalml.progress import Progress
from totalml.runs.attempt import RUN_FILE
from totalml.runs.stored import stored_recipe
from totalml.store.atomic import write_atomically
from totalml.training.ranks.children import leave_with_parent
from totalml.training.ranks.launched import call_file, launch_of
from totalml.training.ranks.meeting import Meeting
from totalml.training.ranks.process_rank import ProcessRank
from totalml.url import local_folder

if TYPE_CHECKING:
    from totalml.data import Splits
    from totalml.features import FeatureSet
    from totalml.recipe import Recipe

LOOK_EVERY_S = 0.1  # for the call of rank 0


def main() -> None:
    leave_with_parent()
    file, rank = Path(sys.argv[1]), int(sys.argv[2])
    size = Meeting.load(file).world_size
    try:
        take_part(file, ProcessRank(rank, size, rank, size))
    except TotalmlError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def run_launched(recipe: Recipe, lead: Callable[[Recipe], Path]) -> Path:
    """Rank 0 leads; another rank takes part in the training that rank 0 calls for, if any.

    Returns: the folder of the attempt; for another rank the folder of all runs if there was nothing to train.
    """
    launch = launch_of(recipe.runtime)
    if launch is None:
        return lead(recipe)
    call = call_file(recipe, launch)
    if launch.place.rank == 0:
        try:
            return lead(recipe)
        finally:  # a reported or failed run too: nobody must wait for ever
            write_atomically(call, b"{}\n")
    meeting = _awaited(call)
    if not meeting:
        print(f"rank {launch.place.rank}: rank 0 is done; nothing to train", file=sys.stderr, flush=True)
        return local_folder(recipe.runtime.runs, "runs", recipe.runtime.cache)
    return take_part(Path(meeting["file"]), launch.place)


def take_part(file: Path, place: ProcessRank) -> Path:
    """Train with rank 0, which wrote `file`.

    Returns: the folder of the attempt; nothing is written there.
    """
    from totalml.training.train import train_along

    meeting = Meeting.load(file)
    folder = Path(meeting.folder)
    recipe = stored_recipe(folder)
    features, splits = _inputs(recipe, json.loads((folder / RUN_FILE).read_bytes())["data_hash"])
    train_along(recipe, features, splits, meeting, place, Progress.create("plain"))
    return folder


def _awaited(call: Path) -> dict[str, str]:
    while not call.exists():
        time.sleep(LOOK_EVERY_S)
    found: dict[str, str] = json.loads(call.read_bytes())
    return found


def _inputs(recipe: Recipe, data_hash: str) -> tuple[FeatureSet, Splits]:
    """What rank 0 has built already, from the store."""
    from totalml.data import split_samples
    from totalml.data.snapshot import load_snapshot
    from totalml.features import build_features
    from totalml.store import open_store
    from totalml.training.frozen import embed_features

    store = open_store(recipe.runtime.store, recipe.runtime.cache)
    snapshot = load_snapshot(data_hash, store)
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store)
    return embed_features(recipe, features, store), split_samples(recipe.data.split, snapshot)


if __name__ == "__main__":
    gc.disable()  # thousands of classes are about to be imported; nothing of it is garbage
    main()
