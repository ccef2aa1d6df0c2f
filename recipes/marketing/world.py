"""Draw the market week by week: sizes, prices, weather, football, and what was spent by a rule that chases the season.

What is drawn is rounded before it counts: the last bits of a power differ between processors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recipes.marketing import market
from recipes.marketing.calendar import YEAR_DAYS, Columns, Dates, Numbers, calendar_columns, holidays_of
from recipes.marketing.chance import Chance
from recipes.marketing.channels import CHANNELS

FIRST = np.datetime64("2019-01-07")  # a Monday
WEEK = 7  # days
INFLATION = 0.03  # of prices, a year
_OFFERS, _OFFER = 0.08, 0.12  # share of weeks with one, and what it takes off
_SIZE, _SIZE_SPREAD = 110.0, 0.6  # thousands of people: median, and deviation of the log
# Deviations of the log among regions: what they drink, pay, and have spent on them.
_THIRST, _PRICE, _FAVOUR = 0.12, 0.05, 0.25
# Of the log of spend, from week to week: together in all regions, and in each.
_SPEND = (0.30, 0.35)
# Of the log of sales, likewise, and what a week keeps of the one before.
NOISE, NOISE_KEPT = (0.02, 0.05), 0.5
_NOISE_OF_DAY = 0.08  # of the log of a day's share of its week
_WARM, _WARM_KEPT = (1.8, 0.8), 0.5  # degrees C
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

    def demand(self, late: int = 0) -> Numbers:
        """(T, R) pints that are sold without any advertising. Args: late: weeks, of the season and its feast."""
        turned = self.columns["day_of_year"] - WEEK * late
        feast = np.roll(self.columns["st_patrick"], late, axis=0)
        return (
            self.columns["size"]
            * self.thirst
            * market.demand({**self.columns, "day_of_year": turned, "st_patrick": feast})
        )


@lru_cache(maxsize=2)  # a plan is held against the same market at hundreds of factors
def draw_world(seed: int, regions: int, years: int, future: int | None = None, since: str | None = None) -> World:
    """The market of so many regions from `FIRST` on; whole weeks. Args: future: of weeks from `since` on."""
    weeks = int(years * YEAR_DAYS / WEEK)
    starts = FIRST + WEEK * np.arange(weeks)
    known = 0 if since is None else int(np.searchsorted(starts, np.datetime64(since)))
    chance = Chance(seed, future, known)
    calendar = calendar_columns(starts, WEEK, FIRST, holidays_of(starts))
    size = np.round(_SIZE * np.exp(_SIZE_SPREAD * chance.by_region("size", regions)), 1)
    matches = _matches(chance, starts)
    columns = {
        **{name: values[:, None] for name, values in calendar.items()},
        "football": matches.sum(axis=1)[:, None],
        "size": size[None, :],
        "price": _price(chance, calendar["trend"][:, None], regions),
        "temperature": np.round(chance.drift("warm", weeks, regions, _WARM, _WARM_KEPT), 1),
    }
    log_noise = chance.drift("noise", weeks, regions, NOISE, NOISE_KEPT)
    return World(
        starts=starts,
        columns=columns,
        matches=matches,
        spend={name: np.round(size * _spend(chance, name, columns, regions)) for name in CHANNELS},
        thirst=np.exp(_THIRST * chance.by_region("thirst", regions)),
        noise=np.exp(log_noise - sum(each**2 for each in NOISE) / 2),
        noise_of_day=np.exp(_NOISE_OF_DAY * chance.by_day("noise of day", weeks, WEEK, regions)),
    )


def _spend(chance: Chance, channel: str, columns: Columns, regions: int) -> Numbers:
    """(T, R) EUR a thousand people: the budget rule, which looks at season, feasts and growth, and chance."""
    given = CHANNELS[channel]
    chased = np.exp(market.season(columns["day_of_year"]) + market.feasts(columns))
    rule = given.level * (1.0 + market.GROWTH * columns["trend"]) * chased**given.chases
    drawn = chance.drift(f"spend {channel}", len(chased), regions, _SPEND, 0.0)
    favour = _FAVOUR * chance.by_region(f"favour {channel}", regions)
    return rule * np.exp(favour + drawn)


def _price(chance: Chance, trend: Numbers, regions: int) -> Numbers:
    """(T, R) EUR a pint."""
    offers = chance.even_by_week("offer", len(trend), regions) < _OFFERS
    usual = market.PRICE_EUR * (1.0 + INFLATION * trend) * np.exp(_PRICE * chance.by_region("price", regions))
    return np.round(usual * np.where(offers, 1.0 - _OFFER, 1.0), 2)


def _matches(chance: Chance, starts: Dates) -> NDArray[np.int64]:
    """(T, 7)"""
    days = starts[:, None] + np.arange(WEEK)
    year = days.astype("datetime64[Y]")
    month = days.astype("datetime64[M]").astype(int) % 12
    first, last = (np.array([f"{each}-{day}" for each in year.ravel()], "M8[D]") for day in _TOURNAMENT_DAYS)
    held = (first.reshape(year.shape) <= days) & (days <= last.reshape(year.shape)) & (year.astype(int) % 2 == 0)
    likely = np.where((month >= 7) | (month <= 4), np.array(_MATCH), np.where(held, _TOURNAMENT, 0.0))
    return (chance.even("football", (len(starts), WEEK)) < likely).astype(np.int64)
