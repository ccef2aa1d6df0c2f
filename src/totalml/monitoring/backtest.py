"""What a monitor would have said: look at a time of the log anew, with its settings of today, and write nothing.

  totalml monitor backtest guinness --from 2026-03-01 --to 2026-03-31
  totalml monitor backtest deployments/guinness.yaml --from 2026-03-01T12:00 --to 2026-03-02T12:00
  totalml monitor backtest guinness@blake3:4f1c... --from 2026-01-01 --to 2026-01-31 --json

Days and times are UTC; the day of --to is in it. The monitor is a new one, so tests that run along begin with --from; a
window that is not over by --to is left out. Exit code 3: a window alarmed. No alert is raised.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError, RecipeError
from totalml.monitoring.verdict import ALARMED
from totalml.values.shown import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totalml.monitoring.history import Looked
    from totalml.project import Place
    from totalml.store import Store


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help="MODEL, MODEL@ALIAS, MODEL@HASH or deployments/X.yaml")
    parser.add_argument("--from", metavar="DATE", required=True, dest="since", help="2026-03-01 or 2026-03-01T12:00")
    parser.add_argument("--to", metavar="DATE", required=True, dest="until", help="a day is in it, to its end")
    parser.add_argument(
        "--json", action="store_true", help="each window as a line of JSON, and the summary as the last"
    )


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.monitoring.command import find_watched, shown
    from totalml.monitoring.opened import open_backtest
    from totalml.monitoring.traffic import SETTLES

    since, until = _span(arguments.since, arguments.until, datetime.now(UTC) - SETTLES)
    store = place.open_store()
    watched = find_watched(arguments.what, store)
    release = watched.release()
    _require_answers(store, watched.model, release, since, until)
    watch = open_backtest(store, release, watched.settings, since, until)
    windows = []
    for looked in watch.look(until + SETTLES):
        print(json.dumps(looked.as_json()) if arguments.json else shown(looked), flush=True)
        windows.append(looked)
    if not windows:
        raise DataError(
            f"no window is over between {_text(since)} and {_text(until)}; one takes {watch.window.hours:g} hours: "
            "give a longer time"
        )
    summary = summed_up(windows)
    print(json.dumps({"summary": summary}) if arguments.json else _told(summary))
    return ALARMED if summary["alarms"] else 0


def summed_up(windows: Sequence[Looked]) -> dict[str, Any]:
    """Of one monitor, at least one window, the oldest first; plain JSON."""
    from totalml.monitoring.budget import alarms_per_year

    start, end = (datetime.fromisoformat(each) for each in (windows[0].start, windows[-1].end))
    days = (end - start) / timedelta(days=1)
    alarms = Counter(each.verdict.cause for each in windows if each.verdict.alarms)
    rate = alarms_per_year(alarms.total(), days)
    return {
        "windows": len(windows),
        "days": days,
        "rows": sum(each.rows for each in windows),
        "labels": sum(each.labels for each in windows),
        "alarms": dict(alarms.most_common()),
        "alarms_per_year": [rate.value, rate.low, rate.high],
    }


def _told(summary: dict[str, Any]) -> str:
    what = f"{counted(summary['windows'], 'window')}, {summary['days']:.4g} days"
    came = f"{counted(summary['rows'], 'row')}, {counted(summary['labels'], 'label')}"
    causes = ", ".join(f"{count:,} {cause}" for cause, count in summary["alarms"].items())
    rate, low, high = summary["alarms_per_year"]
    a_year = f"; {rate:.3g} a year (95 %: {low:.3g} to {high:.3g})" if causes else ""
    return f"{what}, {came}: {f'alarms in {causes}' if causes else 'no alarm'}{a_year}. Nothing was written."


def _span(since: str, until: str, latest: datetime) -> tuple[datetime, datetime]:
    """Raises: RecipeError: one is no time, or they hold nothing."""
    mistakes, moments = [], []
    for option, text in (("--from", since), ("--to", until)):
        try:
            moment = datetime.fromisoformat(text)
            is_day = option == "--to" and _is_day(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            moments.append(moment.astimezone(UTC) + timedelta(days=is_day))
        except (ValueError, OverflowError):
            mistakes.append(
                f"command line: {option} {text!r} is no day or time, such as 2026-03-01 or 2026-03-01T12:00"
            )
    if mistakes:
        raise RecipeError(*mistakes)
    start, end = moments
    if start >= latest:
        raise RecipeError(f"command line: --from {since} is not over yet; give an earlier one")
    if start >= end:
        raise RecipeError(f"command line: --to {until} is before --from {since}; give a later one")
    return start, min(end, latest)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _require_answers(store: Store, model: str, release: str, since: datetime, until: datetime) -> None:
    """Raises: DataError: the release answered nothing then; names those that did."""
    import pyarrow.compute as pc

    from totalml.deployment.stages import SHADOW
    from totalml.prediction_log import LogReader

    rows = LogReader(store, model).read(["release", "arm"], since, until)
    given: Counter[str] = Counter()
    if len(rows):
        live = rows.filter(pc.not_equal(rows["arm"].cast("string"), SHADOW))
        given.update({each["values"].as_py(): each["counts"].as_py() for each in live["release"].value_counts()})
    if given[release]:
        return
    others = [f"{model}@{name} ({counted(count, 'row')})" for name, count in given.most_common() if name]
    mend = f"then answered {', '.join(others)}" if others else f"nothing of {model} is kept of that time"
    raise DataError(f"release {release} answered nothing from {_text(since)} to {_text(until)}; {mend}")


def _text(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
