"""What was found about the confidence, and the threshold that a cost matrix asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from totalml.evaluation.interval import Interval


@dataclass(frozen=True)
class CalibrationBin:
    """Samples whose confidence lies in [low, high); `confidence` and `accuracy` are None in an empty bin."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Temperature:
    """One number that all logits are divided by, fitted on the validation split.

    Args:
        value: above 1 where the model is too sure; None, and nothing is scaled, where validation cannot tell.
        ece, log_loss: on the test split as it is, and `scaled` by the temperature.
        bins: of the scaled confidence on the test split.
    """

    value: Interval
    ece: float
    ece_scaled: float
    log_loss: float
    log_loss_scaled: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True)
class Threshold:
    """From which probability of the positive class on to say it, so that mistakes cost least.

    Args:
        value: chosen on the validation split, of the probability as the model gives it; above 1: never.
        default_cost, cost: mean of a test sample, of the likeliest class and with the threshold.
        saving: default_cost - cost.
        true_positive_rate, false_positive_rate: on the test split with the threshold.
        curve: (threshold, mean cost on the validation split).
    """

    positive: str
    value: float
    default_cost: float
    cost: float
    saving: Interval
    true_positive_rate: Interval
    false_positive_rate: Interval
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Calibration:
    """Args:
    sureness: mean confidence minus accuracy on the test split; above 0 is too sure.
    off: whether the nearer bound of that is beyond the recipe's tolerance.
    threshold: None without a cost matrix.
    """

    sureness: Interval
    tolerance: float
    off: bool
    temperature: Temperature
    threshold: Threshold | None

    def figures(self) -> dict[str, Interval]:
        """`calibration.sureness`, `.temperature`, `.ece_scaled`, and with a cost matrix `.saving`."""
        found = {
            "sureness": self.sureness,
            "temperature": self.temperature.value,
            "ece_scaled": Interval(self.temperature.ece_scaled),
        }
        if self.threshold:
            found["saving"] = self.threshold.saving
        return {f"calibration.{name}": metric for name, metric in found.items()}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        read = {
            "sureness": Interval(**values["sureness"]),
            "temperature": _temperature(values["temperature"]),
            "threshold": _threshold(values["threshold"]) if values["threshold"] else None,
        }
        return cls(**{**values, **read})


def _temperature(values: Mapping[str, Any]) -> Temperature:
    bins = tuple(CalibrationBin(**one) for one in values["bins"])
    return Temperature(**{**values, "value": Interval(**values["value"]), "bins": bins})


def _threshold(values: Mapping[str, Any]) -> Threshold:
    names = ("saving", "true_positive_rate", "false_positive_rate")
    intervals = {name: Interval(**values[name]) for name in names}
    curve = tuple((threshold, cost) for threshold, cost in values["curve"])
    return Threshold(**{**values, **intervals, "curve": curve})
