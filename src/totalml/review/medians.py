"""Several people's numbers become one: their median, where enough of them lie near it.

The median moves little where one of many is far off, as by a slip of the finger or in another unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isclose
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe

Numbers = Mapping[str, float | None]  # target -> what is said; None: it is not known


def are_numbers(labels: Sequence[Mapping[str, Any]]) -> bool:
    known = [value for label in labels for value in label.values() if value is not None]
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def agreed_numbers(labels: Sequence[Numbers], settings: ReviewRecipe) -> tuple[dict[str, float | None], float, bool]:
    """The median of each target, what share of people are near all of them, and whether that decides.

    Args: labels: of each person, with the same targets; who does not know one is near whatever is said of it.
    """
    middle: dict[str, float | None] = {}
    is_near = [True] * len(labels)
    for name in labels[0]:
        said = [label[name] for label in labels]
        known = [float(each) for each in said if each is not None]
        middle[name] = median(known) if known else None
        tolerance = settings.tolerance.get(name, 0.0)
        is_near = [
            near and (each is None or _near(each, median(known), tolerance))
            for near, each in zip(is_near, said, strict=True)
        ]
    share = sum(is_near) / len(labels)
    return middle, share, share == 1 if settings.policy == "unanimous" else share > 0.5


def _near(said: float, middle: float, tolerance: float) -> bool:
    off = abs(said - middle)
    # 10.3 is 0.10000000000000142 from 10.2.
    return off <= tolerance or isclose(off, tolerance, rel_tol=1e-9)
