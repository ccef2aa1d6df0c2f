"""What a monitor's promise comes to before it goes live: false alarms a year, and the delay for planted drifts.

  totalml monitor calibrate guinness@candidate
  totalml monitor calibrate guinness@candidate --rows-per-day 200 --histories 1000 --backend loky
  totalml monitor calibrate deployments/guinness.yaml --json

The reference of the release is split again and again: a monitor is fitted on one part, and traffic is drawn from the
other. Nothing is written. Exit code 3: there were surely more false alarms than are promised; 4: the reference is too
small to tell.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError, RecipeError
from totalml.workers.options import configure_crew, crew_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totalml.monitoring.calibrated import Calibration, Caught, Rate
    from totalml.project import Place

BROKEN = 3
SELDOM = 0.5  # of the windows
MOST_HISTORIES = 100_000


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help="MODEL, MODEL@ALIAS, MODEL@HASH or deployments/X.yaml")
    parser.add_argument("--histories", metavar="N", type=int, default=200, help="in which nothing happens (200)")
    parser.add_argument(
        "--rows-per-day",
        metavar="R",
        type=float,
        help="as the settings say, as a day of the log shows, or as the reference can bear",
    )
    parser.add_argument("--json", action="store_true", help="all figures, for machines")
    configure_crew(parser)


def run(arguments: argparse.Namespace, place: Place) -> int:
    from datetime import UTC, datetime, timedelta

    from totalml.monitoring.calibration import bearable, calibrate
    from totalml.monitoring.command import find_watched
    from totalml.monitoring.opened import USUAL_ROWS_PER_DAY, Opened
    from totalml.progress import Progress
    from totalml.terminal import say

    _check(arguments)
    crew = crew_of(arguments)
    store = place.open_store()
    watched = find_watched(arguments.what, store)
    opened = Opened.of(store, watched.release(), watched.settings)
    if opened.panel is not None:
        raise DataError(
            f"{opened.bundle.name} predicts series, whose periods cannot be drawn by chance, as each follows the one "
            "before; let totalml monitor backtest look at a time in which nothing happened"
        )
    per_day = arguments.rows_per_day or opened.known_per_day(datetime.now(UTC), least=timedelta(days=1))
    if per_day is None:
        per_day = bearable(opened.reference, opened.settings, USUAL_ROWS_PER_DAY, arguments.histories)
        say(f"nothing says how many rows come in a day, so {per_day:,.0f} do here; say --rows-per-day")
    found = calibrate(
        opened.reference,
        opened.settings,
        per_day,
        opened.losses,
        opened.columns,
        arguments.histories,
        progress=Progress.create(),
        positive=opened.positive,
        crew=crew,
        maps=watched.maps,
    )
    print(json.dumps(_plain(found)) if arguments.json else "\n".join(told(found)))
    return 0 if found.is_kept else BROKEN


def told(found: Calibration) -> Iterator[str]:
    """For people."""
    from totalml.monitoring.budget import DAYS_A_YEAR
    from totalml.terminal import aligned
    from totalml.values.shown import counted

    yield (
        f"nothing happens: {found.histories:,} histories of {found.days:.3g} days with {found.rows_per_day:,.4g} rows, "
        f"monitors fitted on {found.fitted:,} others, windows of at least {found.window_hours:g} hours and "
        f"{counted(found.window_rows, 'row')}"
    )
    head = ("", "alarms", "a year (95 %)", "asked")
    rates = [found.alarms, *found.detectors]
    yield from (f"  {line}" for line in aligned([head, *map(_rate_row, rates)]))
    for each in found.causes:
        yield f"  called {each.name}: {each.alarms:,}, {_bounds(each)} a year"
    for each in found.detectors:
        if each.lacking and each.asked < 1:
            yield f"  {each.name} had enough to be asked in {100 * each.asked:.0f} % of the windows: {each.lacking}"
    yield f"  promised: at most {found.promised:g} a year of all detectors together"
    yield f"  over {found.alarms.days / DAYS_A_YEAR:.2g} years of such windows: {_judged(found)}"
    if found.drifts:
        yield f"a drift is planted: {found.drifts[0].histories:,} histories of each, from the first row on"
        drifts = [("", "is", "found", "half within", "called"), *map(_drift_row, found.drifts)]
        yield from (f"  {line}" for line in aligned(drifts))


def _rate_row(rate: Rate) -> tuple[str, ...]:
    return rate.name, f"{rate.alarms:,}", _bounds(rate), f"{100 * rate.asked:.0f} %"


def _drift_row(caught: Caught) -> tuple[str, ...]:
    from totalml.values.shown import counted

    delay = "" if caught.days is None else f"{caught.days:.3g} days, {counted(caught.rows or 0, 'row')}"
    called = ", ".join(f"{cause} {count:,}" for cause, count in caught.called.items())
    return caught.drift, caught.truth, f"{100 * caught.found / caught.histories:.0f} %", delay or "not half", called


def _bounds(rate: Rate) -> str:
    each = rate.per_year
    return f"{each.value:.2g} ({each.low:.2g} to {each.high:.2g})"


def _judged(found: Calibration) -> str:
    if not found.is_kept:
        return "surely broken: raise false_alarms_per_year, or give the run more samples to validate and test with"
    high = found.alarms.per_year.high or 0.0
    if high > found.promised:
        return "not broken as far as seen; more --histories tell it closer"
    seldom = ", ".join(each.name for each in found.detectors if each.asked < SELDOM)
    return f"surely kept, but hardly tried of {seldom}, which more --rows-per-day would" if seldom else "surely kept"


def _plain(found: Calibration) -> dict[str, Any]:
    def plain(rate: Rate) -> dict[str, Any]:
        each = rate.per_year
        return {**asdict(rate), "per_year": [each.value, each.low, each.high]}

    rates = {name: [plain(each) for each in getattr(found, name)] for name in ("detectors", "causes")}
    return {**asdict(found), "alarms": plain(found.alarms), **rates, "is_kept": found.is_kept}


def _check(arguments: argparse.Namespace) -> None:
    """Raises: RecipeError: names all that cannot be."""
    mistakes = []
    if not 1 <= arguments.histories <= MOST_HISTORIES:
        mistakes.append(
            f"command line: --histories {arguments.histories} is to be a number from 1 to {MOST_HISTORIES:,}"
        )
    if arguments.rows_per_day is not None and not 0 < arguments.rows_per_day < float("inf"):
        mistakes.append(f"command line: --rows-per-day {arguments.rows_per_day:g} is to be a number above 0")
    if mistakes:
        raise RecipeError(*mistakes)
