"""Whether the maps show what the network has learnt: they must change where its last layers are drawn anew.

Source: Adebayo et al. 2018, "Sanity checks for saliency maps".
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.explanation.layer import MapLayer
from totalml.evaluation.explanation.methods import Maps, grad_cam
from totalml.training.end_to_end import EndToEndNetwork

PICTURES = 24  # evenly chosen
DRAWS = 12  # all pictures share the luck of one


def randomised_similarity(
    whole: EndToEndNetwork, layer: MapLayer, rows: Ints, classes: Ints, maps: Maps, seed: int
) -> Floats:
    """(DRAWS,) how like some maps are to those of the network whose later half and head are random, 0 to 1.

    The mean size of the rank correlation, whatever its sign: a random head turns a map's sign as often as not, which
    would hide a map that is always the same. Of unrelated maps of 4 x 4 places it is 0.2.

    Args: rows, classes, maps: (N,), (N,), (N, g, g), of all test pictures.
    """
    some = np.unique(np.linspace(0, len(rows) - 1, PICTURES).astype(np.int64))
    drawn = []
    for draw in range(DRAWS):
        torch.manual_seed(seed + draw)
        network = copy.deepcopy(whole.network)
        for name in layer.late:
            module: Any = network.get_submodule(name)
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        drawn.append(rank_correlation(maps[some], grad_cam(whole, network, layer, rows[some], classes[some])))
    sizes = np.abs(np.array(drawn))
    known = np.isfinite(sizes)
    return np.where(known, sizes, 0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)


def rank_correlation(maps: Maps, others: Maps) -> Floats:
    """(n,) Spearman's, of the places of each pair of maps; NaN where one is flat."""
    first, second = (_ranks(part.reshape(len(part), -1)) for part in (maps, others))
    with np.errstate(invalid="ignore"):
        correlation: Floats = (first * second).sum(1) / np.sqrt((first**2).sum(1) * (second**2).sum(1))
    return correlation


def _ranks(values: Maps) -> Floats:
    """Mean ranks about 0: equal values share theirs."""
    below = (values[:, :, None] > values[:, None, :]).sum(2)
    equal = (values[:, :, None] == values[:, None, :]).sum(2)
    ranks: Floats = below + (equal - 1) / 2 - (values.shape[1] - 1) / 2
    return ranks
