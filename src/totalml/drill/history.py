"""Draw histories: what a service would have seen day by day, from samples that were scored once.

No sample comes twice in a history, and the reference is drawn from the same population anew each time: so the days on
which nothing happens are exchangeable with it, and whatever alarms in them alarms falsely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.monitoring import Observations
    from totalml.recipe import DrillRecipe, ScenarioRecipe

    Rows = NDArray[np.int64]

DAY_US = 86_400_000_000
FIRST_DAY_US = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000  # a Monday
NEVER = np.iinfo(np.int64).max
SURE = 6.0  # deviations of a Poisson number; one history in 10^9 wants more


@dataclass(frozen=True)
class Pools:
    """All samples of all populations, scored.

    Args:
        observations: (N,) of all; their times say at which time of a day each comes.
        wrong: (N,) bool, whether the model errs.
        rows: population -> its rows.
        table: (N,) the same with the columns of the log, for what wants to read one; None: there is none.
        truths: (N,) what is true of them, in the columns of a release's reference; None: as `table`.
        reference: rows that plain tests are fitted on; None: each history draws them.
        futures: (N,) of histories in the order of time, the number of the one that a row is of; None: rows are drawn.
    """

    observations: Observations
    wrong: NDArray[np.bool_]
    rows: Mapping[str, Rows]
    table: pa.Table | None = None
    truths: pa.Table | None = None
    reference: Rows | None = None
    futures: Rows | None = None


@dataclass(frozen=True)
class History:
    """Args:
    scenario: its name.
    rows: (N,) of the pools, in the order in which they come.
    times: (N,) int64 microseconds since 1970 UTC.
    day: (N,) int64 from 0.
    known_on: (N,) int64 day on which the truth is told; `NEVER`.
    reference_rows: of the pools, what a monitor is fitted on.
    expected_rows: samples of the same season the last time; None: none is expected.
    season: first day of the expected season, and the first one after it.
    days: of the whole history.
    began: the day on which whatever happens begins.
    first_us: midnight of day 0, microseconds since 1970 UTC.
    drawn_as: what else tells it from other histories than its rows.
    """

    pools: Pools
    scenario: str
    rows: Rows
    times: Rows
    day: Rows
    known_on: Rows
    reference_rows: Rows
    expected_rows: Rows | None
    season: tuple[int, int] | None
    days: int
    began: int
    first_us: int = FIRST_DAY_US
    drawn_as: tuple[int, ...] = ()

    @cached_property
    def observations(self) -> Observations:
        return replace(self.pools.observations.take(self.rows), times=self.times)

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """(N,) to be looked at on the day `known_on` alone."""
        return self.pools.wrong[self.rows]

    @cached_property
    def reference(self) -> Observations:
        return self._before(self.reference_rows)

    @cached_property
    def reference_wrong(self) -> NDArray[np.bool_]:
        return self.pools.wrong[self.reference_rows]

    @cached_property
    def expected(self) -> Observations | None:
        return None if self.expected_rows is None else self._before(self.expected_rows)

    def table(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> pa.Table:
        """Some samples as the log has them. Args: rows: of `rows`."""
        import pyarrow as pa

        if self.pools.table is None:
            raise DataError("these pools hold no table; only what looks at `observations` can be drilled with them")
        some = self.pools.table.take(pa.array(self.rows[rows]))
        times = pa.array(self.times[rows]).cast(pa.timestamp("us", "UTC"))
        return some.set_column(some.column_names.index("time"), "time", times)

    def _before(self, rows: Rows) -> Observations:
        return replace(self.pools.observations.take(rows), times=None)


CALM = "nothing"


def draw_history(pools: Pools, recipe: DrillRecipe, scenario: str | None, seed: int, number: int) -> History:
    """The same one for the same arguments.

    Args:
        scenario: its name in the recipe; None: nothing happens.
        number: of the history; others of the same scenario are other draws.
    Raises: DataError: a population has too few samples.
    """
    asked = None if scenario is None else recipe.scenarios[scenario]
    place = 0 if scenario is None else 1 + [*recipe.scenarios].index(scenario)
    random = np.random.default_rng([seed, place, number])
    changed = share_by_day(recipe, asked)
    day = np.repeat(np.arange(recipe.days), random.poisson(volumes(recipe, asked)))
    moved = random.random(len(day)) < changed[day]
    decks = {name: random.permutation(rows) for name, rows in pools.rows.items()}
    population = recipe.base if asked is None or asked.population is None else asked.population
    dealt = _Dealer(decks, scenario or CALM)
    reference = dealt.take(recipe.base, recipe.reference)
    expected = None if asked is None or asked.expected is None else dealt.take(asked.expected, recipe.reference)
    rows = np.empty(len(day), np.int64)
    rows[~moved] = dealt.take(recipe.base, int((~moved).sum()))
    rows[moved] = dealt.take(population, int(moved.sum()))
    of_day = _time_of_day(pools.observations, random)[rows]
    order = np.lexsort((of_day, day))
    rows, day = rows[order], day[order]
    told = random.random(len(day)) < recipe.labels.share
    return History(
        pools=pools,
        scenario=scenario or CALM,
        rows=rows,
        times=FIRST_DAY_US + day * DAY_US + of_day[order],
        day=day,
        known_on=np.where(told, day + recipe.labels.delay_days, NEVER),
        reference_rows=reference,
        expected_rows=expected,
        season=_season(recipe, asked),
        days=recipe.days,
        began=recipe.from_day,
    )


def share_by_day(recipe: DrillRecipe, scenario: ScenarioRecipe | None) -> NDArray[np.float64]:
    """(days,) of the samples of each day that come from the scenario's population."""
    days = np.arange(recipe.days)
    if scenario is None or scenario.population is None:
        return np.zeros(recipe.days)
    grown = np.clip((days - recipe.from_day + 1) / (scenario.ramp_days + 1), 0, 1)
    return scenario.share * np.where(_happens(recipe, scenario), grown, 0.0)


