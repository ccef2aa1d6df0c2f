"""Which labels are likely to be wrong: those that samples of other groups contradict, again and again, and surely.

Any classifier would do; of those tried, a linear discriminant of embeddings found as many planted wrong labels as
regularised logistic regression, in a tenth of its time (docs/quality.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from totalml.quality.guesses import FEWEST_SAMPLES, Discriminant, learnt_from_others

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = 5
REPEATS = 5  # with other parts each time, so that a doubt does not hang on which groups were learnt together
FEWEST_OF_A_LABEL = 10  # one that fewer samples carry is not judged, nor suggested
MOST_LABELS = 1000  # that are judged, the most frequent ones; a column of more holds names of samples
SHARPNESS = np.exp(np.linspace(-4, 4, 81))  # that probabilities may need: what scores are multiplied by
MOST_TO_CALIBRATE = 20_000
CHUNK_SCORES = 1 << 20  # held at once; a bound for memory


def label_doubt(
    known: NDArray[np.float32], label: NDArray[np.int64], group: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """How surely samples of other groups contradict each label, and what they suggest.

    Learn from four fifths of the groups and ask about the last fifth, five times with other fifths each; probabilities
    are as if all labels were equally frequent, as sure as they turn out to be, and averaged.

    Args:
        known: (N, D) what each sample is judged by; each column with mean 0 and deviation 1.
        label: (N,) 0..C-1; -1 where unknown.
        group: (N,) whose labels may share a fault: they are never judged by each other.
    Returns:
        (N,) the probability in [0, 1] that it is another label, NaN where nothing can be said: the label is unknown or
        rare, no other group carries it, or there are fewer than 100 samples or two labels; (N,) the likeliest label,
        -1 there.
    Source: Northcutt et al. 2021, Confident Learning, whose simplest ranking is this one, by self-confidence.
    """
    doubt, suggested = np.full(len(label), np.nan), np.full(len(label), -1)
    kept = _frequent(label)
    rows, place = np.flatnonzero(np.isin(label, kept)), np.unique(group, return_inverse=True)[1]
    parts = min(PARTS, len(np.unique(place[rows])))
    if len(rows) < FEWEST_SAMPLES or len(kept) < 2 or parts < 2 or not known.shape[1]:
        return doubt, suggested
    code = np.searchsorted(kept, label[rows])
    cuts = [_cut(place[rows], parts, np.random.default_rng(repeat)) for repeat in range(REPEATS)]
    learnt = [learnt_from_others(known[rows], code, part, parts) for part in cuts]
    some = np.linspace(0, len(rows) - 1, min(len(rows), MOST_TO_CALIBRATE)).astype(int)
    sharpness = _sharpness(_scores(known[rows[some]], cuts[0][some], learnt[0]), code[some])
    step = max(1, CHUNK_SCORES // len(kept))
    for start in range(0, len(rows), step):
        few = slice(start, start + step)
        asked = [_scores(known[rows[few]], part[few], every) for part, every in zip(cuts, learnt, strict=True)]
        doubt[rows[few]], best = _averaged(asked, code[few], sharpness)
        suggested[rows[few]] = np.where(np.isnan(doubt[rows[few]]), -1, kept[best])
    return doubt, suggested


def _frequent(label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels that are judged, ascending."""
    counts = np.bincount(label[label >= 0], minlength=1)
    most = np.argsort(-counts, kind="stable")[:MOST_LABELS]
    return np.sort(most[counts[most] >= FEWEST_OF_A_LABEL])


def _cut(place: NDArray[np.int64], parts: int, random: np.random.Generator) -> NDArray[np.int64]:
    """(N,) 0..parts-1, the same for samples of one group."""
    groups, own = np.unique(place, return_inverse=True)
    cut: NDArray[np.int64] = (random.permutation(len(groups)) % parts)[own]
    return cut


def _scores(known: NDArray[np.float32], part: NDArray[np.int64], learnt: list[Discriminant]) -> NDArray[np.float64]:
    """(N, C) by what the other parts taught."""
    scores = np.empty((len(known), len(learnt[0].offsets)))
    for number, others in enumerate(learnt):
        scores[part == number] = others.scores(known[part == number])
    return scores


def _sharpness(scores: NDArray[np.float64], code: NDArray[np.int64]) -> float:
    """What to multiply scores by, so that the labels are likeliest.

    Source: Guo et al. 2017, temperature scaling.
    """
    known = np.isfinite(_of(scores, code))
    likelihood = [_of(_log_probability(scores[known], sharpness), code[known]).sum() for sharpness in SHARPNESS]
    return float(SHARPNESS[int(np.argmax(likelihood))])


def _averaged(
    asked: list[NDArray[np.float64]], code: NDArray[np.int64], sharpness: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(N,) doubt and (N,) the likeliest label, over those repeats in which the given label was learnt."""
    total, times = np.zeros_like(asked[0]), np.zeros(len(code))
    for scores in asked:
        learnt = np.isfinite(_of(scores, code))
        total[learnt] += np.exp(_log_probability(scores[learnt], sharpness))
        times += learnt
    mean = np.divide(total, times[:, None], out=np.full_like(total, np.nan), where=times[:, None] > 0)
    return np.clip(1 - _of(mean, code), 0, 1), total.argmax(axis=1)


def _of(values: NDArray[np.float64], code: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N, C) -> (N,) that of each row's label."""
    return np.take_along_axis(values, code[:, None], axis=1)[:, 0]


def _log_probability(scores: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    sharp = scores * sharpness
    sharp -= sharp.max(axis=1, keepdims=True)
    log: NDArray[np.float64] = sharp - np.log(np.exp(sharp).sum(axis=1, keepdims=True))
    return log
