"""The last thing a run prints: what it reached, how long it took, where the report lies.

It reads what `metrics.json` and `run.json` hold, so a run finished yesterday is shown the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from totalml.evaluation.record import Interval
from totalml.report.gate_words import SMOKE, brief, reason, word
from totalml.report.number_format import MISSING, duration, figure, interval, title
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.gates.record import Verdict

Rows = list[tuple[str, str, str]]


def closing_table(
    metrics: Mapping[str, Any],
    seconds: Mapping[str, float],
    stages: Mapping[str, Mapping[str, Any]],
    report: Path,
    verdict: Verdict | None = None,
    smoke: bool = False,
    advice: str = "",
) -> Rows:
    """Rows of (what, value, remark): metrics with intervals, gates, seconds by stage, the path of the report.

    Args:
        metrics: what `Evaluation.as_json` gives.
        seconds: stage -> wall time, in lifecycle order.
        stages: stage -> whether it was `reused`, and `why` not.
        verdict: of the gates that hold now.
        smoke: the figures mean nothing, which is told.
        advice: what the plan says in a sentence, where the recipe asks for one.
    """
    reached = {name: Interval(**parts) for name, parts in metrics["metrics"].items()}
    unit = metrics.get("unit", "")
    rows = [(title(name), _value(name, one, unit), _remark(name, one, unit)) for name, one in reached.items()]
    rows.append(("Measured on", counted(metrics["count"], "test sample"), ""))
    if advice:
        rows.append(("Plan", "", advice))
    gates = verdict.gates if verdict else ()
    rows += [(f"Gate: {gate.title}", word(gate), reason(gate)) for gate in gates]
    rows += [(f"Time: {stage}", duration(wall_s), _reuse(stages.get(stage, {}))) for stage, wall_s in seconds.items()]
    rows.append(("Time: all", duration(sum(seconds.values())), ""))
    if verdict and gates:
        answer, _, why = brief(verdict).partition(": ")
        rows.append((answer, "", why.removesuffix(".") if verdict.releasable else ""))
    if smoke:
        what, _, why = SMOKE.partition(": ")
        rows.append((what, "", why.removesuffix(".")))
    rows.append(("Report", str(report), ""))
    return rows


def show_closing_table(title: str, rows: Rows, stream: TextIO | None = None) -> None:
    """Draw the rows on a terminal; elsewhere write plain aligned lines that a script can read.

    Args:
        stream: standard output if None.
    """
    stream = stream or sys.stdout
    if stream.isatty():
        _draw(title, rows, stream)
    else:
        stream.write(_lines(rows, stream.encoding or "utf-8"))


def _lines(rows: list[tuple[str, str, str]], encoding: str) -> str:
    first, second = (max(len(row[column]) for row in rows[:-1]) for column in (0, 1))
    text = "".join(f"{what:<{first}}  {value:<{second}}  {remark}".rstrip() + "\n" for what, value, remark in rows)
    # A class name must not end a run whose output goes to an old encoding.
    return text.encode(encoding, "replace").decode(encoding)


def _draw(title: str, rows: Rows, stream: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for what, value, remark in rows[:-1]:
        table.add_row(Text(what), Text(value), Text(remark))
    console = Console(file=stream)
    console.print(table)
    # Outside the table, so that a long path is not broken and can be clicked.
    console.print(Text(f"Report: {rows[-1][1]}"), soft_wrap=True)


def _reuse(stage: Mapping[str, Any]) -> str:
    return "reused" if stage.get("reused") else str(stage.get("why", ""))


def _value(name: str, metric: Interval, unit: str) -> str:
    return MISSING if metric.value is None else figure(name, metric.value, unit)


def _remark(name: str, metric: Interval, unit: str) -> str:
    return "; ".join(part for part in (interval(name, metric, unit), metric.note or "") if part)
