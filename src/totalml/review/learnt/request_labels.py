"""What people said of requests, as labels beside the log: what a monitor asked for is answered, and alerts show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from totalml.identity import canonical, digest, short
from totalml.labels import Label
from totalml.labels.columns import PREFIX
from totalml.prediction_log.asked import queue_lock
from totalml.review.figures.resolved import resolutions
from totalml.review.item import ASK_LABEL

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.bundle import Bundle
    from totalml.review.reviews import Reviews
    from totalml.store import Store

SOURCE_DIGITS = 16


@dataclass(frozen=True)
class _Said:
    """Args: last: when the last verdict of it was given."""

    label: Label
    people: int
    last: datetime


def keep_labels(reviews: Reviews, bundle: Bundle, settings: ReviewRecipe, store: Store) -> int:
    """Keep a label of each request that people agree on, unless somebody said the same, or said otherwise later.

    Returns: how many are new. Raises: StoreError: the store cannot be read or written.
    """
    if reviews.look() == 0:
        return 0
    with queue_lock(store, bundle.name):
        return _keep(reviews, bundle, settings, store)


def _keep(reviews: Reviews, bundle: Bundle, settings: ReviewRecipe, store: Store) -> int:
    from totalml.labels import Labels, truth_of
    from totalml.labels.columns import table_of
    from totalml.labels.labels import Segments
    from totalml.release.signature import Signature

    truth = truth_of(Signature.read(bundle))
    known = Labels(store, bundle.name, truth).read().to_pylist()
    standing = {(row["request_id"], row["id"]): row for row in known}
    kept = 0
    for people, some in _by_people(_said(reviews, settings, {*truth.columns})).items():
        new = [each for each in some if _is_news(each, standing.get((each.label.request_id, each.label.id)))]
        if not new:
            continue
        told = [[each.label.request_id, each.label.id, dict(each.label.values), str(each.last)] for each in new]
        source = short(digest("labels of a review v1", canonical([people, told])), SOURCE_DIGITS)
        if not Labels(store, bundle.name, truth).holds(source):
            who = f"review, {people} {'person' if people == 1 else 'people'}"
            Segments(store, bundle.name, source).save(table_of([each.label for each in new], truth, who))
            kept += len(new)
    return kept


def _said(reviews: Reviews, settings: ReviewRecipe, columns: set[str]) -> list[_Said]:
    """In the order of requests. Args: columns: of the truth; what was said of a release of another task is no label."""
    from totalml.review.figures.judgements import judgements

    judged = judgements(reviews)
    by_item, found = judged.by_item(), []
    for name, together in resolutions(judged, settings).items():
        item = judged.items[name]
        if together.label is not None and item.request_id and item.ask == ASK_LABEL and {*together.label} == columns:
            last = max(datetime.fromisoformat(each.when) for each in by_item[name])
            found.append(_Said(Label(item.request_id, item.id, together.label), together.votes, last))
    return sorted(found, key=lambda each: (each.label.request_id, each.label.id or ""))


def _by_people(said: Sequence[_Said]) -> dict[int, list[_Said]]:
    found: dict[int, list[_Said]] = {}
    for each in said:
        found.setdefault(each.people, []).append(each)
    return found


def _is_news(said: _Said, standing: dict[str, Any] | None) -> bool:
    if standing is None:
        return True
    same = all(standing[f"{PREFIX}{name}"] == value for name, value in said.label.values.items())
    return not same and standing["time"] < said.last
