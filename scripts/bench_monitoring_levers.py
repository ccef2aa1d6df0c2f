"""How often a channel that lost half of its effect can be told within weeks at all, by whoever knows the market.

The oracle is given what no monitor has: what each channel truly adds in each region and week, how sales scatter, what
of that stays, and by how much an effect falls. It knows the demand too, or only, as the monitor, how regions differ
within a week: a season that is a little off moves all of them. At one rate of false alarms nothing finds more than the
ratio of likelihoods of one channel and week, if it is told which (Neyman and Pearson 1933); if it is not, the mean over
all that it may be is held (Shiryaev 1963, Roberts 1966). Beside them the monitor's own test, of a model that is right.
Of each, about as much is told by chance. Some minutes of a processor.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # recipes/ has code of its own

from recipes.marketing.arguments import MarketArguments
from recipes.marketing.channels import CHANNELS
from recipes.marketing.world import NOISE, NOISE_KEPT
from totalml.monitoring.lever_effects import Errors, LeverWatch
from totalml.monitoring.panel import DAY_US, Panel

Numbers = NDArray[np.float64]
YEAR, WEEK_US = 52.18, 7 * DAY_US
A_YEAR = 0.8  # false alarms, which levers have of a monitor's two
KNOWN = 26  # weeks of the reference, before those that are looked at
CALM, EVERY, WITHIN = 208, 26, (12, 26)  # weeks: looked at; between onsets; that a loss is to be told in
TOGETHER, EACH = (float(np.sqrt(1 - NOISE_KEPT**2)) * deviation for deviation in NOISE)
Test = Callable[["Market", Numbers], Numbers]  # (H, T, R) what is new of each week's log sales -> (H, T) evidence


@dataclass(frozen=True)
class Market:
    seed: int

    @cached_property
    def brought(self) -> Numbers:
        """(C, T, R) share of sales that each channel adds."""
        asked = MarketArguments(seed=self.seed, years=8)
        world = asked.world()
        expected = asked.expected(world, {})
        return np.stack([world.added(name, 1.0) / expected for name in CHANNELS])[:, -KNOWN - CALM :]

    @cached_property
    def falls(self) -> Numbers:
        """(C, T, R) log of what half of an effect takes from sales."""
        return np.log1p(-self.brought / 2)

    def calm(self, rng: np.random.Generator, histories: int) -> Numbers:
        """(H, T, R) what is new each week of the log of sales."""
        _, weeks, regions = self.brought.shape
        together = TOGETHER * rng.standard_normal((histories, weeks, 1))
        return together + EACH * rng.standard_normal((histories, weeks, regions))

    def lost(self, fresh: Numbers, channel: int, week: int) -> Numbers:
        """The same, where a channel does half from a week on, up to the last that counts."""
        fall = np.where(np.arange(len(self.falls[0])) >= week, 1.0, 0.0)[:, None] * self.falls[channel]
        return (fresh + _new(fall))[:, : week + max(WITHIN)]


def knows_all(market: Market, fresh: Numbers) -> Numbers:
    return _oracle(market, fresh, TOGETHER)


def knows_differences(market: Market, fresh: Numbers) -> Numbers:
    return _oracle(market, fresh, np.inf)


def as_monitored(market: Market, fresh: Numbers) -> Numbers:
    """Bets of `LeverWatch`, each week on what it knew by then."""
    return np.stack([_monitored(market, each) for each in fresh])


def _oracle(market: Market, fresh: Numbers, together: float) -> Numbers:
    """Mean of the likelihood ratios of a loss, of each channel and since each week after the reference.

    Args: together: deviation of what moves all regions of a week.
    """
    falls = market.falls[:, : fresh.shape[1]]
    first, later = (_log_ratios(each, fresh, together) for each in (falls, _new(falls)))
    odds, found = np.zeros(first.shape[:2]), np.zeros(fresh.shape[:2])
    for week in range(KNOWN, fresh.shape[1]):
        odds = odds * np.exp(later[..., week]) + np.exp(first[..., week])
        found[:, week] = odds.mean(axis=0)
    return found


def _log_ratios(falls: Numbers, fresh: Numbers, together: float) -> Numbers:
    """(C, H, T) of each week alone."""
    weighed = _weighed(falls, together)
    return np.einsum("htr,ctr->cht", fresh, weighed) - 0.5 * (falls * weighed).sum(axis=2)[:, None]


def _weighed(falls: Numbers, together: float) -> Numbers:
    """(C, T, R) by the inverse of the covariance of what is new in a week."""
    level, regions = falls.mean(axis=2, keepdims=True), falls.shape[2]
    return (falls - level) / EACH**2 + level / (EACH**2 + regions * together**2)


def at_most(market: Market, channel: int, week: int, together: float) -> list[float]:
    """The share that any test can tell of this channel, within each of WITHIN, were it told that it is this week."""
    fall = market.falls[channel : channel + 1, week:]
    fall = np.concatenate([fall[:, :1], _new(fall)[:, 1:]], axis=1)
    known = (fall * _weighed(fall, together)).sum(axis=2)[0].cumsum()
    return [float(ndtr(np.sqrt(known[weeks - 1]) + ndtri(by_chance(weeks)))) for weeks in WITHIN]


def by_chance(weeks: int) -> float:
    """The share of calm histories that may be told of within so many weeks."""
    return float(1 - np.exp(-A_YEAR * weeks / YEAR))


def _monitored(market: Market, fresh: Numbers) -> Numbers:
    weeks, regions = fresh.shape
    panel = Panel("region", 52, np.arange(weeks) * WEEK_US, float(regions), np.zeros((weeks, 0)))
    whole = fresh.copy()
    for week in range(1, weeks):
        whole[week] += NOISE_KEPT * whole[week - 1]
    numbers, series = np.repeat(np.arange(weeks), regions), np.tile([f"{each:02}" for each in range(regions)], weeks)
    brought = market.brought[:, :weeks].reshape(len(CHANNELS), -1).T
    rows = Errors(numbers, series, np.expm1(whole).ravel(), brought)
    watch = LeverWatch(panel, [*CHANNELS], _some(rows, numbers < KNOWN), YEAR / A_YEAR)
    told = [watch.look(_some(rows, numbers == week)).value for week in range(KNOWN, weeks)]
    return np.exp([*[-np.inf] * KNOWN, *(-np.inf if each is None else each for each in told)])


def _some(rows: Errors, which: NDArray[np.bool_]) -> Errors:
    return Errors(rows.numbers[which], rows.series[which], rows.errors[which], rows.brought[which])


def _new(values: Numbers) -> Numbers:
    """(..., T, R) what of each week the one before did not leave."""
    found = values.copy()
    found[..., 1:, :] -= NOISE_KEPT * values[..., :-1, :]
    return found


TESTS: Mapping[str, tuple[Test, int]] = {  # and histories of each market: that of the monitor takes its time
    "knows all": (knows_all, 50),
    "knows differences": (knows_differences, 50),
    "monitor's test": (as_monitored, 3),
}


def told(evidence: Numbers, threshold: float, week: int) -> NDArray[np.bool_]:
    """(n, 2) whether within so many weeks, of histories that were silent in the week before."""
    on = evidence >= threshold
    silent = on[~on[:, week - 1], week:]
    return np.stack([silent[:, :weeks].any(axis=1) for weeks in WITHIN], axis=1)


def threshold_of(calm: Numbers) -> float:
    """The least with which, and above which, by chance no more is told than is promised."""
    weeks, promised = range(KNOWN + 1, KNOWN + CALM - WITHIN[0]), by_chance(WITHIN[0])
    last = np.inf
    for level in np.quantile(calm[:, KNOWN:], np.linspace(1, 0.5, 500)):
        if np.concatenate([told(calm, level, week)[:, 0] for week in weeks]).mean() > promised:
            break
        last = float(level)
    return last


def print_tables(quick: bool) -> None:
    markets = [Market(seed) for seed in range(2 if quick else 8)]
    onsets = range(KNOWN + EVERY, KNOWN + CALM - max(WITHIN), EVERY)
    regions = markets[0].brought.shape[2]
    print(f"levers: half of an effect lost, {regions} regions; told within {WITHIN[0]} weeks, within {WITHIN[1]}")
    for name, together in (("all", TOGETHER), ("differences", np.inf)):
        for channel, lever in enumerate(CHANNELS):
            found = [at_most(market, channel, week, together) for market in markets for week in onsets]
            row(f"told which and when, knows {name}: {lever}", np.array(found))
    for name, (test, histories) in TESTS.items():
        rng = np.random.default_rng(1)
        drawn = [(market, market.calm(rng, 1 if quick else histories)) for market in markets]
        calm = [test(*each) for each in drawn]
        threshold = threshold_of(np.concatenate(calm))
        row(f"{name}: nothing", np.concatenate([told(each, threshold, week) for each in calm for week in onsets]))
        for channel, lever in enumerate(CHANNELS):
            after = [
                told(test(market, market.lost(fresh, channel, week)), threshold, week)
                for market, fresh in drawn
                for week in onsets
            ]
            row(f"{name}: {lever}", np.concatenate(after))


def row(what: str, found: NDArray[np.bool_] | Numbers) -> None:
    print(f"{what:<52}{'  '.join(f'{each:>5.0%}' for each in found.mean(axis=0)):>34}  of {len(found):,}", flush=True)
