"""Conditions for checks that deepchecks gives none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any


def outlier_ratio_less_or_equal(check: Any, samples: int, max_ratio: float = 0.05) -> None:
    """Of the pictures, by each property alone, such as brightness.

    Args: samples: how many are looked at.
    """
    from deepchecks.core import ConditionCategory, ConditionResult

    def judge(found: Mapping[str, Any]) -> Any:
        ratios = {name: len(one["outliers_identifiers"]) / samples for name, one in found.items() if _judged(one)}
        over = {name: ratio for name, ratio in ratios.items() if ratio > max_ratio}
        shown = ", ".join(f"{name} {ratio:.1%}" for name, ratio in sorted((over or ratios).items()))
        category = ConditionCategory.FAIL if over else ConditionCategory.PASS
        return ConditionResult(category, f"Share of pictures that are outliers: {shown}")

    check.add_condition(f"Outliers of each property are at most {max_ratio:.1%} of the pictures", judge)


def _judged(found: Any) -> bool:
    return not isinstance(found, str)


# class of a check -> name of a condition -> what adds it to a check
OURS: Mapping[str, Mapping[str, Callable[..., None]]] = {
    "ImagePropertyOutliers": {"outlier_ratio_less_or_equal": outlier_ratio_less_or_equal}
}


def ours(check: Any, samples: int) -> dict[str, Callable[..., None]]:
    """By name, those for a check."""
    return {name: partial(add, check, samples) for name, add in OURS.get(type(check).__name__, {}).items()}
