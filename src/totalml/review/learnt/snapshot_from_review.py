"""Make a snapshot of what people said: labels that they changed, and requests that they judged, as new samples.

  totalml snapshot from-review guinness                        of the data of production, by the recipe's policy
  totalml snapshot from-review guinness --policy weighted      or majority, or unanimous
  totalml snapshot from-review guinness --parent 3f2a91c0-77d1b2aa    of a run's data, or of a data hash
  totalml snapshot from-review guinness --soft keep            undecided samples stay, with the likeliest label

Every changed label is listed. A recipe trains on it by data.source=totalml.data.StoredSnapshot; the last line says how.
Exit code 4: there is nothing to learn from.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, get_args

from totalml.recipe.review import Policy

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.release.bundle import Bundle


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="that was judged; or MODEL@ALIAS (production)")
    configure_learning(parser)


def configure_learning(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--policy", choices=get_args(Policy), help="how verdicts become a label (as the recipe says)")
    parser.add_argument("--parent", metavar="HASH|RUN", help="whose labels are changed (the release's data)")
    parser.add_argument("--soft", choices=("leave-out", "keep"), default="leave-out", help="undecided (leave-out)")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.release.named import find_of_model
    from totalml.review.learnt.reviewed_snapshot import reviewed_snapshot, write_changes
    from totalml.review.reviews import Reviews
    from totalml.review.settings import review_settings

    store = place.open_store()
    _, bundle = find_of_model(arguments.model, store)
    settings = review_settings(bundle.name, bundle, place).ruled_by(arguments.policy)
    parent = parent_of(arguments.parent, bundle, place)
    made = reviewed_snapshot(Reviews(store, bundle.name), bundle, parent, settings, arguments.soft, store)
    store.publish()
    print("\n".join(made.lines()))
    print(f"All changes: {write_changes(made, store)}")
    name = made.snapshot.data_hash
    # Taken away first, as keys of a source that stands there would be merged with ours; and another pin lifted.
    source = f"'~data.source' '+data.source={{_target_: totalml.data.StoredSnapshot, snapshot: \"{name}\"}}'"
    print(f"To train on it: python run.py +recipe={bundle.name} {source} data.snapshot={name}")
    return 0


def parent_of(given: str | None, bundle: Bundle, place: Place) -> str:
    """A data hash. Raises: RecipeError: there is no such run."""
    from totalml.identity import DIGEST
    from totalml.runs.find import find_run

    if given is None:
        return str(bundle.facts["data_hash"])
    return given if DIGEST.fullmatch(given) else str(find_run(given, place.runs).facts["data_hash"])
