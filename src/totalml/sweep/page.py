"""Write `sweep.html`: one file, no network, no script."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from totalml.report.document import by_name, document
from totalml.report.markup import Html, joined, name_of, section, table, tag, with_bar
from totalml.report.number_format import MISSING, duration
from totalml.runs.attempt import REPORT_FILE
from totalml.store.atomic import write_atomically
from totalml.sweep.backtest import FOLD, backtest, best_of
from totalml.sweep.by_fold import by_fold
from totalml.sweep.importance import FEWEST_JOBS, importances
from totalml.sweep.job_format import brief, command, figure, shown
from totalml.sweep.parallel import MOST_LINES, parallel
from totalml.sweep.record import PAGE_FILE, Job, SweepRecord
from totalml.values.shown import counted

MOST_ROWS = 400


def write_page(record: SweepRecord) -> Path:
    """Write the page into the folder of the sweep, whole or not at all, and return its path."""
    path = record.folder / PAGE_FILE
    write_atomically(path, render(record).encode())
    return path


def render(record: SweepRecord) -> Html:
    keys = record.differing()
    parts = {
        "Summary": _summary(record),
        **({"Backtest": found} if (found := by_fold(record)) else {}),
        "Parameters": _parameters(record, keys),
        "Importance": _importance(record, keys),
        **({"Failed": _failed(record)} if record.failed() else {}),
        "Jobs": _jobs(record, keys),
    }
    header = tag(
        "header",
        tag("p", "Total ML · sweep · ", tag("code", record.sweep_id), class_="eyebrow"),
        tag("h1", "Sweep of ", name_of(record.name)),
    )
    return document(f"Sweep of {record.name}", header, by_name(parts), "totalml.sweep")


def _summary(record: SweepRecord) -> Html:
    best, metric = best_of(record), record.metric.replace("_", " ")
    jobs, candidates = list(record.jobs.values()), backtest(record)
    if best is None:
        text = f"Nothing has a {metric} of every fold." if candidates else f"No job came to a {metric}."
        verdict = tag("p", text, class_="verdict")
        return section("summary", "Summary", verdict, _cards(jobs))
    told = tag(
        "p",
        f"Best mean {metric} over {counted(len(candidates[0].jobs), 'fold')}: "
        if candidates
        else f"Best {metric} of {counted(len(jobs), 'job')}: ",
        tag("strong", figure(candidates[0].mean if candidates else best.metric)),
        *((" with ", Html(", ".join(chosen))) if (chosen := _assignments(record, best)) else ()),
        ".",
        class_="verdict",
    )
    line = tag("pre", tag("code", command(best.overrides)), class_="wrapped")
    return section("summary", "Summary", told, _cards(jobs), tag("h3", "The best one again"), line)


def _assignments(record: SweepRecord, job: Job) -> list[Html]:
    return [
        joined(tag("code", key), " ", name_of(brief(job.parameters[key]), 40))
        for key in record.differing()
        if key in job.parameters and key != FOLD
    ]


def _cards(jobs: list[Job]) -> Html:
    counts = {
        "Trained": sum(job.status == "finished" and not job.reused for job in jobs),
        "Reused": sum(job.reused for job in jobs),
        "Pruned": sum(job.status == "pruned" for job in jobs),
        "Failed": sum(job.status == "failed" for job in jobs),
        "Not done": sum(job.status in ("waiting", "interrupted") for job in jobs),
    }
    shown_counts = {name: str(count) for name, count in counts.items() if count or name in ("Trained", "Reused")}
    shown_counts["Time of all runs"] = duration(sum(job.seconds or 0.0 for job in jobs))
    cards = [tag("div", tag("dt", name), tag("dd", tag("b", value))) for name, value in shown_counts.items()]
    return tag("dl", *cards, class_="cards")


def _parameters(record: SweepRecord, keys: list[str]) -> Html:
    measured = sum(job.metric is not None for job in record.jobs.values())
    if not keys or measured < 2:
        return section("parameters", "Parameters and result", tag("p", "There are not two jobs to compare."))
    without = len(record.jobs) - measured
    text = (
        "Each line is a job; it crosses each axis at its value. "
        "Thick: the best job; coloured: the best third; grey: the rest."
    )
    if without := len(record.jobs) - measured:
        text += f" {counted(without, 'job')} without a result {'is' if without == 1 else 'are'} left out."
    if measured > MOST_LINES:
        text += f" Shown are the best {MOST_LINES}."
    return section("parameters", "Parameters and result", tag("p", text), parallel(record, keys))


def _importance(record: SweepRecord, keys: list[str]) -> Html:
    found = importances(list(record.jobs.values()), keys)
    if not found:
        text = f"It takes {FEWEST_JOBS} jobs with a result to say what matters."
        return section("importance", "What matters", tag("p", text))
    measured = sum(job.metric is not None for job in record.jobs.values())
    text = (
        "How much of the differences between the jobs, put in order from best to worst, a parameter explains alone: "
        f"a parabola over numbers, a mean for each choice, corrected for chance. From {counted(measured, 'job')}, "
        "so a hint, not a proof; what parameters do only together does not show."
    )
    rows: list[list[str]] = [[name_of(each.key), with_bar(each.share, f"{100 * each.share:.0f}%")] for each in found]
    return section(
        "importance", "What matters", tag("p", text), table("Importance", ["Parameter", "Explains"], rows, "numbers")
    )


def _failed(record: SweepRecord) -> Html:
    items = [
        tag(
            "li",
            tag("b", f"job {job.number}"),
            f" {shown(job.parameters)}",
            tag("pre", tag("code", job.error or ""), class_="wrapped"),
            tag("span", f"log: {job.log}", class_="ident"),
        )
        for job in record.failed()[:MOST_ROWS]
    ]
    return section("failed", "What failed", tag("ul", *items, class_="findings"))


def _jobs(record: SweepRecord, keys: list[str]) -> Html:
    rows = [
        [
            str(job.number),
            figure(job.metric),
            *(name_of(brief(job.parameters.get(key, MISSING)), 40) for key in keys),
            MISSING if job.seconds is None else duration(job.seconds),
            job.how,
            _link(job, record.folder),
        ]
        for job in record.ranked()[:MOST_ROWS]
    ]
    head = ["Job", record.metric, *keys, "Time", "How", "Run"]
    more = len(record.jobs) - MOST_ROWS
    text = tag("p", f"The best {MOST_ROWS}; sweep.json beside this page has all.") if more > 0 else ""
    return section("jobs", "Jobs, best first", text, table("Every job with its parameters", head, rows, "numbers"))


def _link(job: Job, sweep: Path) -> Html:
    """To the report of a job that has one, or to its log; relative, so that the folder of runs can be moved."""
    if job.folder and job.run_id:
        return tag("a", tag("code", job.run_id), href=_relative(Path(job.folder) / REPORT_FILE, sweep))
    return tag("a", "log", href=_relative(Path(job.log), sweep)) if job.log else Html(MISSING)


def _relative(file: Path, folder: Path) -> str:
    return quote(Path(os.path.relpath(file, folder)).as_posix())
