"""The probability from which on to say the positive class, chosen on the validation split to cost least."""

from collections.abc import Mapping, Sequence

import numpy as np

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.calibration.record import Threshold
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import wilson
from totalml.target import did_you_mean

Costs = Mapping[str, Mapping[str, float]]
MOST_POINTS = 101  # of the curve that is kept


def check_costs(costs: Costs | None, classes: Sequence[str]) -> None:
    """Raises: EvaluationError: a name is no class, a mistake has no cost, or there are not two classes."""
    if costs is None:
        return
    if len(classes) != 2:
        raise EvaluationError(
            f"evaluation.calibration.costs sets a threshold between two classes; there are {len(classes)}. Remove it."
        )
    for name in {*costs, *(said for row in costs.values() for said in row)}:
        if name not in classes:
            hint = did_you_mean(name, classes) or f"; the classes are {list(classes)}"
            raise EvaluationError(f"evaluation.calibration.costs names {name!r}, which is no class{hint}")
    for label, said in (classes, classes[::-1]):
        if costs.get(label, {}).get(said) is None:
            raise EvaluationError(
                f"evaluation.calibration.costs lacks the cost of saying {said!r} where the label is {label!r}. "
                f"Add it, e.g. {{{label}: {{{said}: 1}}}}."
            )


def choose_threshold(costs: Costs, classes: Sequence[str], validation: Scores, test: Scores, z: float) -> Threshold:
    """Args:
    validation, test: of two classes, with the positive one set.
    """
    positive = test.positive if test.positive is not None else 1
    matrix = np.array([[costs.get(label, {}).get(said, 0.0) for said in classes] for label in classes])
    thresholds, means = _curve(matrix, positive, validation)
    value = float(thresholds[_cheapest(thresholds, means, _expected(matrix, positive))])
    said = np.where(test.probabilities[:, positive] >= value, positive, 1 - positive)
    before, after = matrix[test.labels, test.predicted], matrix[test.labels, said]
    kept = np.unique(np.linspace(0, len(thresholds) - 1, MOST_POINTS).round().astype(np.int64))
    return Threshold(
        positive=classes[positive],
        value=value,
        default_cost=float(before.mean()),
        cost=float(after.mean()),
        saving=_saving(before - after, z),
        true_positive_rate=_share(said == positive, test.labels == positive, z),
        false_positive_rate=_share(said == positive, test.labels != positive, z),
        curve=tuple(zip(thresholds[kept].clip(max=1.0).tolist(), means[kept].tolist(), strict=True)),
    )


def _curve(matrix: Floats, positive: int, scores: Scores) -> tuple[Floats, Floats]:
    """Every threshold that tells samples apart, ascending, and the mean cost at each."""
    order = np.argsort(scores.probabilities[:, positive], kind="stable")
    values, labels = scores.probabilities[order, positive], scores.labels[order]
    # What each sample costs more once the threshold has passed it.
    change = matrix[labels, 1 - positive] - matrix[labels, positive]
    costs = np.concatenate([[0.0], change.cumsum()]) + matrix[labels, positive].sum()
    edges = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [np.nextafter(1.0, 2.0)]])
    apart = np.concatenate([[True], values[1:] > values[:-1], [True]])
    return edges[apart], costs[apart] / len(values)


def _cheapest(thresholds: Floats, means: Floats, expected: float) -> int:
    """Of the cheapest the one nearest to where a well calibrated model would have it."""
    cheapest = np.flatnonzero(means <= means.min() + 1e-12)
    return int(cheapest[np.abs(thresholds[cheapest] - expected).argmin()])


def _expected(matrix: Floats, positive: int) -> float:
    false_call = matrix[1 - positive, positive] - matrix[1 - positive, 1 - positive]
    miss = matrix[positive, 1 - positive] - matrix[positive, positive]
    return float(false_call / (false_call + miss)) if false_call + miss > 0 else 0.5


def _saving(differences: Floats, z: float) -> Interval:
    mean, spread = float(differences.mean()), z * float(differences.std()) / len(differences) ** 0.5
    return Interval(mean, mean - spread, mean + spread)


def _share(hit: Ints, among: Ints, z: float) -> Interval:
    hits, count = np.array([(hit & among).sum()]), np.array([among.sum()])
    if not count[0]:
        return Interval(None, note="the test split has no such sample")
    low, high = wilson(hits, count, z)
    return Interval(float(hits[0] / count[0]), float(low[0]), float(high[0]))
