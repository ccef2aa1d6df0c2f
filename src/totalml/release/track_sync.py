"""Send runs to Weights & Biases that were tracked offline, or whose backend could not be reached, and their releases.

  totalml track sync                       every finished run that has not arrived yet, and where aliases point now
  totalml track sync 4f1c2a9b guinness     these, wherever they were tracked until now

A run is sent from what its folder holds, so it may have been moved; that nothing of it is missing is checked first.
The account is that of `wandb login` or WANDB_API_KEY; WANDB_BASE_URL names another backend. Sending a run a second
time replaces it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from totalml.errors import TrackingError

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="*", help="a run id or its start, <run id>/<attempt>, a folder, a recipe's name")
    parser.add_argument("--project", help="of W&B (as the recipe said; its name)")
    parser.add_argument("--entity", help="of W&B (as the recipe said; the account's own)")
    parser.add_argument("--patience", metavar="SECONDS", type=float, default=300.0, help="for each run (300)")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.registry import models
    from totalml.release.tracked import tell_releases
    from totalml.runs.find import find_run
    from totalml.tracking.sync import send, unsent

    attempts = [find_run(text, place.runs) for text in arguments.run] or list(unsent(place.runs))
    failed = [each for each in attempts if not send(each, place.store, arguments)]
    store = place.open_store()
    asked = {attempt.facts["name"] for attempt in attempts} if arguments.run else models(store)
    untold = [
        model
        for model in sorted(asked & models(store))
        if not tell_releases(model, store, place.runs, print, arguments.patience)
    ]
    if failed or untold:
        runs = [f"{len(failed)} of {len(attempts)} runs"] if failed else []
        what = " and ".join([*runs, *(f"releases of {model}" for model in untold)])
        raise TrackingError(f"{what} were not sent; give the same command again")
    if not attempts:
        print("every tracked run has been sent")
    return 0
