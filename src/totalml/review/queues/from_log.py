"""What callers asked and a release answered, as its prediction log has it.

Of a model that sees pictures only requests of which the pictures were kept, since nobody can judge the others: a share
of all by a hash of the request's id, so that a random sample of them is one of all requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.errors import RecipeError
from totalml.identity import short
from totalml.labels import truth_of
from totalml.prediction_log.columns import sample_keys, typed
from totalml.prediction_log.reader import SPAN, LogReader
from totalml.prediction_log.sampled_pictures import kept_pictures
from totalml.recipe.bounds import seconds_of
from totalml.release.log_rows import ANSWER, METADATA
from totalml.review.queues.pool import TEXT, Pool
from totalml.review.queues.weights import BRIGHTNESS, STRANGENESS, differing
from totalml.segments.listing import Listing

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature
    from totalml.store import Store

KEYS = ("request_id", "id", "sample", "release", "error")
LONGEST = timedelta(days=36_500)  # that a log is looked back in
SAID = ("predicted", "value")  # how the columns begin that hold what was said


@dataclass(frozen=True)
class LogPool:
    """Args: asked: requests that were answered, whether anybody can judge them or not."""

    pool: Pool
    asked: int


def log_pool(
    store: Store, bundle: Bundle, signature: Signature, settings: ReviewRecipe, since: datetime, told: str
) -> LogPool:
    """Raises: StoreError: the log cannot be read."""
    columns = [*KEYS, "time", "input", STRANGENESS, BRIGHTNESS]
    columns += [f"{ANSWER}{name}" for name in signature.answers]
    columns += [f"{METADATA}{name}" for name in (*signature.columns, *signature.context)]
    rows = _answered(typed(LogReader(store, bundle.name, since, bundle.hash).read(columns)), bundle)
    asked = len(rows)
    differs = _differs(store, bundle, signature, since, rows)
    if signature.picture:
        found = kept_pictures(store, bundle.name, pc.unique(rows["input"]).drop_null().to_pylist())
        places = pc.index_in(rows["input"], value_set=pa.array([*found], TEXT))
        rows = rows.append_column("picture", pa.array([*found.values()], TEXT).take(places.combine_chunks()))
        seen = np.asarray(places.is_valid())
        rows, differs = rows.filter(pa.array(seen)), None if differs is None else differs[seen]
    rows = rows.drop_columns(["sample", "error"])  # a number in its request, and no sample of a snapshot
    return LogPool(Pool(rows, told, differs, facts_of(settings, signature)), asked)


def facts_of(settings: ReviewRecipe, signature: Signature) -> tuple[str, ...]:
    """Columns that are shown beside a picture, or instead of one; never one that holds what is asked."""
    asked = truth_of(signature).columns
    shown = settings.shows or (() if signature.picture else (*signature.columns, *signature.context))
    return tuple(name for name in shown if name not in asked)


def span_of(since: str) -> timedelta:
    """Of `--since`: `14d`, `12h`. Raises: RecipeError: it is no such span."""
    try:
        seconds = seconds_of(since)
    except ValueError as error:
        raise RecipeError(f"command line: --since {since}: {error}") from error
    if not 0 < seconds <= LONGEST.total_seconds():
        raise RecipeError(f"command line: --since {since} is to be more than nothing, and {LONGEST.days:,}d at most")
    return timedelta(seconds=seconds)


def _answered(rows: pa.Table, bundle: Bundle) -> pa.Table:
    """Without columns of which nothing is known, and what could not be answered."""
    rows = rows.filter(pc.and_(pc.equal(rows["release"], bundle.hash), pc.is_null(rows["error"])))
    return rows.drop_columns([field.name for field in rows.schema if pa.types.is_null(field.type)])


def _differs(
    store: Store, bundle: Bundle, signature: Signature, since: datetime, rows: pa.Table
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Of each row, from what other releases said beside it; of several the last that is looked at."""
    listed = Listing(store, bundle.name).look(f"{since - SPAN:%Y-%m-%d}").counting
    others = sorted({each.hour.release for each in listed} - {short(bundle.hash)})
    said = (f"{ANSWER}{name}" for name in signature.answers if name.partition(":")[0] in SAID)
    names = [name for name in said if name in rows.column_names]
    found = np.full(len(rows), np.nan)
    for release in others if names and len(rows) else ():
        theirs = LogReader(store, bundle.name, since, release).read([*KEYS, *names])
        theirs = typed(theirs)
        theirs = theirs.filter(pc.is_null(theirs["error"]))
        if not len(theirs) or any(theirs[name].type != rows[name].type for name in names):
            continue
        places = pc.index_in(sample_keys(rows), value_set=sample_keys(theirs).combine_chunks()).combine_chunks()
        both = np.flatnonzero(np.asarray(places.is_valid()))
        if len(both):
            beside = theirs.take(places.drop_null())
            found[both] = differing(rows.take(pa.array(both)), beside, names)
    return found if np.isfinite(found).any() else None
