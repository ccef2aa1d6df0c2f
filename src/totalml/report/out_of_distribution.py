"""Which test pictures look little like those of training, and whether strangers are noticed."""

from collections.abc import Sequence

import numpy as np

from totalml.evaluation.out_of_distribution.record import OutOfDistribution
from totalml.evaluation.record import Interval
from totalml.report.charts import Axes, Line, curve, figure, upright
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import MISSING, interval, of_hundred, percent, points, points_interval
from totalml.report.pictures import thumbnails
from totalml.values.shown import counted

LEAST_LIKE = 8
KINDS = {
    "noise": "plain noise",
    "flat": "a flat colour",
    "tiles": "test pictures cut into 16 tiles and shuffled",
    "negative": "test pictures as negatives",
}
SHORT = {"noise": "noise", "flat": "flat colours", "tiles": "shuffled tiles", "negative": "negatives"}


def told(content: ReportContent) -> Html | str:
    """Whether strangers are noticed, in one sentence for the first screen."""
    record = content.out_of_distribution
    if record is None:
        return ""
    if record.threshold.value is None:
        return f"Whether a picture is unlike those it learnt from, it cannot tell: {record.threshold.note}."
    if record.strange:
        flagged = of_hundred(record.flagged.value or 0.0, content.evaluation.count)
        lead = f"{flagged} test {content.noun}s look unlike those it learnt from, "
        return joined(tag("strong", lead), f"where {of_hundred(record.stated)} are expected. ", _link())
    noticed = [f"{percent(share.value or 0.0, 0)} of {SHORT[kind]}" for kind, share in record.strangers.items()]
    lead = f"It notices pictures unlike those it learnt from: {', '.join(noticed)}; "
    return joined(lead, f"and {percent(record.flagged.value or 0.0, 0)} of the test {content.noun}s. ", _link())


def out_of_distribution(content: ReportContent, budget_bytes: int) -> Html | str:
    """Draw it; its pictures fit the budget."""
    record = content.out_of_distribution
    if record is None:
        return ""
    title = "Pictures unlike those it learnt from"
    text = (
        f"The score is the distance of what the model sees in a {content.noun} from what it saw in "
        f"{record.fitted_on:,} of training; about 1 is usual. "
    )
    shown = _least_like(content, record, budget_bytes)
    if record.threshold.value is None:
        return section("strange", title, tag("p", f"{text}Nothing is flagged: {record.threshold.note}."), shown)
    rule = (
        f"Above {record.threshold.value:.2f} it is flagged as a stranger: on the validation split that was set to "
        f"happen to {percent(record.stated, 0)} of {content.noun}s that are none."
    )
    pair = tag("div", _plot(record, content.noun), _table(record, content.noun), class_="pair")
    return section("strange", title, tag("p", text, rule), pair, *_test_split(content, record), shown)


def _link() -> Html:
    return joined(tag("a", "See how", href="#strange"), ".")


def _plot(record: OutOfDistribution, noun: str) -> Html:
    edges = record.histogram.edges
    strangers = [counts for name, counts in record.histogram.counts.items() if name != "test"]
    lines = (
        Line("first", f"test {noun}s", _steps(edges, record.histogram.counts["test"])),
        Line("second", "strangers, all kinds", _steps(edges, [sum(each) for each in zip(*strangers, strict=True)])),
    )
    top = 1.1 * max(y for line in lines for _, y in line.points)
    axes = Axes((edges[0], edges[-1]), (0.0, top), percent=True)
    threshold = record.threshold.value or 0.0
    return figure(
        "Scores",
        f"Histogram of scores. Flagged above {threshold:.2f}: {percent(record.flagged.value or 0.0)} of test {noun}s.",
        axes,
        ("score; the last bin holds all beyond", "share"),
        *(curve(axes, line) for line in lines[::-1]),
        upright(axes, threshold, "flagged from here on"),
        legend=lines,
    )


def _steps(edges: Sequence[float], counts: Sequence[int]) -> list[tuple[float, float]]:
    """The outline of a histogram's bars, of area 1 but for rounding."""
    total = sum(counts) or 1
    bars = zip(edges, edges[1:], counts, strict=False)
    return [place for low, high, count in bars for place in ((low, count / total), (high, count / total))]


def _table(record: OutOfDistribution, noun: str) -> Html:
    sure = f"{percent(record.confidence, 0)} interval"
    rows: list[list[str]] = [[f"test {noun}s", *_share(record.flagged)]]
    rows += [[KINDS[kind], *_share(share)] for kind, share in record.strangers.items()]
    return table("How many are flagged", ["Pictures", "Flagged", sure], rows, "numbers")


def _share(share: Interval) -> list[str]:
    return [MISSING, share.note or ""] if share.value is None else [percent(share.value), interval("recall", share)]


def _test_split(content: ReportContent, record: OutOfDistribution) -> list[Html]:
    flagged, rest, gap = (record.accuracy[name] for name in ("flagged", "rest", "gap"))
    excess = (
        f"On the test split {percent(record.flagged.value or 0.0)} are flagged, {points(record.excess.value or 0.0)} "
        f"points to validation ({points_interval(record.excess)}). "
    )
    beyond = f"clearly beyond the {100 * record.stated:g} points from which on it counts as unlike training"
    told = [tag("p", excess, tag("strong", f"That is {beyond}.") if record.strange else f"That is not {beyond}.")]
    if gap.value is not None:
        clearly = "clearly less often right" if (gap.high or 0.0) < 0 else "not clearly less often right"
        figures = (
            f"{percent(flagged.value or 0.0)} ({interval('accuracy', flagged)}), against {percent(rest.value or 0.0)} "
            f"of the others; {points(gap.value)} points ({points_interval(gap)})."
        )
        told.append(tag("p", f"On flagged test {content.noun}s the model is {clearly}: {figures}"))
    return told


def _least_like(content: ReportContent, record: OutOfDistribution, budget_bytes: int) -> Html:
    """The test pictures of the highest scores."""
    if content.pictures is None or not budget_bytes:
        return Html("")
    scores = record.scores["score"].to_numpy()
    order = np.argsort(-scores, kind="stable")[:LEAST_LIKE]
    small = thumbnails(content.pictures(content.rows[order]), budget_bytes)
    rows = record.scores.take(order).to_pylist()
    cards = [_card(row, uri, small.size_px) for row, uri in zip(rows, small.uris, strict=False)]
    title = tag("h3", f"The {counted(len(cards), 'test ' + content.noun)} that look least like those of training")
    hint = tag("p", "With the score of each; a frame says that it is flagged.")
    return joined(title, hint, tag("ul", *cards, class_="grid")) if cards else Html("")


def _card(row: dict[str, object], uri: str, size_px: int) -> Html:
    id_, score = str(row["id"]), f"{row['score']:.2f}"
    alt = f"Sample {id_[:80]}, score {score}{', flagged' if row['flagged'] else ''}"
    picture = tag("img", src=uri, alt=alt, width=size_px, height=size_px)
    caption = tag("figcaption", tag("span", score, class_="said"), tag("span", name_of(id_, 18)))
    return tag("li", tag("figure", picture, caption), class_="mistake" if row["flagged"] else None, title=id_[:160])
