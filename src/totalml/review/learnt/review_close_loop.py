"""Learn from what people said: a snapshot of it, a run of production's recipe, its gates, and whether it is better.

  totalml review close-loop guinness
  totalml review close-loop guinness --policy weighted --soft keep

Production and the new run are held against each other on the same test samples, with the interval of the difference.
What comes of it is a candidate; totalml promote puts it in production. Interrupted, it goes on. Exit code 3: gates.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from totalml.recipe.gates import PRODUCTION
from totalml.review.learnt.snapshot_from_review import configure_learning, parent_of

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=f"that was judged, as it is in {PRODUCTION}")
    configure_learning(parser)


def run(arguments: argparse.Namespace, place: Place) -> int:
    import gc

    from totalml.follow_up import follow_up
    from totalml.progress import Progress
    from totalml.release.named import find_release
    from totalml.review.learnt.close_loop import gain_of, recipe_on
    from totalml.review.learnt.reviewed_snapshot import reviewed_snapshot, write_changes
    from totalml.review.reviews import Reviews
    from totalml.review.settings import review_settings
    from totalml.runner import run_on
    from totalml.runs import open_runs

    store, model = place.open_store(), arguments.model
    bundle = find_release(f"{model}@{PRODUCTION}", store)
    settings = review_settings(model, bundle, place).ruled_by(arguments.policy)
    parent = parent_of(arguments.parent, bundle, place)
    made = reviewed_snapshot(Reviews(store, model), bundle, parent, settings, arguments.soft, store)
    store.publish()
    print("\n".join([*made.lines(), f"All changes: {write_changes(made, store)}"]), flush=True)
    recipe = recipe_on(made.snapshot.data_hash, bundle, place)
    progress = Progress.create(recipe.runtime.progress)
    runs = open_runs(recipe.runtime.runs, recipe.runtime.cache, progress.say)
    gc.enable()  # the command starts without it
    attempt = run_on(made.snapshot, recipe, store, runs, progress)
    gain = gain_of(attempt, bundle, recipe, made.snapshot, store, progress)
    try:
        follow_up(recipe, attempt, store, runs, progress)
    finally:  # also where the gates stop it
        print("\n".join(gain.lines(made)))
    return 0
