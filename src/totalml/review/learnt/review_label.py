"""Keep what people said of requests as labels, so that monitors know of it; the page does it by itself meanwhile.

totalml review label guinness                      by the recipe's policy
totalml review label guinness --policy unanimous   only what all agree on

A label that somebody gave later stands. The same verdicts again add nothing.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, get_args

from totalml.recipe.gates import PRODUCTION
from totalml.recipe.review import Policy
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=f"that was judged; or MODEL@ALIAS ({PRODUCTION})")
    parser.add_argument("--policy", choices=get_args(Policy), help="how verdicts become a label (as the recipe says)")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.release.named import find_of_model
    from totalml.review.learnt.request_labels import keep_labels
    from totalml.review.reviews import Reviews
    from totalml.review.settings import review_settings

    store = place.open_store()
    model, bundle = find_of_model(arguments.model, store)
    settings = review_settings(model, bundle, place).ruled_by(arguments.policy)
    kept = keep_labels(Reviews(store, model), bundle, settings, store)
    print(f"kept {counted(kept, 'label')} of {model}" if kept else f"nothing new was said of requests of {model}")
    return 0
