"""How accuracy falls as pictures get worse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from totalml.evaluation.record import Interval
from totalml.evaluation.robustness.record import Point, Robustness
from totalml.report.charts import Axes, Line, curve, dot, figure, spread
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, section, table, tag
from totalml.report.number_format import THIN, interval, percent, points, points_interval
from totalml.report.pictures import thumbnails
from totalml.report.task_parts import parts_of
from totalml.values.shown import counted

CHOSEN_AMONG = 32  # test pictures, of which one is shown
Place = tuple[float, Interval]  # strength and accuracy


@dataclass(frozen=True)
class Way:
    """One way of getting worse, in words.

    Args:
        noun: for the middle of a sentence.
        unit: of the axis.
        unchanged: where the axis has the pictures as they are.
        written: a strength as people say it.
    """

    title: str
    noun: str
    unit: str
    unchanged: float
    written: Callable[[float], str]


WAYS = {
    "blur": Way(
        "Blur", "blur", "blur, share of the picture's side", 0, lambda part: f"{100 * part:g}{THIN}% of the side"
    ),
    "noise": Way("Noise", "noise", "noise, grey levels of 255", 0, lambda levels: f"±{levels:g}"),
    "dark": Way("Too dark", "darkness", "stops less light", 0, lambda stops: counted_stops(stops)),
    "jpeg": Way("Compression", "JPEG compression", "JPEG quality", 100, lambda quality: f"JPEG {quality:g}"),
    "rotation": Way("Tilt", "tilt", "degrees to either side", 0, lambda degrees: f"{degrees:g}°"),
}


def counted_stops(stops: float) -> str:
    return f"{stops:g} stop" if stops == 1 else f"{stops:g} stops"


def told(content: ReportContent) -> Html | str:
    """What costs most, in one sentence for the first screen."""
    record = content.robustness
    if record is None:
        return ""
    worst, way = record.worst, WAYS[record.worst.kind]
    if (worst.drop.low or 0.0) <= 0:
        ways = ", ".join(WAYS[kind].noun for kind in record.curves)
        return f"Worse pictures ({ways}) change nothing that {counted(record.samples, content.noun)} could show."
    strength = way.written(record.curves[worst.kind][worst.place - 1].strength)
    before, after = (percent(each.value or 0.0, 0) for each in (record.unchanged, worst.accuracy))
    strongest = f"at the strongest ({strength})" if worst.place == len(record.curves[worst.kind]) else f"at {strength}"
    lead = f"Of worse pictures, {way.noun} costs it most: from {before} right to {after} {strongest}; "
    return joined(lead, tag("a", "see all", href="#robustness"), ".")


def robustness(content: ReportContent, budget_bytes: int) -> Html | str:
    """Draw it; its pictures fit the budget."""
    record = content.robustness
    if record is None:
        return ""
    chosen = "all" if record.samples == record.among else "evenly chosen from"
    text = (
        f"The same {counted(record.samples, content.noun)} ({chosen} {record.among:,} of the test split), each time "
        f"worse, and how often the model is still right. The shade is the {percent(record.confidence, 0)} interval "
        "of each point; the dotted line is what always giving the most frequent answer would reach."
    )
    uris, size_px = _pictures(content, record, budget_bytes)
    least = _least(content, record)
    drawn = [
        tag("div", _plot(content, record, kind, least), _strip(record, kind, uris.get(kind, ()), size_px))
        for kind in record.curves
    ]
    plots = tag("div", *drawn, class_="pair")
    return section("robustness", "When pictures get worse", tag("p", text), plots, _table(record))


def _plot(content: ReportContent, record: Robustness, kind: str, least: float) -> Html:
    way, curve_ = WAYS[kind], record.curves[kind]
    places: list[Place] = [(way.unchanged, record.unchanged), *((each.strength, each.accuracy) for each in curve_)]
    axes = Axes((way.unchanged, curve_[-1].strength), (least, 1.0), percent=True)
    simple = parts_of(content).baseline(content)
    line = Line("first", "", [(x, accuracy.value or 0.0) for x, accuracy in places])
    ends = f"{percent(record.unchanged.value or 0.0)} unchanged, {percent(curve_[-1].accuracy.value or 0.0)}"
    return figure(
        f"{way.title}: {_from_where(curve_, way)}",
        f"Accuracy with {way.noun}: {ends} at {way.written(curve_[-1].strength)}.",
        axes,
        (way.unit, "how often it is right"),
        spread(axes, [(x, accuracy.low or 0.0, accuracy.high or 0.0) for x, accuracy in places]),
        curve(axes, Line("ideal", "", [(axes.x[0], simple), (axes.x[1], simple)])),
        curve(axes, line),
        *(dot(axes.place(x, accuracy.value or 0.0), "first", 4, _said(accuracy)) for x, accuracy in places),
    )


def _from_where(curve_: Sequence[Point], way: Way) -> str:
    """From which strength on nothing but worse is left, each interval by itself."""
    clear = [(point.drop.low or 0.0) > 0 for point in curve_]
    first = next((k for k in range(len(clear)) if all(clear[k:])), None)
    if first is None:
        return "no clear loss at the strongest"
    return f"clearly less often right from {way.written(curve_[first].strength)} on"


def _least(content: ReportContent, record: Robustness) -> float:
    """Where all the plots begin, so that they can be compared."""
    lows = [point.accuracy.low or 0.0 for points in record.curves.values() for point in points]
    return max(0.0, min(*lows, parts_of(content).baseline(content)) - 0.03)


def _pictures(content: ReportContent, record: Robustness, budget_bytes: int) -> tuple[dict[str, Sequence[str]], int]:
    """A test picture in every version, kind by kind, and their side in px."""
    if content.pictures is None or not budget_bytes:
        return {}, 0
    import numpy as np
    import torch

    from totalml.evaluation.robustness.corruptions import CORRUPTIONS

    some = content.pictures(content.rows[:CHOSEN_AMONG])
    picture = torch.from_numpy(some[[int(some.std(axis=(1, 2, 3)).argmax())]])  # of a dark one there is little to see
    versions = [
        version[0].numpy()
        for kind, points in record.curves.items()
        for version in CORRUPTIONS[kind](picture, torch.zeros(1, dtype=torch.int64), [one.strength for one in points])
    ]
    small = thumbnails(np.stack(versions), budget_bytes)
    uris = iter(small.uris)
    shown: dict[str, Sequence[str]] = {kind: [*islice(uris, len(points))] for kind, points in record.curves.items()}
    return shown, small.size_px


def _strip(record: Robustness, kind: str, uris: Sequence[str], size_px: int) -> Html:
    way = WAYS[kind]
    cards = [
        tag(
            "li",
            tag(
                "figure",
                tag("img", src=uri, alt=f"The same picture with {way.noun}, {strength}", width=size_px, height=size_px),
                tag("figcaption", tag("b", strength), tag("span", percent(point.accuracy.value or 0.0, 0))),
            ),
        )
        for point, uri in zip(record.curves[kind], uris, strict=False)
        if (strength := way.written(point.strength))
    ]
    return tag("ul", *cards, class_="worse") if cards else Html("")


def _table(record: Robustness) -> Html:
    head = ["Kind", "Strength", "Right", "Interval", "Points lost", "Interval of the loss"]
    rows: list[list[str]] = [
        [
            WAYS[kind].title,
            WAYS[kind].written(point.strength),
            percent(point.accuracy.value or 0.0),
            interval("accuracy", point.accuracy),
            points(point.drop.value or 0.0),
            points_interval(point.drop),
        ]
        for kind, curve_ in record.curves.items()
        for point in curve_
    ]
    rows.insert(0, ["Unchanged", "", _value(record.unchanged), interval("accuracy", record.unchanged), "", ""])
    inner = table("Accuracy by kind and strength; losses are on the same samples", head, rows, "numbers")
    return tag("details", tag("summary", "All figures"), inner)


def _value(accuracy: Interval) -> str:
    return percent(accuracy.value or 0.0)


def _said(accuracy: Interval) -> str:
    return f"{_value(accuracy)} right ({interval('accuracy', accuracy)})"
