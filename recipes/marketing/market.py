"""How the market answers: what people drink by themselves, and what advertising adds.

The constants and their sources stand in README.md of this folder. Media are added to the demand, not multiplied with
it: so much more is sold whether it is summer or not, which a model cannot see that takes the season for advertising.
"""

import numpy as np

from recipes.marketing.calendar import YEAR_DAYS, Columns, Numbers
from recipes.marketing.channels import Channel

LAGS = 13  # weeks, with the one of the spend, that a channel is remembered
BASE = 500.0  # pints a thousand people and week
GROWTH = 0.02  # of the base, a year
PRICE_EUR = 5.2  # at which the base is sold
ELASTICITY = -0.8
# Harmonic of the year -> its strength on the log of sales and the day of the year on which it peaks.
SEASON = {1: (0.06, 190.0), 2: (0.14, 355.0)}
# On the log of a week's sales, for each: day, day, match, degree C.
ST_PATRICK, BANK_HOLIDAY, FOOTBALL, TEMPERATURE = 0.10, 0.035, 0.012, 0.012


def season(day_of_year: Numbers) -> Numbers:
    """Of any shape: what the time of year adds to the log of sales."""
    turn = 2.0 * np.pi / YEAR_DAYS
    waves = [high * np.cos(harmonic * turn * (day_of_year - peak)) for harmonic, (high, peak) in SEASON.items()]
    return np.sum(waves, axis=0)


def feasts(columns: Columns) -> Numbers:
    """What the days of feasts add to the log of sales; columns st_patrick and bank_holidays."""
    return ST_PATRICK * columns["st_patrick"] + BANK_HOLIDAY * columns["bank_holidays"]


def demand(columns: Columns) -> Numbers:
    """Pints a thousand people and week without advertising.

    Args:
        columns: day_of_year, st_patrick, bank_holidays, trend, price, temperature, football; of shapes that fit.
    """
    log = season(columns["day_of_year"]) + feasts(columns)
    log = log + FOOTBALL * columns["football"] + TEMPERATURE * columns["temperature"]
    return BASE * (1.0 + GROWTH * columns["trend"]) * np.exp(log) * (columns["price"] / PRICE_EUR) ** ELASTICITY


def adstock(spend: Numbers, decay: float) -> Numbers:
    """(T, R) spend by week -> (T, R) what is remembered of it: a mean of the last weeks, of weights that decay.

    Nothing was spent before the first week. A spend that stays the same is its own adstock from week LAGS on.
    """
    weights = decay ** np.arange(LAGS)
    remembered = np.zeros_like(spend)
    for lag, weight in enumerate(weights / weights.sum()):
        remembered[lag:] += weight * spend[: len(spend) - lag]
    return remembered


def hill(remembered: Numbers, half: float, shape: float) -> Numbers:
    """Share of the effect, 0..1: 1/2 at `half`."""
    power = remembered**shape
    return power / (power + half**shape)


def media(channel: Channel, spend: Numbers) -> Numbers:
    """(T, R) EUR a thousand people and week -> (T, R) pints a thousand people and week that it adds."""
    return channel.effect * hill(adstock(spend, channel.decay), channel.half, channel.shape)
