"""One bar from 0 to 100 %: how far a model got, between the simplest answer and the best possible one."""

from totalml.evaluation.interval import Interval
from totalml.report.markup import Html, joined, tag
from totalml.report.number_format import interval, percent


def scale_bar(name: str, reached: Interval, confidence: float, simple: tuple[str, float], best: float | None) -> Html:
    """The bar is for the eye; the list below it says the same in figures.

    Args:
        name: of the metric, a share.
        confidence: of its interval.
        simple: the simplest answer, and what it reaches.
    """
    value, (title, simply) = reached.value or 0.0, simple
    parts = [tag("span", class_="fill", style=f"width:{100 * value:.2f}%")]
    keys = [_key("fill", "This model", percent(value))]
    if reached.low is not None:
        parts.append(_band(reached))
        keys.append(_key("band", f"{percent(confidence, 0)} interval", interval(name, reached)))
    parts.append(_mark("simple", simply))
    keys.append(_key("simple", joined("Always ", title), percent(simply)))
    if best is not None:
        parts.append(_mark("best", best))
        keys.append(_key("best", "Best possible", percent(best)))
    bar = tag("div", *parts, class_="bar", aria_hidden="true")
    return tag("div", bar, tag("ul", *keys, class_="keys"), class_="scale")


def _band(reached: Interval) -> Html:
    low, high = reached.low or 0.0, reached.high or 0.0
    # An interval of no width must still be seen.
    return tag("span", class_="band", style=f"left:{100 * low:.2f}%;width:{max(0.4, 100 * (high - low)):.2f}%")


def _mark(kind: str, share: float) -> Html:
    return tag("span", class_=f"mark {kind}", style=f"left:{100 * share:.2f}%")


def _key(kind: str, title: str, value: str) -> Html:
    return tag("li", tag("span", class_=f"swatch {kind}", aria_hidden="true"), tag("span", title, " ", tag("b", value)))
