"""Parallel coordinates: an axis for each parameter and one for the metric, a line for each job.

The axes lie, one below the other, so that long names and narrow screens do not hurt.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from totalml.report.markup import Html, tag
from totalml.sweep.job_format import shown
from totalml.sweep.record import Job, SweepRecord
from totalml.sweep.scales import Scale, scale_of, scale_of_numbers

WIDTH, LEFT, RIGHT = 460, 16, 16
FIRST, STEP, LAST = 40, 92, 34  # first axis, from axis to axis, below the last one
MOST_LINES = 400
SPREAD = 12.0  # jobs of one value lie side by side within this width
LABEL_WIDTH = 7.6  # of a character


def parallel(record: SweepRecord, keys: Sequence[str]) -> Html:
    """The plot of all jobs that have a metric, best ones in front."""
    jobs = [job for job in record.ranked() if job.metric is not None][:MOST_LINES]
    scales = [scale_of(key, [job.parameters.get(key, "") for job in jobs]) for key in keys]
    metric = record.metric.replace("_", " ")
    values = [job.metric for job in jobs if job.metric is not None]
    reached = scale_of_numbers(f"{metric}, best to the right", values, record.direction == "minimize")
    height = FIRST + STEP * len(keys) + LAST
    rows = list(enumerate([*scales, reached]))
    axes = [_axis(scale, FIRST + STEP * row) for row, scale in rows]
    labels = [_labels(scale, FIRST + STEP * row) for row, scale in rows]
    places = _places(jobs, keys, scales, reached)
    # Drawn last is in front.
    lines = [_line(job, places[job.number], rank, len(jobs)) for rank, job in enumerate(jobs)][::-1]
    alt = f"{len(jobs)} jobs over {len(keys)} parameters and {metric}; the table below has the same figures."
    box = f"0 0 {WIDTH} {height}"
    return tag("svg", *axes, *lines, *labels, viewBox=box, role="img", aria_label=alt, class_="parallel")


def _metric(job: Job) -> str:
    return repr(job.metric)


def _places(
    jobs: Sequence[Job], keys: Sequence[str], scales: Sequence[Scale], reached: Scale
) -> dict[int, list[float]]:
    """Job number -> where its line crosses each axis, across the picture."""
    across: dict[int, list[float]] = {job.number: [] for job in jobs}
    for key, scale in zip(keys, scales, strict=True):
        same: dict[str, list[int]] = {}
        for job in jobs:
            same.setdefault(job.parameters.get(key, ""), []).append(job.number)
        for value, alike in same.items():
            for number, place in zip(alike, _side_by_side(len(alike)), strict=True):
                across[number].append(_across(scale.place(value)) - place)
    for job in jobs:
        across[job.number].append(_across(reached.place(_metric(job))))
    return across


def _side_by_side(count: int) -> list[float]:
    if count == 1:
        return [0.0]
    return [SPREAD * (number / (count - 1) - 0.5) for number in range(count)]


def _across(place: float) -> float:
    return LEFT + SPREAD / 2 + place * (WIDTH - LEFT - RIGHT - SPREAD)


def _axis(scale: Scale, at: int) -> Html:
    line = tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="axis-line")
    places = [f"{_across(place):.1f}" for place, _ in scale.marks]
    marks = [tag("line", x1=place, x2=place, y1=at - 4, y2=at + 4, class_="axis-line") for place in places]
    return tag("g", line, *marks)


def _labels(scale: Scale, at: int) -> Html:
    room = int((WIDTH - LEFT - RIGHT) / LABEL_WIDTH / max(1, len(scale.marks)))
    marks = [_mark(_cut(label, room), place, at) for place, label in scale.marks]
    return tag("g", tag("text", scale.title, x=LEFT, y=at - 13, class_="name"), *marks)


def _mark(label: str, place: float, at: int) -> Html:
    across = f"{_label_at(place):.1f}"
    return tag("text", label, x=across, y=at + 19, text_anchor=_anchor(place), class_="mark")


def _label_at(place: float) -> float:
    return {"start": LEFT, "end": WIDTH - RIGHT}.get(_anchor(place), _across(place))


def _anchor(place: float) -> str:
    return "start" if place < 0.04 else "end" if place > 0.96 else "middle"


def _cut(label: str, room: int) -> str:
    return label if len(label) <= room else f"{label[: max(1, room - 1)]}…"


def _line(job: Job, places: Sequence[float], rank: int, count: int) -> Html:
    points = [(place, FIRST + STEP * row) for row, place in enumerate(places)]
    path = f"M{points[0][0]:.1f} {points[0][1]}"
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        path += f"C{x0:.1f} {middle:.0f} {x1:.1f} {middle:.0f} {x1:.1f} {y1}"
    kind = "best" if rank == 0 else "top" if rank < count / 3 else "rest"
    title = tag("title", f"job {job.number}: {shown(job.parameters)}: {job.metric:.4g}")
    return tag("path", title, d=path, class_=f"job {kind}")
