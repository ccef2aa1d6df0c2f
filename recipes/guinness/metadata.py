"""What the app knows of each photo: pub, time, phone, people, and the scores they gave."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.guinness import noise, people
from recipes.guinness.noise import Numbers
from recipes.guinness.pint import Pints

# Invented; any likeness to a real pub is by chance.
PUBS = (
    "The Settled Swan",
    "Mulhearn's",
    "The Black Ferry",
    "Cassidy & Daughters",
    "The Slow Pour",
    "Ballagh House",
    "The Copper Harp",
    "Tansey's Snug",
    "The Lamplighter's Rest",
    "O'Shiel's Corner",
    "The Two Minute Wait",
    "Quayside Tap",
)
DEVICES = ("iPhone 15", "iPhone 13", "Galaxy S23", "Galaxy A54", "Pixel 8", "Redmi Note 12")
_PUB_WEIGHTS = [18, 15, 12, 11, 9, 8, 7, 6, 5, 4, 3, 2]
_DEVICE_WEIGHTS = [20, 22, 14, 20, 12, 12]
_AT_THE_LOCAL = 0.6
_MISSING_SHARE = 0.12


def metadata(pints: Pints) -> dict[str, NDArray[Any]]:
    """Each (N,): pub, device, age_group, uploader, rater (str); timestamp_us (int64); taste, texture (float64).

    The age group is the rater's. Scores run 0..10 with one decimal, NaN where not given.
    """
    local = people.choice_of_uploader(pints.uploader, "local", _PUB_WEIGHTS)
    elsewhere = noise.pick(pints.key, "pub", _PUB_WEIGHTS)
    pub = np.where(noise.chance(pints.key, "at the local", _AT_THE_LOCAL), local, elsewhere)
    device = people.choice_of_uploader(pints.uploader, "device", _DEVICE_WEIGHTS)
    return {
        "pub": np.asarray(PUBS)[pub],
        "timestamp_us": pints.timestamp_us,
        "device": np.asarray(DEVICES)[device],
        "age_group": np.asarray(people.AGE_GROUPS)[people.age_of_rater(pints.rater)],
        "taste": _score(pints, "taste", 8.2 - 0.7 * np.abs(pints.temperature_c - 6.0) + 1.2 * (pints.settle - 1.0)),
        "texture": _score(pints, "texture", _texture(pints)),
        "uploader": np.char.add("u", np.char.zfill(pints.uploader.astype(np.str_), 3)),
        "rater": np.char.add("r", np.char.zfill(pints.rater.astype(np.str_), 2)),
    }


def _texture(pints: Pints) -> Numbers:
    off_head = np.minimum(np.abs(pints.head_mm - 16.0), 20.0)
    return 8.4 - 0.1 * off_head - 0.25 * pints.bubble_mm + 2.0 * (pints.settle - 1.0)


def _score(pints: Pints, stream: str, expected: Numbers) -> Numbers:
    """Rounded to one decimal; about one in eight is missing."""
    given = np.clip(expected + 0.8 * noise.bell(pints.key, stream), 0.0, 10.0)
    rounded = np.floor(given * 10.0 + 0.5) / 10.0
    return np.where(noise.chance(pints.key, f"missing {stream}", _MISSING_SHARE), np.nan, rounded)
