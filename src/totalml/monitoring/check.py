"""Hold a table against another one: is it still the same, and if not, what moved?

  totalml monitor check --reference a.parquet --window b.parquet
  totalml monitor check --reference guinness@production --window preds.parquet --unit uploader --json

Tables are Parquet, CSV, a folder of Parquet files, or as reference a release; any columns will do, those of `totalml
predict` and of the prediction log are known by their names. Needs no project for tables, or with --store. --level is
the chance of a false alarm, of all columns together. Exit code 3: something moved, or something is wrong with the data;
0: nothing does, or too little is there to say so.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from totalml.errors import DataError, RecipeError
from totalml.monitoring.verdict import ALARMED, TOO_FEW
from totalml.release.log_rows import METADATA
from totalml.values.shown import counted, short_number

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.monitoring.verdict import Verdict
    from totalml.project import Place

LEAST_LEVEL = 1e-4  # a lower one takes more permutations than anybody waits for


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reference", required=True, metavar="TABLE", help="what is known to be right")
    parser.add_argument("--window", required=True, metavar="TABLE", help="what is asked about")
    parser.add_argument("--unit", metavar="COLUMN", help="equal values come together, such as an uploader")
    parser.add_argument("--by", metavar="COLUMN", action="append", default=[], help="say who brings what is wrong")
    parser.add_argument(
        "--lever", metavar="COLUMN", action="append", default=[], help="people set it: it may stay at 0"
    )
    parser.add_argument("--level", type=float, default=0.05, help="chance of a false alarm (0.05)")
    parser.add_argument("--json", action="store_true", help="all evidence, for machines")


def anywhere(arguments: argparse.Namespace) -> bool:
    """Tables need no store, and a store that is named is found from any folder."""
    from totalml.release.named import is_reference

    return arguments.store is not None or not is_reference(arguments.reference)


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.monitoring.checked import check
    from totalml.monitoring.tables import release_of
    from totalml.release.bundle import PERIODS
    from totalml.release.signature import Signature

    if not LEAST_LEVEL <= arguments.level < 1:
        raise RecipeError(f"command line: --level {arguments.level:g} is a chance, from {LEAST_LEVEL:g} to less than 1")
    reference, window = _sides(arguments, place)
    bundle = release_of(arguments.reference, place.open_store)
    signature = Signature.read(bundle) if bundle else None
    lacks = _left_out(signature.context if signature else (), reference, window)
    # Of these the release makes what its model sees, and holds that alone.
    further = _as_logged(signature.only_for_shared if signature else ()) - {*reference.column_names}
    reference, window = (
        side.select([name for name in side.column_names if name not in {*lacks, *further}])
        for side in (reference, window)
    )
    unit, by, levers = arguments.unit, arguments.by, arguments.lever
    verdict = check(reference, window, unit=unit, by=by, levers=levers, level=arguments.level)
    lines = _told(verdict, len(reference), len(window))
    if verdict.cause == TOO_FEW:
        lines.append("  nothing was found, which says nothing; the exit code is 0 all the same")
    if lacks:
        lines.append(f"  not looked at, as the window lacks what callers may leave out: {', '.join(lacks)}")
    if bundle and PERIODS in bundle:
        lines.append("  the model is of series, and this knows of no periods or seasons; totalml monitor does")
    print(json.dumps(verdict.as_json()) if arguments.json else "\n".join(lines))
    return ALARMED if verdict.alarms else 0


def _sides(arguments: argparse.Namespace, place: Place) -> list[pa.Table]:
    """Reference and window. Raises: DataError: what is wrong with either."""
    from totalml.monitoring.tables import looked_at, read_side

    sides: list[pa.Table] = []
    wrong = []
    for text, what in ((arguments.reference, "reference"), (arguments.window, "window")):
        other = sides[0].column_names if sides else None
        try:
            sides.append(read_side(text, what, place.open_store, partial(looked_at, unit=arguments.unit, other=other)))
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        raise DataError("\n".join(wrong))
    return sides


def _as_logged(names: Iterable[str]) -> set[str]:
    return {METADATA + name for name in names}


def _left_out(context: Iterable[str], reference: pa.Table, window: pa.Table) -> list[str]:
    """Columns that callers of the release may leave out, and that the window holds nothing of, as with photos alone."""
    there = {*window.column_names}
    return [
        name
        for name in sorted(_as_logged(context) & {*reference.column_names})
        if name not in there or window[name].null_count == len(window)
    ]


def _told(verdict: Verdict, before: int, now: int) -> list[str]:
    from totalml.monitoring.verdict import OF_WINDOW

    lines = [f"{verdict.cause}: {verdict.told}", f"  {counted(now, 'row')} against {before:,}"]
    moves = (window.facts.get("moves", []) if (window := verdict.of(OF_WINDOW)) else [])[:10]
    for move in moves:
        sides = [move["before"], move["now"]]
        values = "" if sides == [None, None] else "  " + " -> ".join(map(_value, sides))
        of = f" of {move['of']}" if move["of"] else ""
        lines.append(f"  {move['name']:<32} {move['statistic']:<10} p {move['p']:.3g}{values}{of}")
    return lines


def _value(value: float | None) -> str:
    return "none" if value is None else short_number(value)
