"""End somebody's link at once; what they have said stays.

totalml review revoke guinness eve
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from totalml.errors import RecipeError

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="whose answers they judge")
    parser.add_argument("name", metavar="NAME", help="as it was invited")


def anywhere(arguments: argparse.Namespace) -> bool:
    return arguments.store is not None


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.release.named import history_of
    from totalml.review.reviews import Reviews
    from totalml.target import did_you_mean

    store = place.open_store()
    history_of(arguments.model, store)
    reviews = Reviews(store, arguments.model)
    if not reviews.revoke(arguments.name):
        known = [each.name for each in reviews.invited()]
        hint = did_you_mean(arguments.name, known) or f"; there are {', '.join(known) or 'none'}"
        raise RecipeError(f"command line: nobody called {arguments.name!r} is invited{hint}")
    print(f"{arguments.name} can judge {arguments.model} no longer")
    return 0
