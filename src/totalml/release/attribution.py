"""What a model looked at, in two numbers a picture, so that a monitor sees when it looks elsewhere than it did.

Maps themselves would be too many to keep of all that is answered, and two pictures have no two places alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ENTROPY = "entropy"
SUBJECT, MIDDLE = "subject", "middle"  # regions: where the subject usually is, or else the middle of the picture


@dataclass(frozen=True)
class Region:
    """Where a model ought to look.

    Args:
        name: SUBJECT or MIDDLE.
        weights: (h, w) in [0, 1], for each place of a map.
    """

    name: str
    weights: Floats

    @property
    def names(self) -> tuple[str, str]:
        """Of what `looked_at` gives."""
        return self.name, ENTROPY

    def as_json(self) -> bytes:
        values = np.round(self.weights.astype(np.float64), 6).tolist()
        return json.dumps({"name": self.name, "weights": values}).encode()

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """Raises: KeyError, ValueError: they are none."""
        weights = np.array(values["weights"], np.float32)
        if weights.ndim != 2 or not weights.size:
            raise ValueError(f"a region has places in rows and columns, not {weights.shape}")
        return cls(str(values["name"]), weights)

    def looked_at(self, scores: Floats, maps: Floats) -> dict[str, Floats]:
        """Of what speaks for each answer, the share on the region, and how evenly it is spread.

        Args:
            scores: (N, A).
            maps: (N, A, h, w); what speaks against an answer does not count.
        Returns: name -> (N,) in [0, 1]; an entropy of 0 is one place, of 1 all alike. NaN where nothing speaks for it.
        """
        answered = np.maximum(maps[np.arange(len(scores)), scores.argmax(axis=1)], 0).astype(np.float64)
        places = answered.reshape(len(answered), -1)
        whole = places.sum(axis=1, keepdims=True)
        shares = np.divide(places, whole, out=np.full_like(places, np.nan), where=whole > 0)
        bits = shares * np.log(shares, out=np.zeros_like(shares), where=shares > 0)
        entropy = np.abs(bits.sum(axis=1)) / np.log(max(shares.shape[1], 2))
        entropy[np.isnan(shares).any(axis=1)] = np.nan
        share = shares @ self.weights.ravel().astype(np.float64)
        return {self.name: share.astype(np.float32), ENTROPY: entropy.astype(np.float32)}


def of_rows(names: Sequence[str], asked: NDArray[np.bool_], told: Mapping[str, Floats]) -> dict[str, Floats]:
    """(N,) of each name, NaN of rows that were not asked.

    Args: asked: (N,). told: of those that were, in their order; empty: nothing is known of any.
    """
    found = {name: np.full(len(asked), np.nan, np.float32) for name in names}
    for name, values in told.items():
        found[name][asked] = values
    return found
