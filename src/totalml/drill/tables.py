"""A drill as plain tables: where the model still is right, who finds what and when, and what they call it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from totalml.drill.detector import NO_CAUSE
from totalml.monitoring.verdict import CAUSES, NONE
from totalml.recipe.drill import HARMLESS
from totalml.terminal import aligned

if TYPE_CHECKING:
    from totalml.drill.record import DrillRecord
    from totalml.evaluation.interval import Interval

COLUMNS = (*CAUSES, NO_CAUSE)


def told(record: DrillRecord) -> str:
    parts = [
        ("How often the model is right", _populations(record)),
        ("Share of histories alarmed in, and days until half were", _power(record)),
        *((f"What {name} called it at first; as it is, in the end", table) for name, table in _verdicts(record)),
    ]
    return "\n".join("\n".join([title, *aligned(rows, "  "), ""]) for title, rows in parts)


def _populations(record: DrillRecord) -> list[list[str]]:
    found = [
        [each.population, f"{each.samples}", _share(each.accuracy), _share(each.loss, "+.1f")]
        for each in record.measured
    ]
    return [["population", "samples", "right", "loss"], *found]


def _power(record: DrillRecord) -> list[list[str]]:
    """A row for each scenario and a column for each detector, the best on the left."""
    names = [each.detector for each in record.judged]
    rows = [["scenario", "truth", *names]]
    for place, (scenario, truth) in enumerate(record.truths.items()):
        found = [each.found[place] for each in record.judged]
        cells = [_found(each.alarmed, each.delay_days) for each in found]
        rows.append([scenario, f"{truth}{' (harmless)' if truth in HARMLESS else ''}", *cells])
    rows.append(["false alarms", "set", *(f"{100 * each.false_alarms:.1f} %" for each in record.judged)])
    rows.append(["false alarms", "afresh", *(f"{100 * each.fresh:.1f} %" for each in record.judged)])
    rows.append(["score", "0 is guessing", *(f"{each.score:.2f}" for each in record.judged)])
    return rows


def _verdicts(record: DrillRecord) -> Iterator[tuple[str, list[list[str]]]]:
    """Of each detector that names causes: truth by verdict, in per cent of the histories."""
    for judged in record.judged:
        called = {name for each in judged.found for name in each.verdicts}
        if called <= {NONE, NO_CAUSE}:
            continue
        columns = [name for name in COLUMNS if name in called] + sorted(called - {*COLUMNS})
        rows = [["scenario", "truth", *columns, "as it is"]]
        for each in judged.found:
            shares = [f"{100 * each.verdicts.get(name, 0) / each.histories:.0f} %" for name in columns]
            rows.append([each.scenario, each.truth, *shares, _found(each.named, each.named_days)])
        yield judged.detector, rows


def _found(share: float, days: int | None) -> str:
    return f"{100 * share:.0f} %" + (f" {days} d" if days else "")


def _share(part: Interval, form: str = ".1f") -> str:
    low, high = (format(100 * bound, form) for bound in (part.low or 0.0, part.high or 0.0))
    return f"{100 * (part.value or 0.0):{form}} % ({low} to {high})"
