"""Fill the queue of a model: choose a pool, draw from it, and put the items in one batch.

A draw is named by how many batches there are, so one that was killed before its event is drawn again as it was, unless
its pool has grown meanwhile; a file without an event is nobody's. No name is used for two pools: what the first draw
left has had its chances already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from totalml.errors import DataError
from totalml.labels import truth_of
from totalml.monitoring.losses import LossOf
from totalml.plan.record import Plan
from totalml.prediction_log.asked import queue_lock
from totalml.release.bundle import PLAN
from totalml.release.label_doubts import labels_doubted_by
from totalml.release.signature import Signature
from totalml.review.item import (
    ASK_CURVE,
    ASK_EXPLANATION,
    ASK_LABEL,
    ASK_PLAN,
    ASK_SLICE,
    GOLD,
    Item,
    table_of,
)
from totalml.review.queues.chances import draw
from totalml.review.queues.flagged import flagged_slices, with_groups
from totalml.review.queues.from_log import log_pool
from totalml.review.queues.from_predictions import predictions_pool, with_pictures
from totalml.review.queues.from_test import known_pool, split_pool, split_rows
from totalml.review.queues.gold import gold_items, shown_like
from totalml.review.queues.named import alert_items, doubtful_items, given_items
from totalml.review.queues.other_asks import explanation_items, plan_items, slice_items
from totalml.review.queues.pool import Pool, keys_of, queued_keys
from totalml.review.queues.weights import notes_of, weights_of
from totalml.review.reviews import Reviews

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.bundle import Bundle
    from totalml.store import Store

USUAL, LOG, TEST, ALERTS, DOUBTFUL = SOURCES = ("usual", "log", "test", "alerts", "doubtful")
SINCE = timedelta(days=14)
KEEP_PICTURES = (
    "nobody can judge the others: log: {pictures: 0.1} in the model's file of deployments/ keeps those of one request "
    "in ten, once totalml deploy has applied it"
)


@dataclass(frozen=True)
class Wanted:
    """Args:
    source: USUAL: what monitors ask for, and the log, or of a release with a plan that; of a model that nobody has
        asked yet the test split. DOUBTFUL: samples that the release learnt from, whose labels it doubts most.
    count: None: as the recipe says.
    predictions, pictures: a file of `totalml predict`, and where its pictures lie.
    ids: a file with one a line. doubtful: a table of doubtful labels.
    ask: as of an item. Of slices those of the test split that are known to be worse; of a plan its curves, too.
    """

    source: str = USUAL
    count: int | None = None
    since: timedelta = SINCE
    predictions: Path | None = None
    pictures: Path | None = None
    ids: Path | None = None
    doubtful: Path | None = None
    ask: str = ASK_LABEL


@dataclass(frozen=True)
class Filled:
    """Args:
    batch: empty: there was nothing to ask about.
    queues: of each, how many items.
    told: from what they were drawn, in sentences.
    """

    batch: str
    queues: Mapping[str, int]
    told: tuple[str, ...]


def fill(store: Store, bundle: Bundle, settings: ReviewRecipe, wanted: Wanted) -> Filled:
    """Of one release. Raises: DataError: a file that is named cannot be used. StoreError: the store cannot be used."""
    with queue_lock(store, bundle.name):
        reviews = Reviews(store, bundle.name)
        reviews.look()
        filling = _Filling(store, bundle, settings, reviews, wanted)
        items = filling.items()
        told = tuple(filling.told)
        if not items:
            return Filled("", {}, told)
        batch = reviews.queue(table_of(items), "; ".join(told))
        return Filled(batch, Counter(each.queue for each in items), told)


def top_up(reviews: Reviews, store: Store, bundle: Bundle, settings: ReviewRecipe) -> Filled | None:
    """Fill the queue where nothing was ever put in it, or each item of it has all verdicts that it needs.

    Args: reviews: of the model; asked again with the same ones, only what is new is read.
    Returns: None: something waits. Raises: as `fill`.
    """
    reviews.look()
    given = Counter(each.item for each in reviews.standing())
    for batch in reviews.batches:
        table = reviews.items(batch).select(["item", "queue"])
        for item, queue in zip(table["item"].to_pylist(), table["queue"].to_pylist(), strict=True):
            if queue != GOLD and given[item] < settings.overlap:
                return None
    return fill(store, bundle, settings, Wanted())


class _Filling:
    def __init__(self, store: Store, bundle: Bundle, settings: ReviewRecipe, reviews: Reviews, wanted: Wanted) -> None:
        self._store, self._bundle, self._settings = store, bundle, settings
        self._reviews, self._wanted = reviews, wanted
        self._signature = Signature.read(bundle)
        self._known = queued_keys(reviews)
        self._name = f"{bundle.name} {len(reviews.batches)}"
        self._count = wanted.count or settings.count
        self.told: list[str] = []

    def items(self) -> list[Item]:
        if self._wanted.ask == ASK_SLICE:
            return self._slices()
        if self._wanted.ask == ASK_PLAN:
            return self._plan()
        found = self._samples()
        return explanation_items(found) if self._wanted.ask == ASK_EXPLANATION else found

    def _samples(self) -> list[Item]:
        wanted = self._wanted
        if wanted.doubtful is not None:
            return self._doubtful(_read(wanted.doubtful))
        if wanted.source == DOUBTFUL:
            return self._doubtful(labels_doubted_by(self._bundle, self._store))
        if wanted.ids is not None:
            return given_items(wanted.ids, self._any_pool())
        if wanted.predictions is not None:
            pool = predictions_pool(wanted.predictions, self._bundle, self._signature, self._settings)
            items = self._drawn(pool, self._count)
            seen = self._signature.picture
            mine = [each for each in items if each.queue != GOLD]
            gold = [each for each in items if each.queue == GOLD]
            if not seen:
                return items
            copied = with_pictures(mine, wanted.pictures, self._signature, self._store, self._bundle.name)
            return _mixed([*copied, *gold])
        if wanted.source == TEST:
            return self._drawn(self._split(), self._count)
        return self._of_traffic()

    def _of_traffic(self) -> list[Item]:
        pool = self._log()
        items: list[Item] = []
        if self._wanted.source != LOG:
            items = alert_items(self._store, self._bundle.name, pool, self._known)[: self._count]
            self.told += [f"{len(items):,} requests that monitors ask about"] if items else []
            self._known = pa.concat_arrays([self._known, _keys(items)])
        if self._wanted.source == ALERTS:
            return items
        if self._wanted.source == USUAL and PLAN in self._bundle:  # nobody knows its numbers by looking at a row
            return [*items, *self._plan()]
        if self._wanted.source == USUAL and not items and not len(pool.not_in(self._known)):
            self.told.append("the log holds nothing new that people could judge, so the test split is asked about")
            return self._drawn(self._split(), self._count)
        return [*items, *self._drawn(pool, self._count - len(items))]

    def _log(self) -> Pool:
        since, hours = datetime.now(UTC) - self._wanted.since, self._wanted.since / timedelta(hours=1)
        told = f"requests of the last {f'{hours / 24:g} days' if hours % 24 == 0 else f'{hours:g} hours'}"
        found = log_pool(self._store, self._bundle, self._signature, self._settings, since, told)
        if self._signature.picture and found.asked:
            keep = "" if len(found.pool) else f"; {KEEP_PICTURES}"
            self.told.append(f"of {found.asked:,} {told} the pictures of {len(found.pool):,} were kept{keep}")
        return found.pool

    def _slices(self) -> list[Item]:
        slices, rows = flagged_slices(self._bundle, self._store), split_rows(self._bundle)
        losses = LossOf.fit(rows, truth_of(self._signature)).of_reference(rows)
        found = slice_items(with_groups(self._split(), slices, self._bundle), losses, slices)
        self.told.append(f"{len(found):,} of {len(slices):,} groups that are known to be worse have errors to be seen")
        return found

    def _plan(self) -> list[Item]:
        if PLAN not in self._bundle:
            self.told.append("the release has no plan; its recipe has no key 'plan'")
            return []
        every = plan_items(Plan.from_bytes(self._bundle.read(PLAN)), self._bundle.hash)
        known = {name for batch in self._reviews.batches for name in self._reviews.items(batch)["item"].to_pylist()}
        found = [each for each in every if each.item not in known]
        curves = sum(each.ask == ASK_CURVE for each in found)
        told = f"its plan in {len(found) - curves:,} parts, and {curves:,} curves"
        self.told.append(
            told if found else "people were asked about its plan before; --from test or log asks for numbers"
        )
        return found

    def _split(self) -> Pool:
        return split_pool(self._store, self._bundle, self._signature, self._settings)

    def _any_pool(self) -> Pool:
        """Where the log has none of them, the test split has."""
        pool = self._log()
        return pool if len(pool) else self._split()

    def _drawn(self, pool: Pool, count: int) -> list[Item]:
        shares = {name: share for name, share in vars(self._settings.shares).items() if name != GOLD}
        pool = pool.not_in(self._known)
        share = self._settings.shares.gold if self._wanted.ask == ASK_LABEL else 0.0
        gold = self._gold(round(min(count, len(pool)) * share))
        pool = pool.not_in(_keys(gold))
        slices = flagged_slices(self._bundle, self._store)
        pool = with_groups(pool, slices, self._bundle)
        keys = [key.encode() for key in pool.keys().to_pylist()]
        found = draw(self._name, keys, weights_of(pool, slices), shares, count - len(gold))
        some = pool.take(found.rows)
        items = some.items(found.queues, found.probability.tolist(), len(pool), notes_of(some, found.queues, slices))
        self.told.append(f"{len(items):,} of {len(pool):,} {pool.told} that were not asked about before")
        return _mixed([*items, *shown_like(gold, items)]) if gold else items

    def _gold(self, count: int) -> list[Item]:
        if count < 1:
            return []
        known = known_pool(self._store, self._bundle, self._signature, self._settings)
        known = known.not_in(self._known) if known is not None else None
        return gold_items(self._name, known, self._reviews, self._bundle.hash, count)

    def _doubtful(self, doubts: pa.Table) -> list[Item]:
        from totalml.data.snapshot import load_snapshot

        data_hash = str(self._bundle.facts["data_hash"])
        samples = load_snapshot(data_hash, self._store).samples
        items = doubtful_items(samples, data_hash, doubts, bool(self._signature.picture), self._count, self._known)
        self.told.append(f"{len(items):,} of {len(doubts):,} labels that are doubted, those most doubted")
        return items


def _read(doubtful: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(doubtful, page_checksum_verification=True).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{doubtful} cannot be read: {error}; give a Parquet file of doubtful labels") from error


def _mixed(items: list[Item]) -> list[Item]:
    """In an order that says nothing of their queues: items are named by a hash of what they are about."""
    return sorted(items, key=lambda each: each.item)


def _keys(items: list[Item]) -> pa.Array:
    return keys_of(table_of(items))
