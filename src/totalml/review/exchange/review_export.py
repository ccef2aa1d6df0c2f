"""Write the verdicts that stand to a file, for another tool or another store.

totalml review export guinness --out verdicts.parquet     a row for each verdict
totalml review export guinness --out tasks.json           tasks with annotations, as Label Studio imports them
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import RecipeError

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="that was judged")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="a .parquet, or a .json")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.review.exchange.label_studio import write_tasks
    from totalml.review.exchange.said_of_item import JSON, PARQUET, write_parquet
    from totalml.review.figures.judgements import judgements
    from totalml.review.review_figures import require_reviewed
    from totalml.review.reviews import Reviews

    file = arguments.out.absolute()
    write = {PARQUET: write_parquet, JSON: write_tasks}.get(file.suffix.lower())
    if write is None or file.is_dir():
        raise RecipeError(f"command line: --out {arguments.out} must name a file that ends in {PARQUET} or {JSON}")
    store = place.open_store()
    require_reviewed(store, arguments.model)
    reviews = Reviews(store, arguments.model)
    reviews.look()
    judged = judgements(reviews)
    write(file, judged)
    print(f"{len(judged.verdicts):,} verdicts about {len(judged.items):,} items of {arguments.model}: {file}")
    return 0
