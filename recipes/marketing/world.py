"""Draw the market week by week: sizes, prices, weather, football, and what was spent by a rule that chases the season.

Each thing is drawn from a stream of its own by region, so that a region and a week stay what they are when others
join. What is drawn is rounded before it counts: the last bits of a power differ between processors.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recipes.marketing import market
from recipes.marketing.calendar import YEAR_DAYS, Columns, Dates, Numbers, calendar_columns, holidays_of
from recipes.marketing.channels import CHANNELS

FIRST = np.datetime64("2019-01-07")  # a Monday
WEEK = 7  # days
INFLATION = 0.03  # of prices, a year
_OFFERS, _OFFER = 0.08, 0.12  # share of weeks with one, and what it takes off
_SIZE, _SIZE_SPREAD = 110.0, 0.6  # thousands of people: median, and deviation of the log
# Deviations of the log among regions: what they drink, pay, and have spent on them.
_THIRST, _PRICE, _FAVOUR = 0.12, 0.05, 0.25
# Of the log of spend, from week to week: together in all regions, and in each.
_SPEND_TOGETHER, _SPEND_EACH = 0.30, 0.35
# Of the log of sales, likewise, and what a week keeps of the one before.
NOISE_TOGETHER, NOISE_EACH, NOISE_KEPT = 0.02, 0.05, 0.5
_NOISE_OF_DAY = 0.08  # of the log of a day's share of its week
_WARM_TOGETHER, _WARM_EACH, _WARM_KEPT = 1.8, 0.8, 0.5  # degrees C
# Matches that are shown: chance a day from August to May, by weekday from Monday on, and in the summers of tournaments.
_MATCH = (0.25, 0.2, 0.4, 0.2, 0.2, 0.8, 0.8)
_TOURNAMENT, _TOURNAMENT_DAYS = 0.8, ("06-14", "07-14")


@dataclass(frozen=True)
class World:
    """Weeks of a market; T weeks of R regions.

    Args:
        starts: (T,) Mondays.
        columns: what a row knows, each (T, R) or what fits it, without the spend; `size` in thousands of people.
        matches: (T, 7) by day.
        spend: (T, R) EUR, by channel.
        thirst: (R,) what a region drinks, as a factor.
        noise: (T, R) factor of sales, 1 in the mean.
        noise_of_day: (7 T, R) factor of a day's share of them.
    """

    starts: Dates
    columns: Columns
    matches: NDArray[np.int64]
    spend: Mapping[str, Numbers]
    thirst: Numbers
    noise: Numbers
    noise_of_day: Numbers

    def added(self, channel: str, factor: float = 1.0) -> Numbers:
        """(T, R) pints that a channel adds if it had always been given so many times what it was."""
        size = self.columns["size"]
        return size * market.media(CHANNELS[channel], factor * self.spend[channel] / size)

    def demand(self) -> Numbers:
        """(T, R) pints that are sold without any advertising."""
        return self.columns["size"] * self.thirst * market.demand(self.columns)


@lru_cache(maxsize=2)  # a plan is held against the same market at hundreds of factors
def draw_world(seed: int, regions: int, years: int) -> World:
    """The market of so many regions from `FIRST` on; whole weeks."""
    weeks = int(years * YEAR_DAYS / WEEK)
    starts = FIRST + WEEK * np.arange(weeks)
    calendar = calendar_columns(starts, WEEK, FIRST, holidays_of(starts))
    size = np.round(_SIZE * np.exp(_SIZE_SPREAD * _by_region(seed, "size", regions)), 1)
    matches = _matches(seed, starts)
    columns = {
        **{name: values[:, None] for name, values in calendar.items()},
        "football": matches.sum(axis=1)[:, None],
        "size": size[None, :],
        "price": _price(seed, calendar["trend"][:, None], regions),
        "temperature": np.round(_drift(seed, "warm", weeks, regions, _WARM_TOGETHER, _WARM_EACH, _WARM_KEPT), 1),
    }
    log_noise = _drift(seed, "noise", weeks, regions, NOISE_TOGETHER, NOISE_EACH, NOISE_KEPT)
    return World(
        starts=starts,
        columns=columns,
        matches=matches,
        spend={name: np.round(size * _spend(seed, name, columns, regions)) for name in CHANNELS},
        thirst=np.exp(_THIRST * _by_region(seed, "thirst", regions)),
        noise=np.exp(log_noise - (NOISE_TOGETHER**2 + NOISE_EACH**2) / 2),
        noise_of_day=np.exp(_NOISE_OF_DAY * _normal(seed, "noise of day", WEEK * weeks, regions)),
    )


def _spend(seed: int, channel: str, columns: Columns, regions: int) -> Numbers:
    """(T, R) EUR a thousand people: the budget rule, which looks at season, feasts and growth, and chance."""
    given = CHANNELS[channel]
    chased = np.exp(market.season(columns["day_of_year"]) + market.feasts(columns))
    rule = given.level * (1.0 + market.GROWTH * columns["trend"]) * chased**given.chases
    weeks = len(chased)
    chance = _drift(seed, f"spend {channel}", weeks, regions, _SPEND_TOGETHER, _SPEND_EACH, 0.0)
    favour = _FAVOUR * _by_region(seed, f"favour {channel}", regions)
    return rule * np.exp(favour + chance)


def _price(seed: int, trend: Numbers, regions: int) -> Numbers:
    """(T, R) EUR a pint."""
    weeks = len(trend)
    offers = _even(seed, "offer", weeks, regions) < _OFFERS
    usual = market.PRICE_EUR * (1.0 + INFLATION * trend) * np.exp(_PRICE * _by_region(seed, "price", regions))
    return np.round(usual * np.where(offers, 1.0 - _OFFER, 1.0), 2)


def _matches(seed: int, starts: Dates) -> NDArray[np.int64]:
    """(T, 7)"""
    days = starts[:, None] + np.arange(WEEK)
    year = days.astype("datetime64[Y]")
    month = days.astype("datetime64[M]").astype(int) % 12
    first, last = (np.array([f"{each}-{day}" for each in year.ravel()], "M8[D]") for day in _TOURNAMENT_DAYS)
    held = (first.reshape(year.shape) <= days) & (days <= last.reshape(year.shape)) & (year.astype(int) % 2 == 0)
    chance = np.where((month >= 7) | (month <= 4), np.array(_MATCH), np.where(held, _TOURNAMENT, 0.0))
    return (_random(seed, "football").random(days.shape) < chance).astype(np.int64)


def _drift(seed: int, what: str, weeks: int, regions: int, together: float, each: float, kept: float) -> Numbers:
    """(T, R) normal, of these deviations in all regions together and in each; `kept` of it stays from week to week."""
    shared = together * _random(seed, f"{what} together").standard_normal(weeks)[:, None]
    fresh = shared + each * _normal(seed, what, weeks, regions)
    drift = np.empty_like(fresh)
    drift[0] = fresh[0]
    for week in range(1, weeks):
        drift[week] = kept * drift[week - 1] + np.sqrt(1.0 - kept**2) * fresh[week]
    return drift


def _by_region(seed: int, what: str, regions: int) -> Numbers:
    """(R,) normal."""
    return _normal(seed, what, 1, regions)[0]


def _normal(seed: int, what: str, weeks: int, regions: int) -> Numbers:
    """(T, R) normal."""
    return np.stack([stream.standard_normal(weeks) for stream in _streams(seed, what, regions)], axis=1)


def _even(seed: int, what: str, weeks: int, regions: int) -> Numbers:
    """(T, R) in [0, 1)."""
    return np.stack([stream.random(weeks) for stream in _streams(seed, what, regions)], axis=1)


def _streams(seed: int, what: str, regions: int) -> list[np.random.Generator]:
    return [_random(seed, what, region) for region in range(1, regions + 1)]


def _random(seed: int, what: str, region: int = 0) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(what.encode()), region])
