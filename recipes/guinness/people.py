"""The people behind the photos: who uploads, who rates, when, and with which habits.

They hang on a fixed seed, so the same uploader has the same phone and the same habits in every data set.
"""

import numpy as np
from numpy.typing import NDArray

from recipes.guinness import noise
from recipes.guinness.knobs import Knobs
from recipes.guinness.noise import Keys

UPLOADERS = 200
RATERS = 60
AGE_GROUPS = ("18-25", "26-40", "41-60", "61+")
YEAR_START_US = 1_735_689_600_000_000  # 2025-01-01T00:00Z
ST_PATRICKS_DAYS = (72, 78)  # 14 to 20 March, the 17th in the middle
# 13M pints on the day against 5.5M on others (reference.com).
ST_PATRICKS_VOLUME = 13.0 / 5.5
_DAY_US = 86_400_000_000
# Pints by weekday from Wednesday on (1 January 2025 was one); Friday and Saturday nights lead.
_WEEKDAY_WEIGHTS = (8, 10, 22, 26, 16, 6, 7)
# Pints by hour of the day, UTC: pubs open at noon and close half past eleven.
_HOUR_WEIGHTS = (0,) * 12 + (4, 6, 5, 5, 7, 12, 15, 16, 18, 20, 18, 9)
# Younger people rate more of what an app shows them.
_AGE_WEIGHTS = [20, 20, 14, 6]


def draw_uploader(key: Keys) -> NDArray[np.int64]:
    """(N,) 0..199; the busiest uploads nearly 70 times as often as the quietest."""
    rank = np.arange(UPLOADERS, dtype=np.int64)
    return noise.pick(key, "uploader", 12_000 // (rank + 3))


def draw_rater(key: Keys) -> NDArray[np.int64]:
    """(N,) 0..59, skewed more gently than the uploaders."""
    return noise.pick(key, "rater", 12_000 // (np.arange(RATERS, dtype=np.int64) + 12))


def age_of_rater(rater: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) row of AGE_GROUPS."""
    return noise.pick(_person(rater, "raters"), "generation", _AGE_WEIGHTS)


def is_poor_photographer(uploader: NDArray[np.int64], knobs: Knobs) -> NDArray[np.bool_]:
    """(N,) whether this uploader's photos are poor; a larger share keeps the ones already poor."""
    return noise.chance(_person(uploader, "uploaders"), "shaky", knobs.poor_photo_share)


def choice_of_uploader(uploader: NDArray[np.int64], stream: str, weights: list[int]) -> NDArray[np.int64]:
    """(N,) a lasting choice of the person, such as the phone or the local."""
    return noise.pick(_person(uploader, "uploaders"), stream, weights)


def draw_timestamp_us(key: Keys, knobs: Knobs) -> NDArray[np.int64]:
    """(N,) microseconds UTC since 1970, within the knobs' period and opening hours."""
    day = np.arange(knobs.first_day, knobs.first_day + knobs.days, dtype=np.int64)
    # In thousandths, so that the draw stays in whole numbers.
    burst = np.int64(1000.0 + knobs.st_patricks * (ST_PATRICKS_VOLUME - 1.0) * 1000.0)
    weight = np.asarray(_WEEKDAY_WEIGHTS, dtype=np.int64)[day % 7] * np.where(_in_week(day), burst, np.int64(1000))
    drawn = day[noise.pick(key, "day", weight)]
    hour = noise.pick(key, "hour", list(_HOUR_WEIGHTS))
    # The last hour ends at half past.
    hour_us = np.where(hour == 23, np.int64(1_800_000_000), np.int64(3_600_000_000)).astype(np.int64)
    within = (noise.bits(key, "within the hour", 1)[:, 0] >> np.uint64(1)).astype(np.int64) % hour_us
    time: NDArray[np.int64] = YEAR_START_US + drawn * np.int64(_DAY_US) + hour * np.int64(3_600_000_000) + within
    return time


def in_st_patricks_week(timestamp_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) whether the photo falls on 14 to 20 March 2025."""
    return _in_week((timestamp_us - YEAR_START_US) // np.int64(_DAY_US))


def _in_week(day: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (day >= ST_PATRICKS_DAYS[0]) & (day <= ST_PATRICKS_DAYS[1])


def _person(number: NDArray[np.int64], kind: str) -> Keys:
    return noise.bits(noise.keys(noise.POPULATION_SEED, number), kind, 1)[:, 0]
