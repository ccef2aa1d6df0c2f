"""Score every population once, by the release and on the service's own path, and keep it as the log would.

What a killed process has scored stands in files of their own, by what they are made of, and is not scored again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.component import plain
from totalml.data import load_snapshot, split_samples
from totalml.data.columns import metadata_table
from totalml.data.image_properties import image_properties
from totalml.data.sample import BadSample, Row, Sample
from totalml.data.snapshot import parquet_bytes, read_parquet
from totalml.drill.history import Pools
from totalml.errors import DataError
from totalml.features.shared.frozen import with_made
from totalml.features.shared.past import TIMESTAMP
from totalml.identity import canonical, digest, short
from totalml.monitoring import observe
from totalml.monitoring.losses import LossOf
from totalml.monitoring.traffic import compared
from totalml.release.log_rows import METADATA, log_columns, metadata_columns
from totalml.release.onnx_model import IMAGE
from totalml.release.reference import reference_rows
from totalml.release.scorer import CHUNK, Scorer
from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    from totalml.evaluation.truth import Truth
    from totalml.progress import Progress
    from totalml.recipe import DrillRecipe, PopulationRecipe, Recipe
    from totalml.release.bundle import Bundle
    from totalml.runs.attempt import Attempt
    from totalml.store import Store

POOL = "drill pool v1"


def make_pools(
    recipe: Recipe, drill: DrillRecipe, bundle: Bundle, attempt: Attempt, store: Store, folder: Path, progress: Progress
) -> dict[str, pa.Table]:
    """Population -> its samples, with the columns of the log, `time` and `label`.

    Args: folder: where finished ones are kept.
    Raises:
        DataError: a sample cannot be used. FeatureError: what the model sees is missing.
        ModelError: the model cannot run. StoreError: the folder cannot be written.
    """
    files = {name: folder / f"{key_of(name, drill, bundle)}.parquet" for name in drill.populations}
    waiting = [name for name in drill.populations if not files[name].exists()]
    while waiting:
        source = drill.source_of(waiting[0])
        populations = [name for name in waiting if drill.source_of(name) == source]  # asked once for all of these
        waiting = [name for name in waiting if name not in populations]
        samples = own_samples(recipe, attempt, store) if source is None else usable(source.samples())
        what = f"Samples for {', '.join(populations)}"
        scorer = Scorer.load(bundle)
        done = {name: Scored(scorer) for name in populations}
        # A row's shared features are made of other rows too, so all of a population comes at once.
        size = None if scorer.makers else CHUNK
        for some in _chunks(progress.track(samples, what), size):
            for name in populations:
                done[name].add([perturbed(drill.populations[name], sample) for sample in some])
        for name, scored in done.items():
            write_atomically(files[name], parquet_bytes(scored.table(name)))
    return {name: read_parquet(file.read_bytes()) for name, file in files.items()}


def as_pools(tables: Mapping[str, pa.Table], base: str, truth: Truth, sent: Sequence[str], unit: str | None) -> Pools:
    """Args:
    base: the population by whose errors those of numbers without intervals are judged.
    sent: metadata columns that callers send; of the others, such as the label, a monitor knows nothing.
    Raises: DataError: there is no column `unit`, or samples whose truth nobody knows.
    """
    losses = LossOf.fit(tables[base], truth)
    wrong = {name: losses.of_reference(table) for name, table in tables.items()}
    if unknown := [f"  {name!r}: {int(np.isnan(each).sum())}" for name, each in wrong.items() if np.isnan(each).any()]:
        told = "populations of the drill have samples of which nobody knows whether they are answered rightly:"
        raise DataError("\n".join([told, *unknown, f"give each a value of {', '.join(truth.columns)}"]))
    whole = pa.concat_tables(tables.values(), promote_options="permissive")
    seen = whole.select(["time", *compared(whole.column_names, sent)])
    truths = [name for each in truth.columns for name in (each, METADATA + each) if name in whole.column_names]
    ends = np.cumsum([0, *(len(table) for table in tables.values())])
    return Pools(
        observations=observe(seen, unit),
        wrong=np.concatenate([*wrong.values()]) > 0,
        rows={name: np.arange(ends[place], ends[place + 1]) for place, name in enumerate(tables)},
        table=seen,
        truths=whole.select(truths),
    )


def own_samples(recipe: Recipe, attempt: Attempt, store: Store) -> Iterator[Sample]:
    """Those that the model was chosen by and judged on, as they came from their source.

    Raises: StoreError: they are no longer in the store, whole.
    """
    snapshot = load_snapshot(attempt.facts["data_hash"], store)
    rows = reference_rows(split_samples(recipe.data.split, snapshot))
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        known, given = snapshot.samples.take(some).to_pylist(), snapshot.metadata.take(some).to_pylist()
        pictures = iter(store.read_many([each["blob"] for each in known if each["blob"]]))
        for each, metadata in zip(known, given or [{}] * len(known), strict=True):
            image = next(pictures) if each["blob"] else None
            yield Sample(each["id"], image, each["label"], each["group"], each["timestamp"], metadata)


class Scored:
    """What was scored of one population so far."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._rows: list[Row] = []
        self._parts: list[pa.Table] = []
        self._made: list[pa.Table] = []

    def add(self, samples: Sequence[Sample]) -> None:
        """Raises: FeatureError: what the model sees is missing."""
        rows = [Row(each.id, None, 0, each.label, each.group, each.timestamp, None, each.metadata) for each in samples]
        pictures = [each.image for each in samples if each.image is not None] if self._scorer.image else None
        table = self._seen(rows) if self._scorer.signature.columns else None
        inputs = self._scorer.inputs([each.id for each in samples], pictures, table)
        scored = self._scorer.score(inputs)
        properties = image_properties(inputs[IMAGE]) if self._scorer.image else {}
        self._parts.append(
            pa.table(log_columns(scored.answers, properties, None, scored.embeddings, scored.strangeness))
        )
        self._rows += rows

    def table(self, name: str) -> pa.Table:
        """Raises: DataError: the population is empty."""
        if not self._parts:
            raise DataError(f"population {name!r} of the drill has no samples; look at its source")
        told = {
            "id": pa.array([row.id for row in self._rows], pa.string()),
            "time": pa.array([row.timestamp for row in self._rows], pa.timestamp("us", "UTC")),
            "label": pa.array([row.label for row in self._rows], pa.string()),
        }
        given = self._metadata(self._rows)
        if self._made:
            made = pa.concat_tables(self._made)
            given = pa.table([*given.columns, *made.columns], [*given.column_names, *made.column_names])
        metadata = metadata_columns(given)
        whole = pa.concat_tables(self._parts)
        return pa.table({**told, **metadata, **dict(zip(whole.column_names, whole.columns, strict=True))})

    def _seen(self, rows: Sequence[Row]) -> pa.Table:
        """With the columns of shared features, which the log keeps too."""
        given, makers = self._metadata(rows), self._scorer.makers
        if not makers:
            return given
        times = pa.array([row.timestamp for row in rows], pa.timestamp("us", "UTC"))
        seen = with_made(given.append_column(TIMESTAMP, times), makers)
        known = (*given.column_names, TIMESTAMP)
        self._made.append(seen.select([name for name in seen.column_names if name not in known]))
        return seen

    def _metadata(self, rows: Sequence[Row]) -> pa.Table:
        """Of a column that holds nothing, only the model can tell what it would hold."""
        table, signature = metadata_table(rows), self._scorer.signature
        for place, name in enumerate(table.column_names):
            if table[name].null_count == len(table):
                kind = pa.float64() if name in signature.numeric else pa.string()
                table = table.set_column(place, name, pa.nulls(len(table), kind if name in signature.columns else None))
        return table


def key_of(name: str, drill: DrillRecipe, bundle: Bundle, more: Sequence[int] = ()) -> str:
    """By all that its samples and answers depend on, so that the file of another population is never taken for it."""
    made_of = [plain(drill.source_of(name), where=False), plain(drill.populations[name].perturb, where=False)]
    return short(digest(POOL, canonical([*made_of, bundle.hash, *more])), 16)


def usable(samples: Iterable[Any]) -> Iterator[Sample]:
    """Raises: DataError: the first that cannot be used."""
    for sample in samples:
        if isinstance(sample, BadSample):
            raise DataError(f"sample {sample.id!r} of the drill cannot be used: {sample.reason}")
        if isinstance(sample, Sample):
            yield sample


def perturbed(population: PopulationRecipe, sample: Sample) -> Sample:
    for perturbation in population.perturb:
        sample = perturbation.change(sample)
    return sample


def _chunks(samples: Iterable[Sample], size: int | None) -> Iterator[list[Sample]]:
    """Args: size: of a chunk; None: all are one."""
    waiting = iter(samples)
    while some := [*islice(waiting, size)]:
        yield some
