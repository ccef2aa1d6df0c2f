"""Plots as inline SVG, drawn in the page's own colours so that they follow light and dark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from totalml.report.markup import Html, joined, tag

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 16, 44
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
# More points than pixels draw the same line and cost bytes.
MOST_POINTS = 300


@dataclass(frozen=True)
class Line:
    """One curve: `kind` is its CSS class, which gives colour and dash."""

    kind: str
    title: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axes:
    """Data ranges mapped onto the plot.

    Args:
        percent: writes the y ticks as shares.
        x_ticks: where they stand and what they say; None: round numbers.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    percent: bool = False
    x_ticks: Sequence[tuple[float, str]] | None = None

    def across(self) -> Sequence[tuple[float, str]]:
        if self.x_ticks is not None:
            return self.x_ticks
        return [(x, _tick(x, self.percent and self.x[1] <= 1)) for x in ticks(*self.x)]

    def place(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers within [low, high], about `count` of them; falling ones where high is the lower."""
    if high < low:
        return ticks(high, low, count)[::-1]
    if high == low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(step * n, 12) for n in range(first, last + 1)]


def figure(title: str, alt: str, axes: Axes, labels: tuple[str, str], *drawn: str, legend: Sequence[Line] = ()) -> Html:
    """A titled plot.

    Args:
        alt: what a person who cannot see it should know.
        labels: of the x and the y axis.
    """
    svg = tag(
        "svg",
        _grid(axes, labels),
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=alt,
    )
    keys = [tag("li", _sample(line.kind), line.title) for line in legend]
    return tag("figure", tag("figcaption", title), svg, tag("ul", *keys, class_="keys") if keys else "", class_="plot")


def curve(axes: Axes, line: Line) -> Html:
    """The finite points of a line; a lone point is a dot."""
    finite = [(x, y) for x, y in line.points if math.isfinite(y)]
    stride = max(1, math.ceil(len(finite) / MOST_POINTS))
    placed = [axes.place(x, y) for x, y in finite[::stride]]
    if len(placed) == 1:
        return dot(placed[0], line.kind, 3.5)
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in placed) if placed else ""
    return tag("path", d=path, class_=f"line {line.kind}")


def dot(place: tuple[float, float], kind: str, radius: float, title: str | None = None) -> Html:
    inside = [tag("title", title)] if title else []
    return tag("circle", *inside, cx=f"{place[0]:.1f}", cy=f"{place[1]:.1f}", r=f"{radius:.1f}", class_=f"dot {kind}")


def cloud(axes: Axes, points: Sequence[tuple[float, float]]) -> Html:
    """Many points as one path: a circle for each would make the page large."""
    placed = [axes.place(x, y) for x, y in points]
    return tag("path", d="".join(f"M{x:.1f} {y:.1f}h0" for x, y in placed), class_="cloud")


def column(axes: Axes, left: float, right: float, height: float, title: str) -> Html:
    """A bar from the ground up, from one x to another."""
    (x, top), (end, ground) = axes.place(left, height), axes.place(right, 0.0)
    wide, high = f"{end - x - 1:.1f}", f"{ground - top:.1f}"
    return tag("rect", tag("title", title), x=f"{x:.1f}", y=f"{top:.1f}", width=wide, height=high, class_="column")


def spread(axes: Axes, bounds: Sequence[tuple[float, float, float]], kind: str = "spread") -> Html:
    """An area behind a line: x, and from where to where its y may lie."""
    there = [axes.place(x, low) for x, low, _ in bounds]
    back = [axes.place(x, high) for x, _, high in reversed(bounds)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [*there, *back]) + "Z"
    return tag("path", d=path, class_=kind)


def upright(axes: Axes, x: float, title: str) -> Html:
    """A dashed vertical line with its name."""
    across, _ = axes.place(x, axes.y[0])
    late = across > WIDTH * 0.7
    line = tag("line", x1=f"{across:.1f}", x2=f"{across:.1f}", y1=TOP, y2=HEIGHT - BOTTOM, class_="upright")
    at = across - 5 if late else across + 5
    return joined(line, tag("text", title, x=f"{at:.1f}", y=TOP + 10, text_anchor="end" if late else "start"))


def _grid(axes: Axes, labels: tuple[str, str]) -> Html:
    drawn = []
    for y in ticks(*axes.y):
        _, at = axes.place(axes.x[0], y)
        drawn.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=f"{at:.1f}", y2=f"{at:.1f}", class_="grid"))
        drawn.append(tag("text", _tick(y, axes.percent), x=LEFT - 7, y=f"{at + 4:.1f}", text_anchor="end"))
    for x, label in axes.across():
        at, _ = axes.place(x, axes.y[0])
        drawn.append(tag("text", label, x=f"{at:.1f}", y=HEIGHT - BOTTOM + 18, text_anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn.append(tag("text", labels[0], x=middle, y=HEIGHT - 6, text_anchor="middle", class_="axis"))
    up = (TOP + HEIGHT - BOTTOM) / 2
    drawn.append(
        tag("text", labels[1], transform=f"translate(13 {up}) rotate(-90)", text_anchor="middle", class_="axis")
    )
    return joined(*drawn)


def _tick(value: float, percent: bool) -> str:
    if percent:
        return f"{100 * value:.0f}%"
    # Beside the axis there is room for a sign and four digits: with five they reach the name of the axis.
    if abs(value) < 1e4:
        return f"{value:g}"
    size, unit = next(each for each in UNITS if abs(value) >= each[0])
    return f"{value / size:g}{unit}"


def _sample(kind: str) -> Html:
    line = tag("path", d="M0 6H26", class_=f"line {kind}")
    return tag("svg", line, viewBox="0 0 26 12", class_="key", aria_hidden="true")
