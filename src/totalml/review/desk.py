"""Who is asked what next: so that each item comes to as many people as it needs, and to none of them twice.

An item that somebody has before them is theirs for a while (a lease). Leases are in the memory of one service: after a
restart, or of two services, an item may come to one person more than it needs, and no verdict is lost by that.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.errors import StoreError
from totalml.review.item import ALERT, ASK_EXPLANATION, GOLD, OF_PLANS, Item
from totalml.review.said import Entry, Remark, Verdict, Withdrawal, now

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.recipe.review import ReviewRecipe
    from totalml.review.reviews import Reviews

EVERYBODY = np.iinfo(np.int32).max  # people that an item needs which each reviewer is to judge


@dataclass(frozen=True)
class Standing:
    """How far one reviewer has come. Args: waiting: items that may still come to them."""

    judged: int
    waiting: int


class Desk:
    """Of one model, for many threads at once.

    Args: clock: seconds that only grow.
    """

    def __init__(self, reviews: Reviews, settings: ReviewRecipe, clock: Callable[[], float] = time.monotonic) -> None:
        self.reviews, self.settings = reviews, settings
        self._clock = clock
        self._writing, self._lock = threading.Lock(), threading.Lock()  # of the reviews; of all below
        self._waiting: deque[tuple[Entry, Future[bool]]] = deque()
        self._batches: dict[str, pa.Table] = {}
        self.unread: dict[str, str] = {}  # batch -> why nothing of it is asked
        self._place: dict[str, tuple[str, int]] = {}  # item -> batch and row of its latest
        self._index: dict[str, int] = {}  # item -> its index below
        self._names: list[str] = []
        self._need = np.zeros(0, np.int32)
        self._done = np.zeros(0, np.int32)
        self._leased = np.zeros(0, np.int32)
        self._first = np.zeros(0, bool)  # what comes before all else
        self._judged: dict[str, NDArray[np.bool_]] = {}  # reviewer -> (N,)
        self._leases: dict[str, dict[int, float]] = {}  # reviewer -> index -> when it ends
        self._ends: list[tuple[float, str, int]] = []  # a heap
        self._heard = self._gone = 0
        self.look()

    def look(self) -> None:
        """Take in what is new: batches, and what came by other services. Raises: StoreError."""
        with self._writing:
            self._look()

    def _look(self) -> None:
        self.reviews.look()
        tables = self._new_tables()
        with self._lock:
            if any(batch in self.unread for batch in tables):  # what was said of it before is not counted yet
                self._heard = 0
            for batch, table in tables.items():
                self._take(batch, table)
                self.unread.pop(batch, None)
            for batches, item in self.reviews.removed[self._gone :]:
                self._forget(item, self.reviews.batches[:batches])
            self._gone = len(self.reviews.removed)
            entries = self.reviews.entries
            for entry in entries[self._heard :]:
                if not isinstance(entry, Remark) and (about := self.reviews.about(entry)):
                    self._count(about.item, about.who)
            self._heard = len(entries)

    def _new_tables(self) -> dict[str, pa.Table]:
        """Without damaged ones, which are to keep nobody from judging the others."""
        found = {}
        for batch in self.reviews.batches:
            if batch not in self._batches:
                try:
                    found[batch] = self.reviews.items(batch)
                except StoreError as error:
                    self.unread[batch] = str(error)
        return found

    def next(self, who: str, count: int = 1, have: Collection[str] = ()) -> list[Item]:
        """Items for a reviewer, and leases on them: first those that are leased to them already.

        Args: have: items that the reviewer has, which are not given again.
        """
        with self._lock:
            self._end_leases()
            mine = self._leases.setdefault(who, {})
            held = {self._index[each] for each in have if each in self._index}
            chosen = [index for index in mine if index not in held][:count]
            if len(chosen) < count:
                free = (self._done + self._leased < self._need) & ~self._judged_by(who)
                free[[*mine, *held]] = False
                for part in (free & self._first, free & ~self._first):
                    chosen += np.flatnonzero(part)[: count - len(chosen)].tolist()
            for index in chosen:
                self._lease(who, index)
            return [self._item(self._names[index]) for index in chosen]

    def item(self, name: str) -> Item | None:
        with self._lock:
            return self._item(name) if name in self._place else None

    def of(self, who: str, name: str) -> Item | None:
        """An item that this reviewer has before them or has judged; None: it is not theirs to see."""
        with self._lock:
            self._end_leases()
            if name not in self._place:
                return None
            index = self._index[name]
            theirs = index in self._leases.get(who, {}) or self._judged_by(who)[index]
            return self._item(name) if theirs else None

    def give(
        self, who: str, key: str, item: Item, answer: Mapping[str, Any], seconds: float = 0.0, comment: str = ""
    ) -> Verdict:
        """Keep a verdict; one that was sent before stays as it is.

        Returns: what stands by this key.
        Raises: StoreError: it is not kept; send it again. KeyError: the key is of something else that was said.
        """
        # Read without the lock of what is written, which would be waited for twice more: one look into a dict each.
        seen = self.reviews.has_seen(item.item, who, key)
        blind = not seen and item.ask not in (ASK_EXPLANATION, *OF_PLANS)
        shown = {"release": item.release, "queue": item.queue, "blind": blind}
        self._say(Verdict(key, item.item, who, now(), dict(answer), seconds, shown, comment))
        kept = self.reviews.verdict(key)
        if kept is None or (kept.who, kept.item) != (who, item.item):
            raise KeyError(key)
        return kept

    def remark(self, remark: Remark) -> bool:
        """Returns: False: it was said before. Raises: as `give`."""
        return self._say(remark)

    def take_back(self, who: str, key: str) -> Item | None:
        """Take back the last verdict of a reviewer, which comes to them again. None: there is none.

        Args: key: of this request, so that sent twice it takes back one.
        """
        with self._writing:
            last = self.reviews.last_by(who)
        if last is None or not self._say(Withdrawal(key, last.key, who, now())):
            return None
        with self._lock:
            if last.item not in self._place:
                return None
            self._lease(who, self._index[last.item])
            return self._item(last.item)

    def standing(self, who: str) -> Standing:
        with self._lock:
            judged = self._judged_by(who)
            return Standing(int(judged.sum()), int(((self._done < self._need) & ~judged).sum()))

    def _say(self, entry: Entry) -> bool:
        """What comes at the same time is written as one event: whoever is first writes for all who wait."""
        outcome: Future[bool] = Future()
        self._waiting.append((entry, outcome))
        with self._writing:
            together = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if together:
                try:
                    new = {id(each) for each in self.reviews.say([each for each, _ in together])}
                    self._look()
                except Exception as error:
                    for _, each in together:
                        each.set_exception(error)
                else:
                    for said, each in together:
                        each.set_result(id(said) in new)
        return outcome.result()

    def _take(self, batch: str, table: pa.Table) -> None:
        names, queues = table["item"].to_pylist(), table["queue"].to_pylist()
        new = [name for name in dict.fromkeys(names) if name not in self._index]
        self._index |= {name: len(self._names) + place for place, name in enumerate(new)}
        self._names += new
        for name in ("_need", "_done", "_leased", "_first"):
            values = getattr(self, name)
            setattr(self, name, np.append(values, np.zeros(len(new), values.dtype)))
        for row, (name, queue) in enumerate(zip(names, queues, strict=True)):
            index = self._index[name]
            self._place[name] = (batch, row)
            self._need[index] = max(self._need[index], EVERYBODY if queue == GOLD else self.settings.overlap)
            self._first[index] |= queue == ALERT
        self._batches[batch] = table

    def _forget(self, name: str, batches: Sequence[str]) -> None:
        """What was deleted on request is shown to nobody, unless a later batch than these asks about it again."""
        if name in self._place and self._place[name][0] in batches:
            del self._place[name]
            index = self._index[name]
            self._need[index] = 0
            for who in self._leases:
                self._release(who, index)

    def _item(self, name: str) -> Item:
        batch, row = self._place[name]
        return Item.from_row(self._batches[batch].slice(row, 1).to_pylist()[0])

    def _judged_by(self, who: str) -> NDArray[np.bool_]:
        judged = self._judged.get(who, np.zeros(0, bool))
        if len(judged) < len(self._names):
            judged = self._judged[who] = np.append(judged, np.zeros(len(self._names) - len(judged), bool))
        return judged

    def _count(self, item: str, who: str) -> None:
        index = self._index.get(item)
        if index is None:  # of a batch that was removed
            return
        judged, stands = self._judged_by(who), self.reviews.last_of(item, who) is not None
        self._done[index] += int(stands) - int(judged[index])
        judged[index] = stands
        if stands:
            self._release(who, index)

    def _lease(self, who: str, index: int) -> None:
        mine = self._leases.setdefault(who, {})
        ends = self._clock() + self.settings.lease_minutes * 60
        if index not in mine:
            self._leased[index] += 1
            heapq.heappush(self._ends, (ends, who, index))
        mine[index] = ends  # where that is later, the heap hears of it when the first end comes

    def _release(self, who: str, index: int) -> None:
        if self._leases.get(who, {}).pop(index, None) is not None:
            self._leased[index] -= 1

    def _end_leases(self) -> None:
        time_ = self._clock()
        while self._ends and self._ends[0][0] <= time_:
            _, who, index = heapq.heappop(self._ends)
            if (ends := self._leases.get(who, {}).get(index)) is None:
                continue
            if ends <= time_:
                self._release(who, index)
            else:
                heapq.heappush(self._ends, (ends, who, index))
