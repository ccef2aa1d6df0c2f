"""Learning curves: whether training was long enough, and where it stopped helping."""

import math
from collections.abc import Sequence

from totalml.report.charts import Axes, Line, curve, dot, figure, upright
from totalml.report.content import Epoch, ReportContent
from totalml.report.markup import Html, section, table, tag
from totalml.report.number_format import percent

# The table below the curves lists at most about this many epochs.
MOST_ROWS = 60


def learning(content: ReportContent) -> Html:
    history = content.history
    if not history:
        return section("learning", "How it learnt", tag("p", "No epoch of training is on record."))
    best = next((epoch for epoch in history if epoch.epoch == content.best_epoch), history[-1])
    text = (
        f"{len(history)} epochs; the weights of epoch {best.epoch} were kept "
        f"(validation loss {best.validation_loss:.4g}, validation accuracy {percent(best.validation_score)})."
    )
    plots = tag("div", _losses(history, best), _accuracies(history, best), class_="pair")
    return section("learning", "How it learnt", tag("p", text), plots, _as_table(history, best))


def _losses(history: Sequence[Epoch], best: Epoch) -> Html:
    train = Line("first", "training", [(epoch.epoch, epoch.train_loss) for epoch in history])
    validation = Line("second", "validation", [(epoch.epoch, epoch.validation_loss) for epoch in history])
    values = [y for line in (train, validation) for _, y in line.points if math.isfinite(y)] or [0.0, 1.0]
    top = max(values) + 0.06 * (max(values) - min(values))
    axes = Axes(_span(history), (min(0.0, min(values)) if min(values) < 0.3 * max(values) else min(values), top))
    last = history[-1]
    alt = f"Loss by epoch. Training ends at {last.train_loss:.4g}, validation at {last.validation_loss:.4g}."
    drawn = [curve(axes, train), curve(axes, validation), upright(axes, best.epoch, "best")]
    return figure("Loss", alt, axes, ("epoch", "loss"), *drawn, legend=(train, validation))


def _accuracies(history: Sequence[Epoch], best: Epoch) -> Html:
    line = Line("second", "validation", [(epoch.epoch, epoch.validation_score) for epoch in history])
    values = [y for _, y in line.points if math.isfinite(y)] or [0.0]
    low = max(0.0, min(values) - 0.05)
    axes = Axes(_span(history), (low, min(1.0, max(values) + 0.03)), percent=True)
    alt = f"Validation accuracy by epoch, {percent(best.validation_score)} at the best epoch, {best.epoch}."
    drawn = [curve(axes, line), upright(axes, best.epoch, "best")]
    if math.isfinite(best.validation_score):
        drawn.append(dot(axes.place(best.epoch, best.validation_score), "second", 4))
    return figure("Accuracy", alt, axes, ("epoch", "validation accuracy"), *drawn, legend=(line,))


def _span(history: Sequence[Epoch]) -> tuple[float, float]:
    first, last = history[0].epoch, history[-1].epoch
    return (first, last) if last > first else (first - 1, first + 1)


def _as_table(history: Sequence[Epoch], best: Epoch) -> Html:
    stride = math.ceil(len(history) / MOST_ROWS)
    shown = [epoch for k, epoch in enumerate(history) if k % stride == 0 or epoch in (best, history[-1])]
    rows = [
        [
            f"{epoch.epoch} (best)" if epoch is best else str(epoch.epoch),
            f"{epoch.train_loss:.4f}",
            f"{epoch.validation_loss:.4f}",
            percent(epoch.validation_score),
        ]
        for epoch in shown
    ]
    head = ["Epoch", "Training loss", "Validation loss", "Validation accuracy"]
    return tag("details", tag("summary", "The same as a table"), table("Epochs of training", head, rows, "numbers"))
