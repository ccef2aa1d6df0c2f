"""How far a value is from what was expected of it, in words, also where nobody would read it as a number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.release.periods import Scale

THOUSAND, BILLION = math.log(1e3), math.log(1e9)


def how_far(scale: Scale, news: float) -> str:
    """Args: news: difference of values as the scale takes them: logarithms, or the values themselves."""
    way = "higher" if news > 0 else "lower"
    if scale.floor is None:
        return f"{abs(news):.3g} {way}"
    if news > THOUSAND:
        return f"more than a thousand times {way}"
    return f"{abs(math.expm1(news)):.0%} {way}"


def times_as_much(news: float) -> str:
    """Args: news: a difference of logarithms. Beyond a billion it is no unit that anybody counts in."""
    if abs(news) > BILLION:
        return "more than a billion times" if news > 0 else "less than a billionth of"
    return f"about {math.exp(news):.3g} times"