def volumes(recipe: DrillRecipe, scenario: ScenarioRecipe | None) -> NDArray[np.float64]:
    """(days,) how many samples each day has on average."""
    weights = np.array(recipe.weekdays) / np.mean(recipe.weekdays)
    usual = recipe.per_day * weights[np.arange(recipe.days) % 7]
    return usual if scenario is None else usual * np.where(_happens(recipe, scenario), scenario.volume, 1.0)


def check_pools(sizes: Mapping[str, int], recipe: DrillRecipe) -> None:
    """Refuse, before hours of histories, what too few samples would end.

    Args: sizes: population -> its samples.
    Raises: DataError: names every population that is too small.
    """
    needed = dict.fromkeys(sizes, 0.0)
    for scenario in (None, *recipe.scenarios.values()):
        for name, count in _needs(recipe, scenario).items():
            needed[name] = max(needed[name], count)
    short = [
        f"  {name!r} has {sizes[name]}; a history takes up to {math.ceil(count)}"
        for name, count in needed.items()
        if count > sizes[name]
    ]
    if short:
        mend = "give them more samples, or lower drill.per_day, drill.days or drill.reference"
        raise DataError("\n".join([f"populations of the drill are too small; {mend}:", *short]))


def _needs(recipe: DrillRecipe, scenario: ScenarioRecipe | None) -> dict[str, float]:
    share, volume = share_by_day(recipe, scenario), volumes(recipe, scenario)
    moved, stays = (share * volume).sum(), ((1 - share) * volume).sum()
    needed = {recipe.base: recipe.reference + stays + SURE * math.sqrt(stays)}
    if scenario is not None and scenario.expected is not None:
        needed[scenario.expected] = needed.get(scenario.expected, 0.0) + recipe.reference
    if moved and scenario is not None and scenario.population is not None:
        needed[scenario.population] = needed.get(scenario.population, 0.0) + moved + SURE * math.sqrt(moved)
    return needed


class _Dealer:
    """Deals samples of shuffled populations, none of them twice."""

    def __init__(self, decks: Mapping[str, Rows], scenario: str) -> None:
        self._decks, self._scenario, self._dealt = decks, scenario, dict.fromkeys(decks, 0)

    def take(self, population: str, count: int) -> Rows:
        """Raises: DataError: there are not so many left."""
        start = self._dealt[population]
        if start + count > len(self._decks[population]):
            raise DataError(
                f"population {population!r} has {len(self._decks[population])} samples, and a history of "
                f"{self._scenario!r} takes {start + count}; give it more samples, or lower drill.per_day"
            )
        self._dealt[population] += count
        return self._decks[population][start : start + count]


def _happens(recipe: DrillRecipe, scenario: ScenarioRecipe) -> NDArray[np.bool_]:
    first, end = _span(recipe, scenario)
    days = np.arange(recipe.days)
    happens: NDArray[np.bool_] = (days >= first) & (days < end)
    return happens


def _span(recipe: DrillRecipe, scenario: ScenarioRecipe) -> tuple[int, int]:
    end = recipe.days if scenario.days is None else min(recipe.days, recipe.from_day + scenario.days)
    return recipe.from_day, end


def _season(recipe: DrillRecipe, scenario: ScenarioRecipe | None) -> tuple[int, int] | None:
    return None if scenario is None or scenario.expected is None else _span(recipe, scenario)


def _time_of_day(seen: Observations, random: np.random.Generator) -> Rows:
    """(N,) microseconds since midnight; by chance where nobody knows."""
    if seen.times is None:
        return random.integers(0, DAY_US, seen.count)
    return seen.times % DAY_US
