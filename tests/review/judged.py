"""Reviewers of whom everything is known, and a model whose true accuracy is: to hold figures against the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.review.asked import MODEL, item
from totalml.review.figures.judgements import Judgements
from totalml.review.item import CONTROL, GOLD, UNCERTAIN, Item, table_of
from totalml.review.reviews import Reviews
from totalml.review.said import Remark, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from totalml.store import Store

RELEASE = "blake3:" + "a" * 64


def verdict(about: Item, label: str | None, who: str = "eve", number: int = 0, **more: Any) -> Verdict:
    answer = {"cannot_tell": ""} if label is None else {"label": {"label": label}}
    minute = f"2026-11-{1 + number // 1440 % 28:02}T{number // 60 % 24:02}:{number % 60:02}:00+00:00"
    values = {"when": minute, "answer": answer, "seconds": 4.0, **more}
    return Verdict(f"key-{who}-{about.item}-{number}", about.item, who, **values)


def judgements(*said: tuple[Item, Verdict], batch: str = "one") -> Judgements:
    items = {each.item: each for each, _ in said}
    truths = {name: each.truth for name, each in items.items() if each.truth}
    return Judgements(items, dict.fromkeys(items, batch), [each for _, each in said], truths)


@dataclass(frozen=True)
class Pub:
    """Pints that a model judged: what they are, what it says, how unsure it is. It errs where it is unsure."""

    truth: NDArray[np.bool_]  # good
    said: NDArray[np.bool_]
    unsure: NDArray[np.float64]

    @classmethod
    def of(cls, count: int, good: float, seed: int) -> Pub:
        random = np.random.default_rng(seed)
        truth, unsure = random.random(count) < good, random.beta(1, 6, count)
        return cls(truth, truth ^ (random.random(count) < unsure * 0.6), unsure)

    @property
    def accuracy(self) -> float:
        return float((self.truth == self.said).mean())

    def judged(
        self, errors: Sequence[float], seed: int, control: int = 150, uncertain: int = 100, gold: int = 60
    ) -> Judgements:
        """By one reviewer. Args: errors: of bad pints, and of good ones. control and the others: of items."""
        random = np.random.default_rng([seed, 1])
        count = len(self.truth)
        chosen = np.zeros(count, bool)
        chosen[random.permutation(count)[:control]] = True
        by_doubt = np.minimum(1, self.unsure / self.unsure.sum() * uncertain)
        probability = 1 - (1 - control / count) * (1 - by_doubt)
        drawn = chosen | (random.random(count) < by_doubt)
        rows = [(n, CONTROL if chosen[n] else UNCERTAIN, probability[n]) for n in np.flatnonzero(drawn).tolist()]
        rows += [(n, GOLD, 1.0) for n in random.permutation(np.flatnonzero(~drawn))[:gold].tolist()]
        said = []
        for n, queue, chance in rows:
            errs = random.random() < errors[int(self.truth[n])]
            answer = {"predicted": _word(self.said[n])}
            truth = {"label": _word(self.truth[n])} if queue == GOLD else {}
            about = item(n, queue, answer=answer, probability=float(chance), drawn_of=count, truth=truth)
            said.append((about, verdict(about, _word(self.truth[n] ^ errs), number=n)))
        return judgements(*said)


def _word(good: object) -> str:
    return "good" if good else "bad"


def weeks_of_reviews(store: Store, people: Mapping[str, float], until: datetime, facts: Sequence[str]) -> Reviews:
    """Six weeks in which people judged what came. Args: people: name -> share of errors."""
    random, reviews, remarks = np.random.default_rng(0), Reviews(store, MODEL), []
    for week in range(6):
        judged = Pub.of(3000, 0.9, week).judged((0, 0), week, control=60, uncertain=50, gold=10)
        items, said = [], []
        for each in judged.verdicts:
            known = judged.items[each.item]
            pub = facts[random.integers(len(facts))]
            about = replace(known, request_id=f"{week}-{known.request_id}", facts={"pub": pub})
            items.append(about)
            for who, errors in people.items():
                when = (until - timedelta(days=7 * (5 - week) + 6.5 * random.random())).isoformat()
                label = ["bad", "good"][(each.label == {"label": "good"}) ^ (random.random() < errors)]
                said.append(verdict(about, label, who, when=when, seconds=1 + 5 * random.random()))
                if not about.is_blind and random.random() < 0.2:
                    at = random.random(2).tolist()
                    remarks.append(Remark(f"tap-{said[-1].key}", said[-1].key, who, when, at))
        reviews.queue(table_of(items), "the log")
        reviews.say(said)
    reviews.say(remarks)
    return reviews
