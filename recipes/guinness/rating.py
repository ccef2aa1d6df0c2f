"""Good or bad: a stated rule on what the photo shows, then the errors of the person who rated.

The errors are known, so the best accuracy that any model can reach is known too.
"""

import math

import numpy as np
from numpy.typing import NDArray

from recipes.guinness import noise, people
from recipes.guinness.noise import Numbers
from recipes.guinness.pint import PLASTIC, Pints

# The sources disagree on the head: 10-15 mm (Storehouse poster), 18-20 (kegworks), 12.7-19 (takeout.com), at most
# 10 (pub beermats). Ours takes in the first three: 10 mm, the poster's least, to 23, kegworks' most and a margin.
HEAD_LEAST_MM = 10.0
HEAD_MOST_MM = 23.0
# "Domed just proud of the rim; no spill; outside of glass dry" (avanisolutions.co.uk; dallasobserver.com). The
# figures are ours: what a photo of 128 px shows.
SHORT_MOST_MM = 8.0
DOME_MOST_MM = 7.5
SPILL_MOST = 0.35
# Settled before it is topped up and served: 86 s (vinepair.com); 0 is poured just now, 1 is black.
SETTLE_LEAST = 0.7
# Frog eyes are a fault (perfectpint.ie); a sound head's bubbles are 0.05 mm (Watamura 2019). The figure is ours.
BUBBLE_MOST_MM = 2.5
# Share of labels that a rater gets wrong, by age group; 0.04 over all. Invented.
ERROR_RATES = {"18-25": 0.055, "26-40": 0.04, "41-60": 0.03, "61+": 0.02}
# Each rater's own factor on that rate lies between these.
_RATER_FACTOR = (0.6, 1.4)


def faults(pints: Pints) -> dict[str, NDArray[np.bool_]]:
    """(N,) for each kind of fault: whether the pint has it."""
    return {
        "thin head": pints.head_mm < HEAD_LEAST_MM,
        "thick head": pints.head_mm > HEAD_MOST_MM,
        "short measure": pints.short_mm > SHORT_MOST_MM,
        "overflowing": (pints.dome_mm > DOME_MOST_MM) | (pints.spill > SPILL_MOST),
        "not settled": pints.settle < SETTLE_LEAST,
        "frog eyes": pints.bubble_mm > BUBBLE_MOST_MM,
        "plastic cup": pints.glass == PLASTIC,
    }


def is_good(pints: Pints) -> NDArray[np.bool_]:
    """(N,) the rule: good means no fault."""
    good = np.ones(len(pints), dtype=np.bool_)
    for fault in faults(pints).values():
        good &= ~fault
    return good


def flip_rate(pints: Pints) -> Numbers:
    """(N,) in [0, 1]: the chance that this pint's label goes against the rule."""
    age = people.age_of_rater(pints.rater)
    own = noise.uniform(noise.keys(noise.POPULATION_SEED, pints.rater), "rater error", *_RATER_FACTOR)
    error = np.asarray(list(ERROR_RATES.values()), dtype=np.float64)[age] * own
    lenient: Numbers = np.where((age == 0) & ~is_good(pints), pints.young_generosity, 0.0)
    return lenient + (1.0 - lenient) * error


def labels(pints: Pints) -> NDArray[np.int64]:
    """(N,) 1 good, 0 bad, as rated."""
    flipped = noise.chance(pints.key, "rating", flip_rate(pints))
    return (is_good(pints) ^ flipped).astype(np.int64)


def best_possible_accuracy(pints: Pints) -> float:
    """Expected share of labels that agree with the rule; a model that knows the rule scores this."""
    # Exact sum: a plain one differs in its last bit between processors.
    return 1.0 - math.fsum(flip_rate(pints).tolist()) / len(pints)


def realised_accuracy(pints: Pints) -> float:
    """Share of these very labels that agree with the rule; differs from the expected one by chance."""
    return int((labels(pints) == is_good(pints)).sum()) / len(pints)
