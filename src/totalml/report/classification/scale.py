"""One bar from 0 to 100 %: how far the model got, between the simplest answer and the best possible one."""

from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.interval import Interval
from totalml.report.classification.baseline import Baseline
from totalml.report.markup import Html, joined, name_of, tag
from totalml.report.number_format import interval, percent


def scale(evaluation: ClassificationEvaluation, simple: Baseline) -> Html:
    """The bar is for the eye; the list below it says the same in figures."""
    accuracy, best = evaluation.metrics["accuracy"], evaluation.metrics.get("best_possible_accuracy")
    value = accuracy.value or 0.0
    parts = [tag("span", class_="fill", style=f"width:{100 * value:.2f}%")]
    keys = [_key("fill", "This model", percent(value))]
    if accuracy.low is not None:
        parts.append(_band(accuracy))
        keys.append(_key("band", f"{percent(evaluation.confidence, 0)} interval", interval("accuracy", accuracy)))
    parts.append(_mark("simple", simple.accuracy))
    keys.append(_key("simple", joined("Always ", name_of(simple.label, 24)), percent(simple.accuracy)))
    if best is not None and best.value is not None:
        parts.append(_mark("best", best.value))
        keys.append(_key("best", "Best possible", percent(best.value)))
    bar = tag("div", *parts, class_="bar", aria_hidden="true")
    return tag("div", bar, tag("ul", *keys, class_="keys"), class_="scale")


def _band(accuracy: Interval) -> Html:
    low, high = accuracy.low or 0.0, accuracy.high or 0.0
    # An interval of no width must still be seen.
    return tag("span", class_="band", style=f"left:{100 * low:.2f}%;width:{max(0.4, 100 * (high - low)):.2f}%")


def _mark(kind: str, share: float) -> Html:
    return tag("span", class_=f"mark {kind}", style=f"left:{100 * share:.2f}%")


def _key(kind: str, title: str, value: str) -> Html:
    return tag("li", tag("span", class_=f"swatch {kind}", aria_hidden="true"), tag("span", title, " ", tag("b", value)))
