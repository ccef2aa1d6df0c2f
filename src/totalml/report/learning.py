"""Learning curves: whether training was long enough, and where it stopped helping."""

import math
from collections.abc import Sequence

from totalml.report.charts import Axes, Line, curve, dot, figure, upright
from totalml.report.content import Epoch, ReportContent
from totalml.report.markup import Html, section, table, tag
from totalml.report.number_format import SHARES, TITLES
from totalml.report.number_format import figure as written
from totalml.values.shown import short_number

# The table below the curves lists at most about this many epochs.
MOST_ROWS = 60


def learning(content: ReportContent) -> Html:
    history = content.history
    if not history:
        return section("learning", "How it learnt", tag("p", "No epoch of training is on record."))
    best = next((epoch for epoch in history if epoch.epoch == content.best_epoch), history[-1])
    text = (
        f"{len(history)} epochs; the weights of epoch {best.epoch} were kept "
        f"(validation loss {short_number(best.validation_loss)}, {_named(content)} {_written(content, best)})."
    )
    plots = tag("div", _losses(history, best), _scores(content, best), class_="pair")
    return section("learning", "How it learnt", tag("p", text), plots, _as_table(content, best))


def _losses(history: Sequence[Epoch], best: Epoch) -> Html:
    train = Line("first", "training", [(epoch.epoch, epoch.train_loss) for epoch in history])
    validation = Line("second", "validation", [(epoch.epoch, epoch.validation_loss) for epoch in history])
    values = [y for line in (train, validation) for _, y in line.points if math.isfinite(y)] or [0.0, 1.0]
    top = max(values) + 0.06 * (max(values) - min(values))
    axes = Axes(_span(history), (min(0.0, min(values)) if min(values) < 0.3 * max(values) else min(values), top))
    train_end, validation_end = (short_number(loss) for loss in (history[-1].train_loss, history[-1].validation_loss))
    alt = f"Loss by epoch. Training ends at {train_end}, validation at {validation_end}."
    drawn = [curve(axes, train), curve(axes, validation), upright(axes, best.epoch, "best")]
    return figure("Loss", alt, axes, ("epoch", "loss"), *drawn, legend=(train, validation))


def _scores(content: ReportContent, best: Epoch) -> Html:
    history, share = content.history, content.score in SHARES
    line = Line("second", "validation", [(epoch.epoch, epoch.validation_score) for epoch in history])
    values = [y for _, y in line.points if math.isfinite(y)] or [0.0]
    room = 0.05 if share else 0.1 * max(map(abs, values))
    low, high = max(0.0, min(values) - room), max(values) + 0.6 * room
    axes = Axes(_span(history), (low, min(1.0, high) if share else high), percent=share)
    name = _named(content)
    alt = f"{name.capitalize()} by epoch, {_written(content, best)} at the best epoch, {best.epoch}."
    drawn = [curve(axes, line), upright(axes, best.epoch, "best")]
    if math.isfinite(best.validation_score):
        drawn.append(dot(axes.place(best.epoch, best.validation_score), "second", 4))
    return figure(TITLES[content.score], alt, axes, ("epoch", name), *drawn, legend=(line,))


def _named(content: ReportContent) -> str:
    return f"validation {TITLES[content.score].lower()}"


def _written(content: ReportContent, epoch: Epoch) -> str:
    return written(content.score, epoch.validation_score, content.evaluation.unit)


def _span(history: Sequence[Epoch]) -> tuple[float, float]:
    first, last = history[0].epoch, history[-1].epoch
    return (first, last) if last > first else (first - 1, first + 1)


def _as_table(content: ReportContent, best: Epoch) -> Html:
    history = content.history
    stride = math.ceil(len(history) / MOST_ROWS)
    shown = [epoch for k, epoch in enumerate(history) if k % stride == 0 or epoch in (best, history[-1])]
    rows = [
        [
            f"{epoch.epoch} (best)" if epoch is best else str(epoch.epoch),
            f"{epoch.train_loss:.4f}",
            f"{epoch.validation_loss:.4f}",
            _written(content, epoch),
        ]
        for epoch in shown
    ]
    head = ["Epoch", "Training loss", "Validation loss", _named(content).capitalize()]
    return tag("details", tag("summary", "The same as a table"), table("Epochs of training", head, rows, "numbers"))
