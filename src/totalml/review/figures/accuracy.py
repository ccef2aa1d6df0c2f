"""How often a release is right, as those see it who know: from items that chance drew, so that nothing is chosen.

Other queues hold what the model is unsure of, so the plain share of right answers among all that was judged is too
low. Each of their items carries the probability with which it was drawn, and counts for one over that many.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.review.figures.corrected import corrected
from totalml.review.figures.intervals import CONFIDENCE, exact, weighted
from totalml.review.figures.judgements import PREDICTED, is_right
from totalml.review.item import ASK_LABEL, CONTROL, DISAGREEMENT, OUT_OF_DISTRIBUTION, SLICES, UNCERTAIN

if TYPE_CHECKING:
    from totalml.evaluation.arrays import Floats
    from totalml.evaluation.interval import Interval
    from totalml.review.figures.judgements import Judgements
    from totalml.review.item import Item

BY_DESIGN = (CONTROL, UNCERTAIN, OUT_OF_DISTRIBUTION, DISAGREEMENT, SLICES)  # drawn together from all that came
LEAST_IN_SLICE = 20  # items
MOST_GROUPS = 12  # values of a column; one with more has no groups to look at

Outcome = Mapping[str, "bool | None"]  # item -> whether the release was right; None: nobody could tell


@dataclass(frozen=True)
class Slice:
    column: str
    value: str
    items: int
    accuracy: Interval


@dataclass(frozen=True)
class Accuracy:
    """Of one release.

    Args:
        live: of requests; else of samples of a snapshot, or a file.
        control: from control items alone. without_errors: the same, were reviewers without error.
        control_items: that it rests on. untold: control items of which nobody could tell.
        weighted: from all items that chance drew, each as its probability says; `items` of them.
        slices: weighted, of groups with enough items; their intervals hold all at once.
    """

    release: str
    live: bool
    control: Interval
    without_errors: Interval
    control_items: int
    untold: int
    weighted: Interval
    items: int
    slices: Sequence[Slice]


def outcomes(judged: Judgements, resolved: Mapping[str, Mapping[str, object] | None]) -> dict[str, bool | None]:
    """Of items with a release's answer.

    Args: resolved: item -> what people say together; None: they do not.
    """
    found: dict[str, bool | None] = {}
    for name in judged.by_item():
        item = judged.items[name]
        if item.ask == ASK_LABEL and item.answer and name in resolved:
            label = resolved[name]
            found[name] = None if label is None else is_right(item.answer, label)
    return found


def accuracies(judged: Judgements, right: Outcome, confidence: float = CONFIDENCE) -> list[Accuracy]:
    """Of each release, that which was asked about last first.

    Args: right: as `outcomes`.
    """
    groups: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for verdict in judged.verdicts:
        item = judged.items[verdict.item]
        if verdict.item in right and item.release and item.queue in BY_DESIGN:
            key = item.release, item.request_id is not None
            groups[key] = groups.pop(key, [])  # last again
            groups[key].append(verdict.item)
    found = [_of(*key, [*dict.fromkeys(names)], judged, right, confidence) for key, names in groups.items()]
    return found[::-1]


def control_share(judged: Judgements, right: Outcome, confidence: float = CONFIDENCE) -> tuple[Interval, int, int]:
    """The share of control items that are right, how many that is, and of how many.

    Exact where each batch drew at one rate; where one drew fewer of many, each item counts for as many as it stands
    for.
    """
    names = [name for name, value in right.items() if value is not None and judged.items[name].queue == CONTROL]
    hits = np.array([bool(right[name]) for name in names], np.bool_)
    share = exact(int(hits.sum()), len(hits), confidence)
    weights = _weights(names, judged, [1.0] * len(names))
    if len(hits) and weights.max() > weights.min() * (1 + 1e-9):
        share = weighted(hits, weights, confidence)
    return share, int(hits.sum()), len(hits)


def _of(
    release: str, live: bool, names: Sequence[str], judged: Judgements, right: Outcome, confidence: float
) -> Accuracy:
    mine = {name: right[name] for name in names}
    control, _, count = control_share(judged, mine, confidence)
    untold = sum(value is None and judged.items[name].queue == CONTROL for name, value in mine.items())
    told = [name for name, value in mine.items() if value is not None]
    hits = np.array([bool(mine[name]) for name in told], np.bool_)
    weights = _weights(told, judged, [1 / judged.items[name].probability for name in told])
    slices = _slices([judged.items[name] for name in told], hits, weights, confidence)
    return Accuracy(
        release=release,
        live=live,
        control=control,
        without_errors=corrected(judged, mine, confidence),
        control_items=count,
        untold=untold,
        weighted=weighted(hits, weights, confidence),
        items=len(told),
        slices=slices,
    )


def _weights(names: Sequence[str], judged: Judgements, each: Iterable[float]) -> Floats:
    """So that the items of a batch stand for all that it was drawn from, however few of them are judged yet."""
    batches, own = np.array([judged.batches[name] for name in names]), np.array([*each], np.float64)
    weights = np.zeros(len(names))
    for batch in dict.fromkeys(batches.tolist()):
        of_batch = batches == batch
        stands_for = max(judged.items[name].drawn_of for name in np.array(names)[of_batch])
        weights[of_batch] = own[of_batch] * stands_for / own[of_batch].sum()
    return weights


def _slices(items: Sequence[Item], hits: object, weights: Floats, confidence: float) -> list[Slice]:
    right, groups = np.asarray(hits, np.bool_), defaultdict[tuple[str, str], list[int]](list)
    for place, item in enumerate(items):
        answered = item.answer.get(PREDICTED)
        for column, value in {**item.facts, **({PREDICTED: answered} if isinstance(answered, str) else {})}.items():
            if isinstance(value, str | bool):
                groups[column, value if isinstance(value, str) else json.dumps(value)].append(place)
    values = defaultdict[str, int](int)
    for column, _ in groups:
        values[column] += 1
    kept = {
        key: rows for key, rows in groups.items() if len(rows) >= LEAST_IN_SLICE and 1 < values[key[0]] <= MOST_GROUPS
    }
    return [
        Slice(column, value, len(rows), weighted(right[rows], weights[rows], confidence, len(kept)))
        for (column, value), rows in sorted(kept.items())
    ]
