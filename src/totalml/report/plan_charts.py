"""Response curves with where one stands, and what each lever brought over time."""

from datetime import UTC, datetime

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.plan.certainty import interval_of
from totalml.plan.lever import Lever
from totalml.plan.record import Plan
from totalml.report.charts import Axes, Line, curve, dot, figure, spread, upright
from totalml.report.markup import Html, joined, tag
from totalml.report.number_format import quantity

COLOURS = 7  # of the page's stylesheet; more levers begin again
BASE = "base"
TICKS = (0.08, 0.36, 0.64, 0.92)  # shares of the time, where a date stands


def curves(record: Plan) -> Html:
    """One plot a lever: what each amount brings, to what is done now."""
    return tag("div", *(response(record, lever) for lever in record.levers), class_="pair")


def response(record: Plan, lever: Lever) -> Html:
    """The plot of one lever."""
    gains, spent = lever.gains(record.value), lever.costs
    shown = [interval_of(each, record.confidence) for each in gains]
    middle = np.array([each.value or 0.0 for each in shown])
    bounds = [(x, each.low or 0.0, each.high or 0.0) for x, each in zip(spent.tolist(), shown, strict=True)]
    true = _true(record, lever)
    lows, highs = ([bound[end] for bound in bounds] for end in (1, 2))
    heights = [*middle.tolist(), *(lows + highs if shown[0].low is not None else ()), *(() if true is None else true)]
    ends = (float(spent[0]), float(spent[-1]))
    axes = Axes(ends, _range(heights))
    line = Line("first", "what the model says", list(zip(spent.tolist(), middle.tolist(), strict=True)))
    lines = [line]
    if true is not None:
        lines.append(Line("ideal", "the truth", list(zip(spent.tolist(), true.tolist(), strict=True))))
    factor, unit = record.advice.factors[lever.name], f", {record.unit}" if record.unit else ""
    advised = axes.place(lever.cost * factor, float(np.interp(factor, lever.grid, middle)))
    asked = f"from {quantity(ends[0])} to {quantity(ends[1], record.unit)}"
    found = f"{quantity(float(middle[0]), record.unit, '+')} to {quantity(float(middle[-1]), record.unit, '+')}"
    return figure(
        lever.name,
        f"What {lever.name} brings, {asked}: {found}.",
        axes,
        (f"{lever.name}{unit}", f"brings more than now{unit}"),
        spread(axes, bounds) if shown[0].low is not None else "",
        *(curve(axes, each) for each in lines[::-1]),
        upright(axes, lever.cost, "now"),
        dot(advised, "first" if factor == 1 else "second", 5, f"advised: {quantity(lever.cost * factor, record.unit)}"),
        legend=lines,
    )


def _true(record: Plan, lever: Lever) -> Floats | None:
    if record.truth is None:
        return None
    return next(each.gains(record.value)[:, 0] for each in record.truth.levers if each.name == lever.name)


def brought(record: Plan) -> Html:
    """Stacked areas: what would be without any lever, and each lever's part on top."""
    parts = record.contributions
    layers = {BASE: np.array(parts.base), **{name: np.array(each) for name, each in parts.levers.items()}}
    tops = np.cumsum([*layers.values()], axis=0)
    if len(parts.starts) < 2:
        return tag("p", "There is one period only, so there is no course of it to draw.")
    last = len(parts.starts) - 1
    days = [str(datetime.fromtimestamp(at / 1e6, UTC).date()) for at in parts.starts]
    marks = [(float(at), days[at]) for at in sorted({round(last * share) for share in TICKS})]
    axes = Axes((0.0, float(last)), (min(0.0, float(tops.min())), 1.03 * float(tops.max())), x_ticks=marks)
    below, drawn, legend = np.zeros(len(parts.starts)), [], []
    for place, (name, top) in enumerate(zip(layers, tops, strict=True)):
        kind = BASE if name == BASE else f"layer{(place - 1) % COLOURS}"
        bounds = [(float(x), float(low), float(high)) for x, (low, high) in enumerate(zip(below, top, strict=True))]
        drawn.append(spread(axes, bounds, f"layer {kind}"))
        legend.append(Line(f"layer {kind}", "without any lever" if name == BASE else name, ()))
        below = top
    shares = ", ".join(f"{name} {quantity(total.value or 0.0)}" for name, total in parts.totals.items())
    unit = f", {record.target_unit}" if record.target_unit else ""
    text = f"What is predicted of {record.target}{unit}, for the test split, and what each lever brought: {shares}."
    picture = figure(
        f"{record.target} by period",
        f"Stacked areas from {days[0]} to {days[-1]}: {text}",
        axes,
        ("", f"{record.target}{unit}"),
        *drawn,
        legend=legend,
    )
    return joined(tag("p", text), tag("div", picture, class_="pair"))


def _range(heights: list[float]) -> tuple[float, float]:
    low, high = min(heights), max(heights)
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room
