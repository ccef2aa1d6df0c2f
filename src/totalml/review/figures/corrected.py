"""What a release's accuracy would be if reviewers did not err, from how they err on planted gold.

Control and gold are judged blind, so that an error depends on what is right and not on what the model says. What they
say is then the truth times a table of errors, and dividing by that table gives the truth: for two classes the estimate
of Rogan and Gladen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.interval import Interval
from totalml.review.figures.intervals import CONFIDENCE, NOTHING
from totalml.review.figures.judgements import PREDICTED
from totalml.review.item import CONTROL

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Sequence

    from totalml.evaluation.arrays import Floats
    from totalml.review.figures.judgements import Judgements
    from totalml.review.said import Verdict

DRAWS, SEED = 4000, 0
LEAST_GOLD = 5  # items of a class
MOST_CLASSES = 20
PRIOR = 0.5  # of Jeffreys


def corrected(judged: Judgements, of: Container[str], confidence: float = CONFIDENCE) -> Interval:
    """Of the control items among `of`, where answers are single classes.

    The interval holds what chance does to control and to gold: items are weighted by chance (Rubin's bootstrap) with
    Jeffreys' prior, so that no error on little gold is no certainty. A reviewer's gold counts as much as what they said
    of control items.
    Source: Rogan and Gladen 1978; of several classes, the matrix method of Grassia and Sundberg 1982.
    """
    given = [each for each in judged.verdicts if _said(each)]
    control = [each for each in given if each.item in of and judged.items[each.item].queue == CONTROL]
    if not control:
        return NOTHING
    answers = {each.item: judged.items[each.item].answer.get(PREDICTED) for each in control}
    gold = [each for each in given if judged.is_gold(each) and _truth(judged, each.item)]
    if not all(isinstance(answer, str) for answer in answers.values()):
        return Interval(None, note="only answers of one class are corrected")
    classes = sorted({*map(str, answers.values()), *map(_said, control), *map(_said, gold)} - {""})
    truths = {each.item: _truth(judged, each.item) for each in gold}
    planted = Counter(truths.values())
    if few := [name for name in classes if planted[name] < LEAST_GOLD]:
        return Interval(None, note=f"fewer than {LEAST_GOLD} judged gold items of {', '.join(few[:5])}")
    if not 1 < len(classes) <= MOST_CLASSES:
        return Interval(None, note=f"{len(classes)} classes, where 2 to {MOST_CLASSES} can be told apart")
    index = {name: place for place, name in enumerate(classes)}
    said = _table(control, [index[str(answers[each.item])] for each in control], index, Counter())
    shares = Counter(each.who for each in control)
    errs = _table(gold, [index[truths[each.item]] for each in gold], index, shares)
    random = np.random.default_rng(SEED)
    value = _accuracy(said.sum(0)[None], errs.sum(0)[None])[0]
    answered = said.sum(axis=(0, 2)) / len(said)
    drawn = _accuracy(_drawn(said, PRIOR * answered, random), _drawn(errs, np.full(len(classes), PRIOR), random))
    if not np.isfinite(value):
        return Interval(None, note="on gold, reviewers do no better than chance")
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(drawn[np.isfinite(drawn)], [tail, 100 - tail]).tolist()
    return Interval(float(value), min(low, float(value)), max(high, float(value)))


def _table(verdicts: Sequence[Verdict], rows: Sequence[int], index: dict[str, int], shares: Counter[str]) -> Floats:
    """(items, K, K) what was said, by row; the verdicts of an item count as one, those of a reviewer by their share."""
    names = {name: place for place, name in enumerate(dict.fromkeys(each.item for each in verdicts))}
    weight = [float(shares[each.who]) if shares else 1.0 for each in verdicts]
    if not any(weight):  # nobody who judged gold judged control items
        weight = [1.0] * len(verdicts)
    totals: dict[str, float] = defaultdict(float)
    for each, share in zip(verdicts, weight, strict=True):
        totals[each.item] += share
    found = np.zeros((len(names), len(index), len(index)))
    for each, row, share in zip(verdicts, rows, weight, strict=True):
        if totals[each.item]:
            found[names[each.item], row, index[_said(each)]] += share / totals[each.item]
    return found


def _drawn(table: Floats, prior: Floats, random: np.random.Generator) -> Floats:
    """(DRAWS, K, K) sums of items weighted by chance, with `prior`, (K,), more of each on and beside the diagonal."""
    items, classes, _ = table.shape
    kinds, times = np.unique(table.reshape(items, -1), axis=0, return_counts=True)
    sums = random.gamma(times, size=(DRAWS, len(times))) @ kinds
    on, off = (random.gamma(prior[:, None], size=(DRAWS, classes, 1)) for _ in range(2))
    diagonal = np.eye(classes)
    return sums.reshape(-1, classes, classes) + on * diagonal + off * (1 - diagonal) / (classes - 1)


def _accuracy(said: Floats, errs: Floats) -> Floats:
    """(R,) within 0..1, NaN where the errors say nothing.

    Args: said: (R, answer, label). errs: (R, truth, label).
    """
    rates = errs / errs.sum(axis=2, keepdims=True)
    found = np.full(len(said), np.nan)
    # Worse than chance, or so near it that dividing by it would only magnify noise.
    usable = np.linalg.det(rates) > 1e-3
    truth = said[usable] @ np.linalg.inv(rates[usable])
    found[usable] = np.trace(truth, axis1=1, axis2=2) / said[usable].sum(axis=(1, 2))
    return found.clip(0, 1)


def _truth(judged: Judgements, item: str) -> str:
    return _one(judged.truths[item].values())


def _said(verdict: Verdict) -> str:
    """Empty: no class."""
    return _one((verdict.label or {}).values())


def _one(values: Collection[object]) -> str:
    given = [each for each in values if isinstance(each, str)]
    return given[0] if len(given) == 1 == len(values) else ""
