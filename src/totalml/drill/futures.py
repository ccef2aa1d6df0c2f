"""Histories of series: each a future of its own, whose rows come in the order of time after what the release knows.

Weeks of a market cannot be shuffled: season, what is remembered and what is odd of a week would be spread over all. So
each population is drawn anew for each history, and scored with its own past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.data.sample import Sample
from totalml.data.snapshot import parquet_bytes, read_parquet
from totalml.drill.history import CALM, DAY_US, NEVER, History, Pools
from totalml.drill.pools import Scored, key_of, perturbed, usable
from totalml.errors import DataError
from totalml.monitoring import observe
from totalml.monitoring.losses import LossOf, reference_truths
from totalml.monitoring.panel import Panel
from totalml.monitoring.tables import reference_of
from totalml.monitoring.traffic import compared
from totalml.release.scorer import Scorer
from totalml.release.signature import Signature
from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

    from totalml.drill.history import Rows
    from totalml.evaluation.truth import Truth
    from totalml.progress import Progress
    from totalml.recipe import DrillRecipe
    from totalml.release.bundle import Bundle

FUTURE = "future"  # the number of a row's


def make_futures(drill: DrillRecipe, bundle: Bundle, folder: Path, progress: Progress) -> dict[str, pa.Table]:
    """Population -> its samples in all of its futures, one after the other, with the columns of the log.

    Args: folder: where finished populations are kept.
    Raises: DataError: a sample cannot be used, or has no time. FeatureError: what the model sees is missing.
        ModelError: the model cannot run. StoreError: the folder cannot be written.
    """
    scorer, tables, amiss = Scorer.load(bundle), {}, _follows(bundle)
    for name in drill.populations:
        file = folder / f"{key_of(name, drill, bundle, (drill.days, drill.calm_histories, drill.histories))}.parquet"
        if not file.exists():
            told = progress.track(_numbers(name, drill), f"Futures of {name}")
            whole = pa.concat_tables([_scored(name, number, drill, scorer, amiss) for number in told])
            write_atomically(file, parquet_bytes(whole))
        tables[name] = read_parquet(file.read_bytes())
    return tables


def futures_as_pools(tables: Mapping[str, pa.Table], bundle: Bundle, truth: Truth, unit: str | None) -> Pools:
    """With the reference of the release as what plain tests are fitted on.

    Raises: DataError: the release has no reference.
    """
    signature, reference = Signature.read(bundle), reference_of(bundle)
    losses = LossOf.fit(reference, truth)
    parts = [reference, *tables.values()]
    # Of hundreds of pieces, a few rows would take long to be taken.
    whole = pa.concat_tables(parts, promote_options="permissive").combine_chunks()
    seen = whole.select(["time", *compared(whole.column_names, (*signature.columns, *signature.context))])
    ends = np.cumsum([0, *map(len, parts)])
    return Pools(
        observations=observe(seen, unit),
        wrong=np.concatenate([losses.of_reference(each) for each in parts]) > 0,
        rows={name: np.arange(*ends[place + 1 : place + 3]) for place, name in enumerate(tables)},
        table=seen,
        truths=reference_truths(whole, truth),
        reference=np.arange(ends[1]),
        futures=np.concatenate([np.full(len(reference), -1), *(each[FUTURE] for each in tables.values())]),
    )


def draw_future(pools: Pools, recipe: DrillRecipe, scenario: str | None, seed: int, number: int) -> History:
    """The same one for the same arguments; as `draw_history`, of another future for each number."""
    place = 0 if scenario is None else 1 + [*recipe.scenarios].index(scenario)
    # What sets the thresholds is never what they are tried on.
    future = number if scenario is None else recipe.calm_histories + number
    times, reference = pools.observations.times, pools.reference
    assert times is not None  # noqa: S101  # for the type checker: futures have both
    assert reference is not None  # noqa: S101
    usual = _of(pools, recipe.base, future)
    begin = int(times[usual].min()) // DAY_US * DAY_US
    rows = usual[times[usual] < begin + recipe.days * DAY_US]
    population = None if scenario is None else recipe.scenarios[scenario].population
    if population is not None:
        other = _of(pools, population, future)
        days = [(times[each] - begin) // DAY_US for each in (rows, other)]
        after = (days[1] >= recipe.from_day) & (days[1] < recipe.days)
        rows = np.concatenate([rows[days[0] < recipe.from_day], other[after]])
    rows = rows[np.argsort(times[rows], kind="stable")]
    day = (times[rows] - begin) // DAY_US
    told = np.random.default_rng([seed, place, number]).random(len(day)) < recipe.labels.share
    return History(
        pools=pools,
        scenario=scenario or CALM,
        rows=rows,
        times=times[rows],
        day=day,
        known_on=np.where(told, day + recipe.labels.delay_days, NEVER),
        reference_rows=reference,
        expected_rows=None,
        season=None,
        days=recipe.days,
        began=recipe.from_day,
        first_us=begin,
        drawn_as=(place, number),
    )


def _of(pools: Pools, population: str, future: int) -> Rows:
    rows = pools.rows[population]
    assert pools.futures is not None  # noqa: S101  # for the type checker
    return rows[pools.futures[rows] == future]


def _numbers(population: str, drill: DrillRecipe) -> Sequence[int]:
    """Of the futures that histories take of it."""
    if population == drill.base:
        return range(2 * drill.calm_histories)
    return range(drill.calm_histories, drill.calm_histories + drill.histories)


def _follows(bundle: Bundle) -> Callable[[datetime], str]:
    """What is wrong with futures that begin at a moment; empty: they follow what the release knows.

    Raises: DataError: it knows no periods.
    """
    panel = Panel.read(bundle)
    if panel is None:
        raise DataError("the release keeps no periods of its series, so nothing can follow them; release the run again")
    begin = datetime.fromtimestamp(panel.start(int(panel.numbers_of_starts[-1]) + 1) / 1e6, UTC)
    slack = timedelta(days=panel.period_days / 2)  # as months are not all as long

    def told(first: datetime) -> str:
        if abs(first - begin) < slack:
            return ""
        return f"begins on {first:%Y-%m-%d}; what the release knows ends before {begin:%Y-%m-%d}: let it begin then"

    return told


def _scored(name: str, number: int, drill: DrillRecipe, scorer: Scorer, amiss: Callable[[datetime], str]) -> pa.Table:
    """Raises: DataError: it has no samples, or they do not follow what the release knows."""
    source = drill.source_of(name)
    drawn = None if source is None else source.redrawn(number)
    assert drawn is not None  # noqa: S101  # for the type checker: the recipe would have been refused
    samples = [*_within(usable(drawn.samples()), drill.days)]
    if samples and samples[0].timestamp and (told := amiss(samples[0].timestamp)):
        raise DataError(f"population {name!r} of the drill {told}")
    scored = Scored(scorer)
    scored.add([perturbed(drill.populations[name], sample) for sample in samples])
    table = scored.table(name)
    return table.append_column(FUTURE, pa.array(np.full(len(table), number)))


def _within(samples: Iterable[Sample], days: int) -> Iterator[Sample]:
    """The first days of samples in the order of time. Raises: DataError: one has no time."""
    begin = None
    for sample in samples:
        if sample.timestamp is None:
            raise DataError(f"sample {sample.id!r} of the drill has no time, by which futures are told")
        begin = begin or sample.timestamp
        if (sample.timestamp - begin).days >= days:
            return
        yield sample
