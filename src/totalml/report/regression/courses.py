"""Charts of the forecast beside the truth: of the sum of all series, and of the best, the middle and the worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.columns import BEFORE, SAID, SERIES, TIME
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.charts import Axes, Line, curve, figure, spread
from totalml.report.markup import Html, tag
from totalml.report.moments import moment, time_ticks
from totalml.values.shown import counted

PARTS = ("truth", *SAID, BEFORE)
EVEN = 0.8  # share of steps between neighbours in time that are alike, of samples that are one series
ALIKE = 0.1  # of the usual step: so are those of months
ROOM = 0.05  # of the range, above and below


@dataclass(frozen=True)
class Course:
    """One series in the order of time. Args: values: each of `PARTS`, (M,)."""

    times: Ints
    values: Mapping[str, Floats]

    @property
    def is_even(self) -> bool:
        steps = np.diff(self.times)
        usual = np.median(steps)
        return bool((np.abs(steps - usual) <= ALIKE * usual).mean() >= EVEN) and bool(usual > 0)

    def summed(self) -> Course:
        """What stands at one time added up; a part that one of them lacks is left out of all."""
        times, place = np.unique(self.times, return_inverse=True)
        known = {part: values if np.isfinite(values).all() else values * np.nan for part, values in self.values.items()}
        return Course(times, {part: np.bincount(place, values).astype(np.float64) for part, values in known.items()})


def courses(evaluation: RegressionEvaluation) -> list[Html]:
    """Of the first target; nothing where samples are of no series and at no even steps."""
    every = _course(evaluation, np.arange(evaluation.count))
    if not evaluation.per_series:
        return [tag("div", _chart(evaluation, "", every), class_="pair")] if every.is_even else []
    of_each = np.array(evaluation.predictions[SERIES].to_pylist(), object)
    drawn = [
        _chart(evaluation, f"{word} {name}", _course(evaluation, np.flatnonzero(of_each == name)))
        for name, word in _chosen(evaluation.per_series).items()
    ]
    if len(evaluation.per_series) == 1:
        return [tag("div", *drawn, class_="pair")]
    total = _chart(evaluation, f"all {len(evaluation.per_series):,} series added up", every.summed())
    text = (
        "Best, middle and worst are by MASE, or by the error where no series has one. The interval of the sum adds up "
        "those of the series: wider than need be, unless all err alike."
    )
    return [tag("p", text), tag("div", total, *drawn, class_="pair")]


def ranked(per_series: Mapping[str, Mapping[str, Interval]]) -> list[str]:
    """Names of the series, the best first; by MASE, where it is undefined last."""

    def place(name: str) -> tuple[bool, float, float]:
        mase, mae = per_series[name]["mase"].value, per_series[name]["mae"].value
        return mase is None, mase or 0.0, mae or 0.0

    return sorted(per_series, key=place)


def _chosen(per_series: Mapping[str, Mapping[str, Interval]]) -> dict[str, str]:
    """Series -> what it is an example of, each once; one that training did not know only where there is no other."""
    order = ranked(per_series)
    order = [name for name in order if per_series[name]["mase"].value is not None] or order
    if len(order) == 1:
        return {order[0]: ""}
    chosen = {order[0]: "best:"}
    chosen.setdefault(order[(len(order) - 1) // 2], "middle:")
    return {**chosen, order[-1]: "worst:"}


def _course(evaluation: RegressionEvaluation, rows: Ints) -> Course:
    times = evaluation.predictions[TIME].cast("int64").to_numpy()[rows]
    order = np.argsort(times, kind="stable")
    return Course(times[order], {part: evaluation.column(part)[rows[order], 0] for part in PARTS})


def _chart(evaluation: RegressionEvaluation, of_what: str, course: Course) -> Html:
    name, times, values = evaluation.targets[0], course.times, course.values
    unit = evaluation.unit_of(name)
    whole = np.concatenate([*values.values()])
    low, high = float(np.nanmin(whole)), float(np.nanmax(whole))
    room = ROOM * (high - low) or 0.5
    first, last = int(times[0]), int(times[-1])
    axes = Axes((first, last), (low - room, high + room), x_ticks=time_ticks(first, last))
    has_intervals = not np.isnan(values["lower"]).any()
    lines = [
        Line("ideal", "a season earlier", _points(times, values[BEFORE])),
        Line("true", "true", _points(times, values["truth"])),
        Line("first", "predicted", _points(times, values["value"])),
    ]
    lines = lines if np.isfinite(values[BEFORE]).any() else lines[1:]
    bounds = [*zip(times.tolist(), values["lower"].tolist(), values["upper"].tolist(), strict=True)]
    title = f"{name}, {of_what}" if of_what else name
    inside = (values["truth"] >= values["lower"]) & (values["truth"] <= values["upper"])
    held = f"; {inside.sum()} of {len(times)} truths inside the interval" if has_intervals else ""
    return figure(
        title,
        f"{title}: true and predicted from {moment(first)} to {moment(last)}, {counted(len(times), 'time')}{held}.",
        axes,
        ("", f"{name}, {unit}" if unit else name),
        *([spread(axes, bounds)] if has_intervals else []),
        *(curve(axes, line) for line in lines),
        legend=[*lines, *([Line("band", "interval", ())] if has_intervals else [])],
    )


def _points(times: Ints, values: Floats) -> list[tuple[float, float]]:
    return [*zip(times.tolist(), values.tolist(), strict=True)]
