"""A further process of a training: `python -m totalml.training.ranks.worker <ranks.json> <rank>`.

It reads the attempt's own recipe and snapshot, never a command line: inside a sweep that would be another job's.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import TotalmlError
from totalml.progress import Progress
from totalml.runs.attempt import RUN_FILE
from totalml.runs.stored import stored_recipe
from totalml.training.ranks.children import leave_with_parent
from totalml.training.ranks.meeting import Meeting
from totalml.training.ranks.process_rank import ProcessRank

if TYPE_CHECKING:
    from totalml.data import Splits
    from totalml.features import FeatureSet
    from totalml.recipe import Recipe


def main() -> None:
    leave_with_parent()
    file, rank = Path(sys.argv[1]), int(sys.argv[2])
    size = Meeting.load(file).world_size
    try:
        take_part(file, ProcessRank(rank, size, rank, size))
    except TotalmlError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


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


def _inputs(recipe: Recipe, data_hash: str) -> tuple[FeatureSet, Splits]:
    """What rank 0 has built already, from the store."""
    from totalml.data import split_samples
    from totalml.data.snapshot import load_snapshot
    from totalml.features import build_features
    from totalml.store import open_store
    from totalml.training.frozen import embed_features

    store = open_store(recipe.runtime)
    snapshot = load_snapshot(data_hash, store)
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store)
    return embed_features(recipe, features, store), split_samples(recipe.data.split, snapshot)


if __name__ == "__main__":
    gc.disable()  # thousands of classes are about to be imported; nothing of it is garbage
    main()
