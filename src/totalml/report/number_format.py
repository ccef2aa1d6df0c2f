"""Numbers as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.evaluation.record import Interval

THIN = "\N{NARROW NO-BREAK SPACE}"
MISSING = "–"
TITLES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "auroc": "AUROC",
    "average_precision": "Average precision",
    "ece": "Calibration error",
    "accuracy_against_gold": "Against true labels",
    "best_possible_accuracy": "Best possible accuracy",
    "exact_match": "All labels right",
    "hamming_accuracy": "Labels right",
    "f1_macro": "F1, mean of labels",
    "f1_micro": "F1, all labels",
    "auroc_macro": "AUROC, mean of labels",
    "average_precision_macro": "Average precision, mean of labels",
    "precision": "Precision",
    "recall": "Recall",
    "support": "Samples",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "r2": "R²",
    "bias": "Bias",
    "mase": "MASE",
    "skill": "Skill against last season",
    "coverage": "Truths inside the interval",
    "interval_width": "Width of the interval",
}
SHARES = {
    "accuracy",
    "balanced_accuracy",
    "ece",
    "accuracy_against_gold",
    "best_possible_accuracy",
    "exact_match",
    "hamming_accuracy",
    "precision",
    "recall",
    "coverage",
}
IN_UNITS = {"mae", "rmse", "bias", "interval_width"}
MINUS = "\N{MINUS SIGN}"


def title(name: str) -> str:
    """Of a metric; one that a recipe brings along is called as the recipe calls it."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}{THIN}%"


def of_hundred(share: float, count: int = 100) -> str:
    """`87 of 100`; never all or 0 unless it is exactly that.

    Args: count: samples that it is a share of; fewer than 100 are told as they are: `24 of 26`.
    """
    whole = min(count, 100)
    rounded = round(whole * share)
    if rounded == whole and share < 1:
        return f"more than {whole - 1} of {whole}"
    if rounded == 0 and share > 0:
        return f"fewer than 1 of {whole}"
    return f"{rounded} of {whole}"


def figure(name: str, value: float, unit: str = "") -> str:
    """A metric in its unit: shares in percent, errors in that of the target, areas and F1 as they are."""
    if name in IN_UNITS:
        return quantity(value, unit)
    return percent(value) if name in SHARES else _plain(value)


def interval(name: str, metric: Interval, unit: str = "") -> str:
    """`84.1 to 88.9 %`, empty without bounds, and of intervals that are all as wide."""
    if metric.low is None or metric.high is None or (name == "interval_width" and metric.low == metric.high):
        return ""
    if name in SHARES:
        return f"{100 * metric.low:.1f} to {percent(metric.high)}"
    if name in IN_UNITS:
        return f"{quantity(metric.low)} to {quantity(metric.high, unit)}"
    return f"{_plain(metric.low)} to {_plain(metric.high)}"


def _plain(value: float) -> str:
    return f"{value:.3f}".replace("-", MINUS)


def quantity(value: float, unit: str = "", sign: str = "") -> str:
    """`12.3 mm`: three digits, thousands whole, `1.23 million EUR`.

    Args: sign: `+` shows it of positive ones too.
    """
    size = abs(value)
    if 999_999.5 <= size < 999.5e6:
        shown = f"{value / 1e6:{sign}.3g} million"
    else:
        shown = f"{value:{sign},.0f}" if 1000 <= size < 1e12 else f"{value:{sign}.3g}"
    return f"{shown.replace('-', MINUS)}{THIN if unit else ''}{unit}"


def times(count: float) -> str:
    """`once`, `twice`, `3 times`."""
    return {1.0: "once", 2.0: "twice"}.get(count, f"{count:,.12g} times")


def points(share: float) -> str:
    """A difference of shares: `+1.5`, `−12.0`."""
    return f"{100 * share:+.1f}".replace("-", MINUS)


def points_interval(metric: Interval) -> str:
    """`−20.1 to −3.0`, empty without bounds."""
    return "" if metric.low is None or metric.high is None else f"{points(metric.low)} to {points(metric.high)}"


def chance(share: float) -> str:
    """A p-value; a large one in words, since its digits say nothing."""
    if share >= 0.5:
        return f"over 50{THIN}%"
    return f"under 0.1{THIN}%" if share < 0.001 else percent(share, 1 if share < 0.1 else 0)


def duration(seconds: float) -> str:
    # 59.96 is a minute, not 60.0 s.
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}{THIN}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{THIN}h {minutes}{THIN}min" if hours else f"{minutes}{THIN}min {rest}{THIN}s"
