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
import pyarrow.compute as pc

from totalml.component import plain
from totalml.data import load_snapshot, split_samples
from totalml.data.columns import metadata_table
from totalml.data.image_properties import image_properties
from totalml.data.sample import BadSample, Row, Sample
from totalml.data.snapshot import parquet_bytes, read_parquet
from totalml.drill.history import Pools
from totalml.errors import DataError
from totalml.evaluation.regression.columns import column
from totalml.identity import canonical, digest, short
from totalml.labels import truth_of
from totalml.monitoring import observe
from totalml.release.log_rows import log_columns
from totalml.release.onnx_model import IMAGE
from totalml.release.reference import reference_rows
from totalml.release.scorer import CHUNK, Scorer
from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    from totalml.progress import Progress
    from totalml.recipe import DrillRecipe, PopulationRecipe, Recipe
    from totalml.release.bundle import Bundle
    from totalml.runs.attempt import Attempt
    from totalml.store import Store

POOL, WRONG = "drill pool v1", "wrong"


def make_pools(
    recipe: Recipe, drill: DrillRecipe, bundle: Bundle, attempt: Attempt, store: Store, folder: Path, progress: Progress
) -> dict[str, pa.Table]:
    """Population -> its samples, with the columns of the log, `time`, `label` where there is one, and `wrong`.

    Args: folder: where finished ones are kept.
    Raises:
        DataError: a sample cannot be used, or has no label. FeatureError: what the model sees is missing.
        ModelError: the model cannot run. StoreError: the folder cannot be written.
    """
    files = {name: folder / f"{_key(name, drill, bundle)}.parquet" for name in drill.populations}
    waiting = [name for name in drill.populations if not files[name].exists()]
    while waiting:
        source = drill.source_of(waiting[0])
        populations = [name for name in waiting if drill.source_of(name) == source]  # asked once for all of these
        waiting = [name for name in waiting if name not in populations]
        samples = own_samples(recipe, attempt, store) if source is None else _usable(source.samples())
        what = f"Samples for {', '.join(populations)}"
        scorer, done = Scorer.load(bundle), {name: _Scored() for name in populations}
        for some in _chunks(progress.track(samples, what)):
            for name in populations:
                done[name].add([_perturbed(drill.populations[name], sample) for sample in some], scorer)
        for name, scored in done.items():
            write_atomically(files[name], parquet_bytes(scored.table(name)))
    return {name: read_parquet(file.read_bytes()) for name, file in files.items()}


def as_pools(tables: Mapping[str, pa.Table], unit: str | None) -> Pools:
    """Raises: DataError: there is no column `unit`."""
    whole = pa.concat_tables(tables.values(), promote_options="default")
    ends = np.cumsum([0, *(len(table) for table in tables.values())])
    return Pools(
        observations=observe(whole, unit),
        wrong=np.asarray(whole[WRONG], np.bool_),
        rows={name: np.arange(ends[place], ends[place + 1]) for place, name in enumerate(tables)},
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


class _Scored:
    """What was scored of one population so far."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._parts: list[pa.Table] = []

    def add(self, samples: Sequence[Sample], scorer: Scorer) -> None:
        rows = [Row(each.id, None, 0, each.label, each.group, each.timestamp, None, each.metadata) for each in samples]
        pictures = [each.image for each in samples if each.image is not None] if scorer.image else None
        inputs = scorer.inputs(
            [each.id for each in samples], pictures, metadata_table(rows) if scorer.signature.columns else None
        )
        scored = scorer.score(inputs)
        properties = image_properties(inputs[IMAGE]) if scorer.image else {}
        columns = log_columns(scored.answers, properties, None, scored.embeddings, scored.strangeness)
        columns[WRONG] = pa.array(_wrong(samples, scored.answers, scorer))
        self._parts.append(pa.table(columns))
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
        metadata = log_columns(pa.table({}), {}, metadata_table(self._rows), None, None)
        whole = pa.concat_tables(self._parts)
        return pa.table({**told, **metadata, **dict(zip(whole.column_names, whole.columns, strict=True))})


def _wrong(samples: Sequence[Sample], answers: pa.Table, scorer: Scorer) -> Any:
    """(N,) bool: another class, another set of labels; a number outside the interval that was given for it.

    Raises: DataError: a sample has no label, or the task knows neither right nor wrong.
    """
    truth, signature = truth_of(scorer.signature), scorer.signature
    known = {name: [each.metadata.get(name, each.label) for each in samples] for name in truth.columns}
    for name, values in known.items():
        if None in values:
            lacking = samples[values.index(None)].id
            raise DataError(
                f"sample {lacking!r} of the drill has no {name}, so nobody knows whether an answer is wrong"
            )
    truths = pa.table({name: pa.array(known[name], kind) for name, kind in truth.columns.items()})
    judged = truth.judge(answers, truths)
    if WRONG in judged:
        return np.asarray(pc.fill_null(judged[WRONG], True), np.bool_)
    outside = np.zeros(len(samples), np.bool_)
    for name in signature.targets:
        low, high = (column(part, name, signature.targets) for part in ("lower", "upper"))
        if low not in answers.column_names:
            raise DataError(
                f"the drill counts wrong answers, and the task {signature.task} tells no interval of {name}"
            )
        value, least, most = (np.asarray(each, np.float64) for each in (truths[name], answers[low], answers[high]))
        outside |= ~((value >= least) & (value <= most))
    return outside


def _key(name: str, drill: DrillRecipe, bundle: Bundle) -> str:
    """By all that its samples and answers depend on, so that the file of another population is never taken for it."""
    made_of = [plain(drill.source_of(name), where=False), plain(drill.populations[name].perturb, where=False)]
    return short(digest(POOL, canonical([*made_of, bundle.hash])), 16)


def _usable(samples: Iterable[Any]) -> Iterator[Sample]:
    """Raises: DataError: the first that cannot be used."""
    for sample in samples:
        if isinstance(sample, BadSample):
            raise DataError(f"sample {sample.id!r} of the drill cannot be used: {sample.reason}")
        if isinstance(sample, Sample):
            yield sample


def _perturbed(population: PopulationRecipe, sample: Sample) -> Sample:
    for perturbation in population.perturb:
        sample = perturbation.change(sample)
    return sample


def _chunks(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    waiting = iter(samples)
    while some := [*islice(waiting, CHUNK)]:
        yield some
