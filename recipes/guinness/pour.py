"""How the pint was poured: a good pour, or one to three plain faults.

Faults lie clearly beyond the rule's thresholds and good pints clearly within, so that a photo can tell them apart.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.guinness import noise
from recipes.guinness.noise import Keys

BAD_SHARE = 0.5
# Whole-number weights of the kinds of fault.
_FAULTS = {"thin": 5, "thick": 4, "short": 4, "overflow": 4, "unsettled": 4, "frog eyes": 4}
# Weights of one, two and three draws of a fault; the same kind may come twice.
_FAULT_COUNT = [70, 22, 8]
# Ranges of a good pour and of each fault, in the unit of the field.
_GOOD = {
    "head_mm": (12.5, 19.5),
    "dome_mm": (1.0, 4.5),
    "short_mm": (0.0, 3.0),
    "settle": (0.9, 1.0),
    "spill": (0.0, 0.06),
    "bubble_mm": (0.1, 0.8),
}
_FAULTY: dict[str, dict[str, tuple[float, float]]] = {
    "thin": {"head_mm": (1.0, 4.0)},
    "thick": {"head_mm": (38.0, 58.0)},
    "short": {"short_mm": (20.0, 30.0), "dome_mm": (0.5, 2.0)},
    "overflow": {"dome_mm": (9.5, 13.5), "spill": (0.75, 1.0), "short_mm": (0.0, 1.0)},
    "unsettled": {"settle": (0.0, 0.45)},
    "frog eyes": {"bubble_mm": (6.5, 10.0), "head_mm": (13.0, 19.5)},
}


def draw_pour(key: Keys) -> dict[str, NDArray[Any]]:
    """The fields of `_GOOD`, each (N,): good with share 1 - BAD_SHARE, else one to three faults.

    A later fault in the order of `_FAULTS` overrides an earlier one on the same field.
    """
    pour: dict[str, NDArray[Any]] = {name: noise.uniform(key, f"good {name}", *span) for name, span in _GOOD.items()}
    bad = noise.chance(key, "bad", BAD_SHARE)
    draws = noise.pick(key, "fault count", _FAULT_COUNT) + 1
    kinds = [noise.pick(key, f"fault {turn}", list(_FAULTS.values())) for turn in range(3)]
    for row, (fault, spans) in enumerate(_FAULTY.items()):
        hit = np.zeros(len(key), dtype=np.bool_)
        for turn, kind in enumerate(kinds):
            hit |= bad & (draws > turn) & (kind == row)
        for name, span in spans.items():
            pour[name] = np.where(hit, noise.uniform(key, f"{fault} {name}", *span), pour[name])
    return pour
