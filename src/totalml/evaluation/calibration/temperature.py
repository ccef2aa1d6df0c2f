"""Temperature scaling: one number, fitted on the validation split, that makes a model as sure as it is right.

The logits are known from the probabilities up to a constant, which no softmax sees. Source: Guo et al. 2017.
"""

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.interval import Interval

COLDEST, HOTTEST = 0.05, 20.0
LEAST = 1e-38  # float32 probabilities below it are 0
STEPS = 60
CLOSE = 1e-10


def fit_temperature(probabilities: Floats, labels: Ints, z: float) -> Interval:
    """The temperature of least log loss, with bounds from the curvature there.

    Args:
        probabilities, labels: (V, K) and (V,), of the validation split.
        z: half the width of the interval in standard errors.
    """
    logs = _logs(probabilities)
    low, high = 1 / HOTTEST, 1 / COLDEST
    cold = 1.0  # 1 / temperature, in which the loss is convex
    for _ in range(STEPS):
        slope, curvature = _derivatives(logs, labels, cold)
        low, high = (cold, high) if slope < 0 else (low, cold)
        step = cold - slope / curvature if curvature > 0 else low
        following = step if low < step < high else (low * high) ** 0.5
        if abs(following - cold) < CLOSE:
            break
        cold = following
    if not 1.1 / HOTTEST < cold < 0.9 / COLDEST:
        return Interval(None, note="the validation split sets no bound to it, as where nothing in it is wrong")
    spread = z / (len(labels) * curvature) ** 0.5
    coldest, hottest = min(cold + spread, 1 / COLDEST), max(cold - spread, 1 / HOTTEST)
    return Interval(1 / cold, 1 / coldest, 1 / hottest)


def scaled(probabilities: Floats, temperature: float) -> Floats:
    """(N, K), each row adds up to 1; the order within a row stays."""
    return _softmax(_logs(probabilities) / temperature)


def log_loss(probabilities: Floats, labels: Ints) -> float:
    return float(-_logs(probabilities)[np.arange(len(labels)), labels].mean())


def _derivatives(logs: Floats, labels: Ints, cold: float) -> tuple[float, float]:
    """First and second derivative of the mean log loss."""
    said = _softmax(logs * cold)
    mean = (said * logs).sum(axis=1)
    variance = (said * (logs - mean[:, None]) ** 2).sum(axis=1)
    return float((mean - logs[np.arange(len(labels)), labels]).mean()), float(variance.mean())


def _logs(probabilities: Floats) -> Floats:
    logs: NDArray[np.float64] = np.log(probabilities.clip(min=LEAST))
    return logs


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Floats = raised / raised.sum(axis=1, keepdims=True)
    return result
