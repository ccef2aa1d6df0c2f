"""The parity gate: the service's own path from the bytes of a picture to an answer says what the run said.

A model that was right in its evaluation and wrong behind a service was mostly decoded, scaled or coded otherwise there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.data import load_snapshot, split_samples
from totalml.data.snapshot import read_parquet
from totalml.features import build_features
from totalml.features.shared.past import TIMESTAMP
from totalml.progress import Progress
from totalml.release.scorer import CHUNK, Scorer
from totalml.runs.attempt import PREDICTIONS_FILE
from totalml.runs.stored import stored_recipe

if TYPE_CHECKING:
    from totalml.data import Snapshot
    from totalml.recipe import Recipe
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature
    from totalml.runs.attempt import Attempt
    from totalml.store import Store

# Of a probability, or of a value relative to the largest: what float32 leaves after another order of sums.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Parity:
    """Args:
    samples: that were replayed.
    largest: difference of a number; `of`: the sample and column where it is.
    others: samples whose words differ, such as the class, though their numbers do not: ties.
    """

    samples: int
    largest: float
    of: tuple[str, str]
    others: int

    @property
    def passed(self) -> bool:
        return self.largest <= TOLERANCE

    def told(self) -> str:
        where = f" (sample {self.of[0]!r}, {self.of[1]})" if self.of[0] else ""
        bound = f"at most {TOLERANCE:g} is allowed"
        return f"the service's path answers {self.samples} test samples within {self.largest:.2g}{where}; {bound}"


def parity_of(bundle: Bundle, attempt: Attempt, store: Store) -> Parity:
    """Of a release and the run that it was made of.

    Raises: StoreError: the samples are no longer in the store, whole. DataError, FeatureError: the path refuses one.
    """
    predictions = read_parquet((attempt.folder / PREDICTIONS_FILE).read_bytes())
    recipe, data_hash = stored_recipe(attempt.folder), attempt.facts["data_hash"]
    return replay(recipe, predictions, Scorer.load(bundle), data_hash, store)


def replay(recipe: Recipe, predictions: pa.Table, scorer: Scorer, data_hash: str, store: Store) -> Parity:
    """Args:
        predictions: of the run, for its test split.
    Raises: StoreError: the samples are no longer in the store, whole. DataError, FeatureError: the path refuses one.
    """
    snapshot = load_snapshot(data_hash, store)
    rows = split_samples(recipe.data.split, snapshot).test
    times = snapshot.samples[TIMESTAMP].take(rows).cast(pa.int64())
    table = _rows(recipe, snapshot, scorer.signature, pc.min(times).as_py() or 0, store)
    found = Parity(0, 0.0, ("", ""), 0)
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        answers = _answers(snapshot, table, some, scorer, store)
        found = _worse(found, _compared(answers, predictions.slice(start, CHUNK)))
    return found


def _rows(recipe: Recipe, snapshot: Snapshot, seen: Signature, begins_us: int, store: Store) -> pa.Table | None:
    """The columns of the snapshot with their times, and ready-made those that the service cannot make itself."""
    if not seen.columns:
        return None
    table = snapshot.metadata
    if seen.shared and TIMESTAMP not in table.column_names:
        table = table.append_column(TIMESTAMP, snapshot.samples[TIMESTAMP])
    # Of a time before what is frozen, the service has no history.
    early = [name for each in seen.shared if each.since_us > begins_us for name in each.columns]
    if not (ready := [*seen.made, *early]):
        return table
    silent = Progress.silent()
    made = build_features(recipe.features, recipe.data, recipe.task, snapshot, store, silent, recipe.runtime)
    for name in ready:
        column = pa.array(made.numeric[:, made.numeric_names.index(name)], from_pandas=True)
        table = table.append_column(name, column)
    return table


def _answers(snapshot: Snapshot, table: pa.Table | None, rows: Any, scorer: Scorer, store: Store) -> pa.Table:
    ids = snapshot.samples["id"].take(rows).to_pylist()
    blobs = snapshot.samples["blob"].take(rows).to_pylist()
    pictures = list(store.read_many(blobs)) if scorer.signature.picture else None
    inputs = scorer.inputs(ids, pictures, None if table is None else table.take(rows))
    return scorer.score(inputs).answers.append_column("id", pa.array(ids, pa.string()))


def _compared(ours: pa.Table, theirs: pa.Table) -> Parity:
    """Raises: ValueError: they are not of the same samples."""
    ids = ours["id"].to_pylist()
    if ids != theirs["id"].to_pylist():
        raise ValueError("the predictions are of other samples than the test split")
    largest, of = 0.0, ("", "")
    others = np.zeros(len(ids), np.bool_)
    for name in ours.column_names:
        if not pa.types.is_floating(ours[name].type):
            others |= [
                mine != other for mine, other in zip(ours[name].to_pylist(), theirs[name].to_pylist(), strict=True)
            ]
            continue
        mine, other = (pc.fill_null(each[name].cast("float64"), np.nan).to_numpy() for each in (ours, theirs))
        gap = np.where(
            np.isnan(mine) & np.isnan(other), 0.0, np.abs(mine - other) / max(1.0, np.nanmax(np.abs(other), initial=0))
        )
        gap = np.where(np.isnan(gap), np.inf, gap)
        if len(gap) and gap.max() > largest:
            largest, of = float(gap.max()), (ids[int(gap.argmax())], name)
    return Parity(len(ids), largest, of, int(others.sum()))


def _worse(one: Parity, other: Parity) -> Parity:
    worst = max(one, other, key=lambda each: each.largest)
    return Parity(one.samples + other.samples, worst.largest, worst.of, one.others + other.others)
