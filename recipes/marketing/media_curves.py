"""What advertising becomes on its way to a sale: it is remembered for a while, and more of it adds less.

For K members at once, and differentiable wherever it is looked at.
"""

import torch
from torch import Tensor

LEAST = 1e-6  # of what is remembered, in the unit of `half`: a logarithm of nothing is none


def adstock(spend: Tensor, decay: Tensor) -> Tensor:
    """What is remembered of the last periods: a mean of them, of weights that decay.

    Args:
        spend: (B, C, L) of B rows and C channels, latest period first; NaN where it is not known, and left out.
        decay: (K, C) in (0, 1), share that is remembered a period later.
    Returns: (B, K, C); a spend that stays the same is its own adstock.
    """
    lags = torch.arange(spend.shape[2], device=spend.device)
    weights = decay.unsqueeze(2) ** lags
    known = torch.einsum("bcl,kcl->bkc", (~spend.isnan()).to(spend.dtype), weights)
    return torch.einsum("bcl,kcl->bkc", spend.nan_to_num(), weights) / known.clamp(min=LEAST)


def hill(remembered: Tensor, half: Tensor, shape: Tensor) -> Tensor:
    """(B, K, C), of (B, K, C) and twice (K, C) -> share of the effect, 0..1: 1/2 at `half`.

    Source: Hill 1910; x^s / (x^s + h^s) is the logistic function of s log(x / h).
    """
    return torch.sigmoid(shape * (remembered / half).clamp(min=LEAST).log())
