"""Markets of another formula than that of recipes/marketing, whose constants differ from one to the next.

Advertising multiplies demand instead of adding to it; it is remembered most some weeks after it was spent, and more of
it adds as a logarithm or a power does; the season is of peaks that few waves cannot draw; noise has heavy tails. Only
what is asked stays: the same columns, as many rows, and a budget that chases the season.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from totalml.kinds import PlanTruth

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.float64]
WEEKS, REGIONS, LAGS = 313, 40, 13
FIRST = np.datetime64("2019-01-07")  # a Monday
YEAR_DAYS = 365.25
BASE, VALUE_EUR = 500.0, 3.5  # pints a thousand people and week, and what one earns
LEVELS = {"tv": 70.0, "radio": 32.0, "outdoor": 36.0, "search": 45.0, "social": 42.0}  # EUR, likewise
# Peaks of the year: day, width in days, and height on the log of sales; Christmas, January, summer.
PEAKS = ((355.0, 8.0, 0.30), (20.0, 14.0, -0.15), (200.0, 30.0, 0.12))


@dataclass(frozen=True)
class Channel:
    """Args:
    earns: EUR for each that is spent, at its level.
    chases: power of the season that its spend follows.
    peak, width: weeks after which most is remembered, and deviation around it.
    power: of what is remembered; 0: its logarithm.
    """

    level: float
    earns: float
    chases: float
    peak: float
    width: float
    power: float

    def lift(self, spend: Numbers) -> Numbers:
        """(T, R) EUR a thousand people and week -> (T, R) share of demand that is sold besides."""
        weights = np.exp(-(((np.arange(LAGS) - self.peak) / self.width) ** 2) / 2)
        remembered = np.zeros_like(spend)
        for lag, weight in enumerate(weights / weights.sum()):
            remembered[lag:] += weight * spend[: len(spend) - lag]
        levels = remembered / self.level
        share = levels**self.power if self.power else np.log1p(3 * levels) / np.log1p(3.0)
        return self.earns * self.level / (VALUE_EUR * BASE) * share


@dataclass(frozen=True)
class Market:
    """T weeks of R regions.

    Args:
        size: (R,) thousands of people.
        spend: channel -> (T, R) EUR.
        demand: (T, R) pints that are sold without advertising.
        noise: (T, R) factor of sales, 1 in the mean.
    """

    size: Numbers
    price: Numbers
    temperature: Numbers
    channels: Mapping[str, Channel]
    spend: Mapping[str, Numbers]
    demand: Numbers
    noise: Numbers

    def expected(self, factors: Mapping[str, float]) -> Numbers:
        """(T, R) pints in the mean if channels had always been given so many times what they were."""
        spend = {name: factors.get(name, 1.0) * each / self.size for name, each in self.spend.items()}
        lifts = [each.lift(spend[name]) for name, each in self.channels.items()]
        return self.demand * (1 + np.sum(lifts, axis=0))


class OtherTruth(PlanTruth):
    """Of rows of `write_table`, by whose ids it finds them."""

    seed: int

    def outcome(self, rows: "pa.Table", factors: Mapping[str, float]) -> "NDArray[Any]":
        expected = drawn(self.seed).expected(factors)
        place = {f"{name}/{day}": (week, at) for week, day in enumerate(_days()) for at, name in enumerate(_regions())}
        return np.array([expected[place[each]] for each in rows["id"].to_pylist()])


@lru_cache(maxsize=2)  # a plan is held against the same market at a hundred factors
def drawn(seed: int) -> Market:
    """Constants and chance, all by the seed."""
    random = np.random.default_rng([seed, 7])
    season = _season(random)
    price = np.round(5 + 0.4 * random.random(REGIONS) - 0.6 * (random.random((WEEKS, REGIONS)) < 0.08), 2)
    temperature = np.round(random.normal(0, 2, (WEEKS, 1)) + random.normal(0, 0.8, (WEEKS, REGIONS)), 1)
    size = np.round(random.lognormal(np.log(110), 0.6, REGIONS), 1)
    channels = {name: _channel(level, random) for name, level in LEVELS.items()}
    # It wanders, where that of the recipe grows by the year.
    level = np.cumsum(random.normal(0, 0.004, (WEEKS, 1)), axis=0) + random.normal(0, 0.12, REGIONS)
    answers = 1 - 0.12 * (price - 5) + 0.01 * temperature
    noise = np.exp(0.02 * random.normal(size=(WEEKS, 1)) + 0.035 * random.standard_t(5, (WEEKS, REGIONS)))
    return Market(
        size=size,
        price=price,
        temperature=temperature,
        channels=channels,
        spend={name: np.round(size * _spend(each, season, random)) for name, each in channels.items()},
        demand=size * BASE * np.exp(season + level) * answers,
        noise=noise / noise.mean(),
    )


def write_table(seed: int, file: Path) -> None:
    """As `recipes.marketing.table.SpendTable` reads it."""
    market = drawn(seed)
    sales = np.round(market.expected({}) * market.noise)
    spend = {f"spend_{name}": each for name, each in market.spend.items()}
    columns = {"sales": sales, "price": market.price, "temperature": market.temperature, **spend}
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["date", "region", "size", *columns])
        for week, day in enumerate(_days()):
            for at, name in enumerate(_regions()):
                writer.writerow([day, name, market.size[at], *(each[week, at] for each in columns.values())])


def _season(random: np.random.Generator) -> Numbers:
    """(T, 1) on the log of sales; a little other in each market."""
    day = ((_starts() - _starts().astype("datetime64[Y]")).astype(float) + 4.5)[:, None]
    season = np.zeros_like(day)
    for middle, width, height in PEAKS:
        off = (day - middle - random.normal(0, 5) + YEAR_DAYS / 2) % YEAR_DAYS - YEAR_DAYS / 2
        season += height * random.uniform(0.7, 1.3) * np.exp(-((off / width) ** 2) / 2)
    return season


def _channel(level: float, random: np.random.Generator) -> Channel:
    return Channel(
        level=level,
        earns=float(random.lognormal(np.log(1.8), 0.5)),
        chases=float(random.uniform(1.2, 1.8)),
        peak=float(random.uniform(0, 3)),
        width=float(random.uniform(0.5, 2)),
        power=float(random.choice([0.0, random.uniform(0.3, 0.7)])),
    )


def _spend(channel: Channel, season: Numbers, random: np.random.Generator) -> Numbers:
    """(T, R) EUR a thousand people: by the season, and by chance in all regions together and in each."""
    favour = random.normal(0, 0.25, REGIONS)
    chance = random.normal(0, 0.30, (WEEKS, 1)) + random.normal(0, 0.35, (WEEKS, REGIONS))
    return channel.level * np.exp(channel.chases * season + favour + chance)


def _starts() -> NDArray[np.datetime64]:
    return FIRST + 7 * np.arange(WEEKS)


def _days() -> list[str]:
    return [str(day) for day in _starts()]


def _regions() -> list[str]:
    return [f"region-{place + 1:02d}" for place in range(REGIONS)]
