"""How well reviewers agree and err, how fast they are, and how often the model is right, as far as chance shows it.

totalml review figures guinness                    of all verdicts that stand
totalml review figures guinness --since 7d         of the last seven days
totalml review figures guinness --out page.html    as a page for people
totalml review figures guinness --json             whole, for scripts
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import RecipeError
from totalml.recipe.gates import PRODUCTION

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.store import Store


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL[@ALIAS]", help=f"(@{PRODUCTION}) whose recipe says how verdicts count")
    parser.add_argument("--since", metavar="7d", help="days (7d) or hours (12h) to look back (to the first verdict)")
    parser.add_argument("--out", metavar="FILE", help="write a page")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    import json
    from functools import partial

    from totalml.release.named import find_release
    from totalml.review.figures import team_figures
    from totalml.review.figures.page import write_figures
    from totalml.review.figures.resolved import resolved
    from totalml.review.figures.text import figures_text
    from totalml.review.queues.from_log import span_of
    from totalml.review.reviews import Reviews
    from totalml.review.settings import review_settings

    back = None if arguments.since is None else span_of(arguments.since)
    path = Path(arguments.out).absolute() if arguments.out else None
    if path is not None and path.is_dir():
        raise RecipeError(f"command line: --out {arguments.out} is a folder; name a file in it")
    store, now = place.open_store(), datetime.now(UTC)
    model, _, alias = arguments.model.partition("@")
    require_reviewed(store, model)
    settings = review_settings(model, find_release(f"{model}@{alias or PRODUCTION}", store), place)
    reviews = Reviews(store, model)
    reviews.look()
    resolve = partial(resolved, settings=settings)
    figures = team_figures(reviews, resolve, now - back if back else None, now)
    if arguments.json:
        print(json.dumps(figures.as_json(), indent=2, ensure_ascii=False))
    elif path is None:
        print(figures_text(figures))
    if path is not None:
        write_figures(path, figures)
        if not arguments.json:
            print(f"Page: {path}")
    return 0


def require_reviewed(store: Store, model: str) -> None:
    """Raises: RecipeError: there is no such model, or nobody was ever asked about it."""
    from totalml.release.named import history_of
    from totalml.review.reviews import models_with_reviews

    if model not in models_with_reviews(store):
        history_of(model, store)
        raise RecipeError(f"command line: nobody was asked about {model} yet; totalml review queue {model} asks")
