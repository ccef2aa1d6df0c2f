"""What a model predicted, as the store keeps it: look at it, keep it small, delete from it.

  totalml log guinness                             days, rows, releases, bytes
  totalml log guinness --compact                   make few files of each hour that is over, as services do hourly
  totalml log guinness --older-than 90             remove the days that ended more than 90 days ago
  totalml log guinness --delete pint.jpg           rows, kept pictures, labels and review items of this picture
  totalml log guinness --delete blake3:4f1c...     of the input with this hash, which stands in the column `input`
  totalml log guinness --delete --row '{"age": 4}' of a row of metadata; with a picture: of both together

Given again, each does nothing more.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totalml.prediction_log.deletion import Sought
    from totalml.project import Place
    from totalml.store import Store

HEADER = ("day (UTC)", "rows", "files", "bytes", "releases")
_HASH = re.compile(r"blake3:[0-9a-f]{64}")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--compact", action="store_true", help="make few files of each hour that is over")
    parser.add_argument("--older-than", metavar="DAYS", type=int, help="remove older days")
    parser.add_argument("--delete", metavar="FILE|HASH", nargs="?", const="", help="remove what a person gave")
    parser.add_argument("--row", metavar="JSON", help="metadata of what --delete is about")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from datetime import UTC, datetime

    sought = _sought(arguments)
    if arguments.older_than is not None and arguments.older_than < 1:
        raise RecipeError(f"command line: --older-than {arguments.older_than} is to be a number of days from 1")
    store, now = place.open_store(), datetime.now(UTC)
    _require_log(store, arguments.model)
    if sought is not None:
        print(_delete(store, arguments.model, sought))
    if arguments.older_than is not None:
        print(_remove_older(store, arguments.model, arguments.older_than, now))
    if arguments.compact:
        from totalml.errors import StoreError
        from totalml.prediction_log.housekeeping import compact

        compacted = compact(store, arguments.model, now)
        print(f"{compacted.segments:,} segments of hours that are over were put together")
        if compacted.mistakes:
            raise StoreError("\n".join(compacted.mistakes))
    if sought is None and arguments.older_than is None and not arguments.compact:
        print("\n".join(_told(store, arguments.model, place.store_url or str(place.store))))
    return 0


def _sought(arguments: argparse.Namespace) -> Sought | None:
    """Raises: RecipeError: it is no file, no hash, or no row."""
    from totalml.prediction_log.deletion import Sought

    given, row = arguments.delete, arguments.row
    if given is None:
        if row is not None:
            raise RecipeError("command line: --row says what --delete is about; give that too")
        return None
    if _HASH.fullmatch(given):
        if row is not None:
            raise RecipeError("command line: a hash is of picture and row together; leave --row out")
        return Sought(hashed=given)
    if not given and row is None:
        raise RecipeError("command line: --delete needs a file, a hash blake3:..., or --row JSON")
    return Sought(picture=_picture(given) if given else b"", row=_row(row) if row is not None else {})


def _picture(given: str) -> bytes:
    try:
        return Path(given).expanduser().read_bytes()
    except OSError as error:
        raise RecipeError(
            f"command line: --delete {given}: {error.strerror or error}; "
            "give a file, or a hash, which is blake3: and 64 hex digits"
        ) from error


def _row(given: str) -> dict[str, Any]:
    try:
        row = json.loads(given)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"command line: --row is no JSON: {error}") from error
    if not isinstance(row, dict) or any(isinstance(value, (dict, list)) for value in row.values()):
        raise RecipeError("command line: --row is to be one row, such as '{\"age\": 4}'")
    return row


def _require_log(store: Store, model: str) -> None:
    from totalml.prediction_log.sampled_pictures import PICTURES
    from totalml.release.log_rows import LOG
    from totalml.target import did_you_mean

    known = sorted({*store.names(LOG), *store.names(PICTURES)})
    if model not in known:
        hint = did_you_mean(model, known) or (f"; there are logs of {', '.join(known)}" if known else "")
        raise RecipeError(f"command line: nothing is kept of what {model} predicted{hint}")


def _delete(store: Store, model: str, sought: Sought) -> str:
    from totalml.prediction_log.deletion import delete
    from totalml.values.shown import counted

    done = delete(store, model, sought)
    told = f"{counted(done.rows, 'row')}, {counted(done.pictures, 'picture')} and {counted(done.labels, 'label')} "
    return f"{told}were deleted" + (f", and {counted(done.items, 'item')} of reviews" if done.items else "")


def _remove_older(store: Store, model: str, days: int, now: Any) -> str:
    from totalml.prediction_log.housekeeping import remove_older, remove_older_items
    from totalml.prediction_log.sampled_pictures import PICTURES
    from totalml.values.shown import counted

    rows, pictures = remove_older(store, model, days, now), remove_older(store, model, days, now, PICTURES)
    items = remove_older_items(store, model, days, now)
    told = f"removed: {counted(len(rows), 'day')} of rows and {counted(len(pictures), 'day')} of pictures"
    return told + (f", and {counted(items, 'item')} of reviews" if items else "")


def _told(store: Store, model: str, where: str) -> Iterator[str]:
    """Args: where: the store lies."""
    from totalml.release.log_rows import LOG
    from totalml.segments.listing import Listing
    from totalml.segments.rows import size_of
    from totalml.terminal import aligned

    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    releases: dict[str, set[str]] = defaultdict(set)
    for segment in Listing(store, model).look().counting:
        rows, size = size_of(store, model, segment)
        day = segment.hour.day
        totals[day] = [total + more for total, more in zip(totals[day], (rows, 1, size), strict=True)]
        releases[day].add(segment.hour.release)
    lines = [(day, *(f"{each:,}" for each in total), " ".join(sorted(releases[day]))) for day, total in totals.items()]
    whole = [f"{sum(column):,}" for column in zip(*totals.values(), strict=True)]
    if not lines:
        return iter([f"no rows are kept of {model}"])
    answers = f"each answer is a row of the Parquet files in {where}/{LOG}/{model}; docs/serving.md has a query of them"
    return iter([*aligned([HEADER, *lines, ("all", *whole, "")]), answers])
