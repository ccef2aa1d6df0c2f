"""The market as rows: a region and a week, or a region and a day.

The week is what the equations speak of. The days of a week share what it spends and sells, so that they sum to it
exactly; price and weather stand for the whole week, feasts and matches are those of the day.
"""

from dataclasses import dataclass

import numpy as np

from recipes.marketing import market
from recipes.marketing.calendar import Columns, Dates, Numbers, calendar_columns, holidays_of
from recipes.marketing.world import FIRST, WEEK, World

_SPENT = (0.14, 0.14, 0.14, 0.16, 0.18, 0.14, 0.10)  # share of a week's budget, from Monday on
_SOLD = (0.08, 0.08, 0.10, 0.13, 0.22, 0.25, 0.14)  # of what a plain week sells


@dataclass(frozen=True)
class Rows:
    """Periods of regions: P = T weeks, or 7 T days.

    Args:
        starts: (P,) first days.
        columns: each (P, R), with the spend, without the sales.
        share: (P, 1) of its week's sales that a period is expected to have.
        drawn_share: (P, R), or (P, 1), that it has.
    """

    starts: Dates
    columns: Columns
    share: Numbers
    drawn_share: Numbers

    def expected(self, of_weeks: Numbers) -> Numbers:
        """(T, R) of weeks -> (P, R)."""
        return self.share * np.repeat(of_weeks, len(self.share) // len(of_weeks), axis=0)

    def sold(self, of_weeks: Numbers) -> Numbers:
        """(T, R) of weeks -> (P, R) whole pints."""
        return apportioned(np.round(of_weeks), self.drawn_share)


def weekly(world: World) -> Rows:
    """A row for each week."""
    spend = {f"spend_{name}": values for name, values in world.spend.items()}
    whole = np.ones((len(world.starts), 1))
    return Rows(world.starts, {**_full(world), **spend}, whole, whole)


def daily(world: World) -> Rows:
    """A row for each day."""
    starts = (world.starts[:, None] + np.arange(WEEK)).ravel()
    of_day = {**calendar_columns(starts, 1, FIRST, holidays_of(starts)), "football": world.matches.ravel()}
    weeks, regions = world.noise.shape
    spent = np.tile(_SPENT, weeks)[:, None]
    share = _sold_shares(of_day)[:, None]
    columns = {
        **{name: np.repeat(values, WEEK, axis=0) for name, values in _full(world).items()},
        **{name: np.broadcast_to(values[:, None], (len(starts), regions)) for name, values in of_day.items()},
        **{f"spend_{name}": apportioned(values, spent) for name, values in world.spend.items()},
    }
    return Rows(starts, columns, share, share * world.noise_of_day)


def _full(world: World) -> Columns:
    """What a row knows, each (T, R)."""
    return {name: np.broadcast_to(values, world.noise.shape) for name, values in world.columns.items()}


def _sold_shares(of_day: Columns) -> Numbers:
    """(7 T,) of a week's sales: what adds to the log of the week's adds seven times that to its day's weight."""
    lift = market.feasts(of_day) + market.FOOTBALL * of_day["football"]
    weight = (np.tile(_SOLD, len(lift) // WEEK) * (1.0 + WEEK * lift)).reshape(-1, WEEK)
    return (weight / weight.sum(axis=1, keepdims=True)).ravel()


def apportioned(totals: Numbers, weights: Numbers) -> Numbers:
    """(T, R) whole numbers, and (P, R) or (P, 1) weights of their parts -> (P, R) whole numbers that sum to them."""
    upto = np.cumsum(weights.reshape(len(totals), -1, weights.shape[1]), axis=1)
    reached = np.round(totals[:, None, :] * (upto / upto[:, -1:]))
    return np.diff(reached, axis=1, prepend=0.0).reshape(-1, totals.shape[1])
