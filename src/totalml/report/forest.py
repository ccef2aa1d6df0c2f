"""A value with its interval as a small drawing for a cell of a table, so that rows can be compared at a glance."""

from totalml.evaluation.record import Interval
from totalml.report.markup import Html, tag

WIDTH, HEIGHT, EDGE = 150, 18, 6


def forest(metric: Interval, reference: float, least: float, kind: str, most: float = 1.0) -> Html:
    """Args:
    reference: drawn as an upright line.
    least, most: where the drawing begins and ends.
    kind: CSS class of the dot and its line.
    """

    def across(value: float) -> str:
        return f"{EDGE + (value - least) / max(most - least, 1e-9) * (WIDTH - 2 * EDGE):.1f}"

    value, middle = metric.value or 0.0, HEIGHT / 2
    low, high = across(metric.low or 0.0), across(metric.high or 0.0)
    return tag(
        "svg",
        tag("line", x1=across(reference), x2=across(reference), y1=0, y2=HEIGHT, class_="upright"),
        tag("path", d=f"M{low} {middle}H{high}", class_=f"line span {kind}"),
        tag("circle", cx=across(value), cy=middle, r=4, class_=f"dot {kind}"),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        class_="forest",
        aria_hidden="true",
    )
