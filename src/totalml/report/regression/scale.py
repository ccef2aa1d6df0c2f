"""One bar from no error to that of one answer for all: how much of the way the model is off."""

from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.markup import Html, tag
from totalml.report.number_format import interval, percent, quantity

ROOM = 1.1  # beyond the larger of the two errors


def scale(evaluation: RegressionEvaluation) -> Html:
    """The bar is for the eye; the list below it says the same in figures."""
    mae, unit = evaluation.metrics["mae"], evaluation.unit
    value, low, high = mae.value or 0.0, mae.low, mae.high
    whole = ROOM * max(value, high or 0.0, evaluation.always_mae) or 1.0
    parts = [tag("span", class_="fill", style=f"width:{100 * value / whole:.2f}%")]
    keys = [_key("fill", "Error of this model", quantity(value, unit))]
    if low is not None and high is not None:
        # An interval of no width must still be seen.
        wide = max(0.4, 100 * (high - low) / whole)
        parts.append(tag("span", class_="band", style=f"left:{100 * low / whole:.2f}%;width:{wide:.2f}%"))
        keys.append(_key("band", f"{percent(evaluation.confidence, 0)} interval", interval("mae", mae, unit)))
    parts.append(tag("span", class_="mark simple", style=f"left:{100 * evaluation.always_mae / whole:.2f}%"))
    keys.append(_key("simple", "One answer for all", quantity(evaluation.always_mae, unit)))
    bar = tag("div", *parts, class_="bar", aria_hidden="true")
    return tag("div", bar, tag("ul", *keys, class_="keys"), class_="scale")


def _key(kind: str, title: str, value: str) -> Html:
    return tag("li", tag("span", class_=f"swatch {kind}", aria_hidden="true"), tag("span", title, " ", tag("b", value)))
