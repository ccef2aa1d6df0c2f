"""Items of which the truth is known, to see how reviewers err: labelled samples, and what several judged alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from totalml.identity import canonical
from totalml.review.item import ASK_LABEL, CONTROL, GOLD, Item, items_of
from totalml.review.queues.chances import draw

if TYPE_CHECKING:
    from totalml.review.queues.pool import Pool
    from totalml.review.reviews import Reviews

SEVERAL = 3  # reviewers who all say the same, and nobody anything else


def gold_items(name: str, known: Pool | None, reviews: Reviews, release: str, count: int) -> list[Item]:
    """At most so many: of those that were judged alike at most half, the others of a pool with truths."""
    agreed = agreed_items(reviews, release)[: count // 2]
    if known is None or count <= len(agreed):
        return agreed
    wanted = count - len(agreed)
    found = draw(f"{name} gold", _bytes(known), {}, {CONTROL: 1.0}, wanted)
    some = known.take(found.rows)
    return [*agreed, *some.items([GOLD] * len(some), found.probability.tolist(), len(known), [""] * len(some))]


def agreed_items(reviews: Reviews, release: str) -> list[Item]:
    """What at least `SEVERAL` people said the same of. Control stays control: nothing is asked of it twice."""
    said: dict[str, list[bytes]] = defaultdict(list)
    labels: dict[str, Mapping[str, Any]] = {}
    for verdict in reviews.standing():
        said[verdict.item].append(canonical(dict(verdict.answer)))
        labels[verdict.item] = verdict.label or {}
    alike = {item for item, each in said.items() if len(each) >= SEVERAL and len({*each}) == 1 and labels[item]}
    found: dict[str, Item] = {}
    for item in _items(reviews, alike):
        found[item.item] = item
        if item.queue in (CONTROL, GOLD) or item.truth or item.ask != ASK_LABEL or item.release != release:
            alike.discard(item.item)
    return [
        replace(each, queue=GOLD, truth=labels[name], probability=1.0, drawn_of=len(alike), note="")
        for name, each in sorted(found.items())
        if name in alike
    ]


def shown_like(gold: Sequence[Item], others: Sequence[Item]) -> list[Item]:
    """Without what is known of none of the others, such as of requests a column of the snapshot: it would tell gold."""
    known = {name for each in others for name in each.facts}
    return [replace(each, facts={name: each.facts[name] for name in each.facts if name in known}) for each in gold]


def _items(reviews: Reviews, names: Collection[str]) -> list[Item]:
    wanted = pa.array([*names], pa.string())
    tables = (reviews.items(batch) for batch in reviews.batches) if names else ()
    return [each for table in tables for each in items_of(table.filter(pc.is_in(table["item"], value_set=wanted)))]


def _bytes(pool: Pool) -> list[bytes]:
    return [key.encode() for key in pool.keys().to_pylist()]
