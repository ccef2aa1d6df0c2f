"""The section of a sweep's page that tells every figure of every fold."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import MISSING, figure, title
from totalml.sweep.backtest import FOLD, backtest
from totalml.sweep.finished import figures_of
from totalml.sweep.job_format import brief
from totalml.sweep.record import SweepRecord

MOST_ROWS = 400


def by_fold(record: SweepRecord) -> Html | str:
    """Every figure of every fold, and the means over folds; nothing where the jobs do not differ by fold."""
    candidates = backtest(record)
    if not candidates:
        return ""
    keys = [key for key in record.differing() if key != FOLD]
    found = {job.number: figures_of(Path(job.folder)) for job in record.jobs.values() if job.folder}
    names = list(dict.fromkeys(name for figures in found.values() for name in figures))
    rows: list[list[str]] = []
    for each in candidates:
        words = [name_of(brief(each.parameters.get(key, MISSING)), 40) for key in keys]
        some = [found.get(job.number, {}) for job in each.jobs]
        rows.append([tag("strong", "mean"), *words, *(_mean(name, some) for name in names)])
        rows += [
            [f"fold {job.parameters[FOLD]}", *words, *(_one(name, figures) for name in names)]
            for job, figures in zip(each.jobs, some, strict=True)
        ]
    text = (
        "Each fold is tested on another stretch of time, the earliest first, by a model that knows only what lies "
        "before. Look at how much the folds differ before you believe that one mean is better than another."
    )
    head = ["Fold", *keys, *map(title, names)]
    return section("backtest", "Backtest", tag("p", text), table("Figures by fold", head, rows[:MOST_ROWS], "numbers"))


def _one(name: str, figures: Mapping[str, tuple[float, str]]) -> str:
    return figure(name, *figures[name]) if name in figures else MISSING


def _mean(name: str, folds: Sequence[Mapping[str, tuple[float, str]]]) -> Html:
    """Only where every fold has it."""
    if not all(name in figures for figures in folds):
        return joined(MISSING)
    values = [figures[name][0] for figures in folds]
    return tag("strong", figure(name, sum(values) / len(values), folds[0][name][1]))
