"""What is believed of sales and media before any data are seen, of K members at once.

Mild on purpose, and not what the market of this folder is made of: two deviations let most values halve or double.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from recipes.marketing.media_curves import hill

# Middle and deviation, each on the scale on which it is any number.
DECAY = (-0.5, 1.0)  # logit of the share that is remembered a period later
HALF = (0.0, 0.4)  # log, in mean spends
SHAPE = (-0.4, 0.4)  # logit of the place in SHAPES
SHAPES = (0.5, 3.0)  # below 1 the first spend does most, above 1 little does nothing
MEDIA = 0.2  # share of sales that all channels bring, of which each has as much as of what is spent
SHARE = 0.4  # deviation of the log of a channel's
LEVEL = (-0.2, 0.3)  # log of the share of sales that media do not bring
REGION = 0.05  # on the log of demand, beside what is usual in a region
DEMAND = 0.1  # on the log of demand, for a deviation of a control, or a harmonic
NOISE = (-2.5, 0.5)  # log of the deviation of the log
LEAST = 1e-6


class Curves(NamedTuple):
    """How K members see C channels, each (K, C).

    Args:
        decay: in (0, 1).
        half: spend by size at which half of the effect is reached.
        shape: of the Hill curve, in SHAPES.
        most: sales by size that no spend goes beyond.
    """

    decay: Tensor
    half: Tensor
    shape: Tensor
    most: Tensor


class Anchored(nn.Module):
    """Numbers by name, each a standard normal beforehand; every member is drawn to an anchor of its own.

    Members without data are so many draws of the prior; with data they move as far as these ask for.
    Source: Pearce et al. 2020, sec. 3.

    Args: widths: how many numbers each name has.
    """

    anchor: Tensor

    def __init__(self, widths: Mapping[str, int], members: int, seed: int) -> None:
        super().__init__()
        drawn = torch.randn(members, sum(widths.values()), generator=torch.Generator().manual_seed(seed))
        # What few members believe in the mean must not be what chance dealt them.
        centred = (drawn - drawn.mean(dim=0)) / drawn.std(dim=0, correction=0).clamp(min=LEAST)
        self.register_buffer("anchor", centred)
        self.at = nn.Parameter(centred.clone())
        self._widths = dict(widths)

    def forward(self) -> dict[str, Tensor]:
        """(K, width) of each name."""
        return dict(zip(self._widths, torch.split(self.at, [*self._widths.values()], dim=1), strict=True))

    def pull(self) -> Tensor:
        """(K,) minus the logarithm of how probable they are beforehand, up to a constant."""
        return ((self.at - self.anchor) ** 2).sum(dim=1) / 2


def curves(believed: Mapping[str, Tensor], spent: Tensor, sold: Tensor) -> Curves:
    """Args:
    believed: `decay`, `half`, `shape` and `share`, (K, C) each, as `Anchored` has them.
    spent: (C,) mean spend by size.
    sold: () mean sales by size.
    """
    half = spent * torch.exp(HALF[0] + HALF[1] * believed["half"])
    shape = SHAPES[0] + (SHAPES[1] - SHAPES[0]) * torch.sigmoid(SHAPE[0] + SHAPE[1] * believed["shape"])
    # The mean of a lognormal is more than its middle.
    share = MEDIA * spent / spent.sum() * torch.exp(SHARE * believed["share"] - SHARE**2 / 2)
    return Curves(
        decay=torch.sigmoid(DECAY[0] + DECAY[1] * believed["decay"]),
        half=half,
        shape=shape,
        # As a share at the mean spend, since that is what people know, and what data tell apart from the curve.
        most=sold * share / hill(spent, half, shape),
    )
