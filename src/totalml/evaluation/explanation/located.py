"""How much of what speaks for the answers lies on what, beside two controls that know nothing of the pictures.

The first is attribution strewn at random, which lies on a part as often as the part is large; the second looks at the
middle, where photographers put what matters. A model that reads its pictures should beat both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from totalml.evaluation.arrays import Floats
from totalml.evaluation.explanation.methods import Maps

SPREAD = 0.2  # deviation of the look at the middle, share of the side

Masks = NDArray[np.uint8]


@dataclass(frozen=True)
class OnParts:
    """n pictures; V parts, then what is outside of all of them, then the subject.

    Args:
        share: (n, V + 2) of what speaks for the answer.
        area: (n, V + 2) of the picture.
        centre: (n, V + 2) of the look at the middle.
        hit: (n,) whether the strongest place lies on the subject.
        centre_hit: (n,) whether the middle of the picture does.
    """

    share: Floats
    area: Floats
    centre: Floats
    hit: NDArray[np.bool_]
    centre_hit: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence[OnParts]) -> OnParts:
        names = ("share", "area", "centre", "hit", "centre_hit")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def on_parts(maps: Maps, masks: Masks, parts: Mapping[str, int], subject: Sequence[str]) -> OnParts:
    """Args:
    maps: (n, g, g), none without a place above 0.
    masks: (n, S, S) bits.
    parts: name -> bits.
    """
    side = masks.shape[-1]
    positive = np.maximum(maps, 0)
    positive /= positive.sum(axis=(1, 2), keepdims=True)
    heat = enlarged(positive, side)
    heat /= heat.sum(axis=(1, 2), keepdims=True)
    lit = np.stack([*_cover(masks, parts, subject)], axis=1)
    place = strongest(positive, side)
    subjects = lit[:, -1]
    return OnParts(
        share=np.einsum("nvij,nij->nv", lit, heat, dtype=np.float64),
        area=lit.mean(axis=(2, 3), dtype=np.float64),
        centre=np.einsum("nvij,ij->nv", lit, middle(side), dtype=np.float64),
        hit=subjects[np.arange(len(masks)), place[:, 0], place[:, 1]] > 0,
        centre_hit=subjects[:, side // 2, side // 2] > 0,
    )


def _cover(masks: Masks, parts: Mapping[str, int], subject: Sequence[str]) -> list[NDArray[np.float32]]:
    """(n, S, S) 0 or 1: each part, what is outside of all, the subject."""
    everything, wanted = _together(parts.values()), _together(parts[name] for name in subject)
    shown = [masks & bits > 0 for bits in parts.values()]
    return [part.astype(np.float32) for part in (*shown, masks & everything == 0, masks & wanted > 0)]


def _together(bits: Iterable[int]) -> int:
    return reduce(or_, bits, 0)


def enlarged(maps: Maps, side: int) -> Maps:
    """(n, g, g) -> (n, side, side), bilinear, as the report draws them."""
    planes = torch.from_numpy(np.ascontiguousarray(maps, np.float32))[:, None]
    large: Maps = functional.interpolate(planes, size=(side, side), mode="bilinear", align_corners=False)[:, 0].numpy()
    return large


def strongest(maps: Maps, side: int) -> NDArray[np.int64]:
    """(n, 2) row and column of the middle of each map's strongest place, in a picture of `side`."""
    grid = maps.shape[-1]
    row, column = np.divmod(maps.reshape(len(maps), -1).argmax(axis=1), grid)
    return ((np.stack([row, column], axis=1) * 2 + 1) * side // (2 * grid)).astype(np.int64)


def middle(side: int) -> Floats:
    """(side, side) a Gaussian on the middle that adds up to 1."""
    places = (np.arange(side) + 0.5) / side - 0.5
    bell = np.exp(-0.5 * (places / SPREAD) ** 2)
    weights: Floats = bell[:, None] * bell
    return weights / weights.sum()
