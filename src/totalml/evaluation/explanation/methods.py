"""Grad-CAM, integrated gradients and squared SmoothGrad, by captum, of the answer that the model gives.

What is explained is an answer's score less the mean of all scores: adding one number to all of them changes no answer,
so training leaves that part as it was drawn, and it would only be noise here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from totalml.evaluation.arrays import Ints
from totalml.evaluation.explanation.layer import MapLayer
from totalml.training.end_to_end import EndToEndNetwork

if TYPE_CHECKING:
    from captum.attr import IntegratedGradients

Maps = NDArray[np.float32]

BATCH = 64
GRID = 16  # places a side that a map keeps at most
FINE_GRID = 64  # the same, of the pictures that are shown
STEPS = 32  # of integrated gradients
BLUR = 1 / 8  # deviation of the blurred picture that integrated gradients start from, share of the side
NOISY = 16  # pictures that SmoothGrad takes the mean of
NOISE = 0.1 * 255  # deviation of their noise, grey levels


def scores_of(network: nn.Module) -> Callable[..., Tensor]:
    """(B, C, H, W) pictures in 0..255 and the table's columns -> (B, K) scores less their mean."""

    def scores(images: Tensor, numeric: Tensor, categorical: Tensor) -> Tensor:
        given = {"image": images, "numeric": numeric, "categorical": categorical}
        answered: Tensor = network(given)
        return answered - answered.mean(dim=1, keepdim=True)

    return scores


def grad_cam(whole: EndToEndNetwork, network: nn.Module, layer: MapLayer, rows: Ints, classes: Ints) -> Maps:
    """(n, g, g) how much each place speaks for a class; below 0 against it. A map of more places is averaged to GRID.

    Args:
        network: `whole.network`, or another of its shape.
        rows, classes: (n,) samples, and the class of each that is explained.
    Source: Selvaraju et al. 2017.
    """
    from captum.attr import LayerGradCam

    with _gradients_from(network, layer):
        method = LayerGradCam(scores_of(network), network.get_submodule(layer.name))
        parts = [
            _pooled(method.attribute(images, target=target, additional_forward_args=beside)[:, 0].detach(), GRID)
            for images, beside, target in _batches(whole, rows, classes, BATCH)
        ]
    return np.concatenate(parts)


def integrated_gradients(whole: EndToEndNetwork, rows: Ints, classes: Ints) -> Maps:
    """(n, f, f) what each place adds to the score where the picture appears out of a blur of itself.

    Source: Sundararajan et al. 2017; the blur: Sturmfels et al. 2020.
    """
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(scores_of(whole.network))

    def of(images: Tensor, beside: tuple[Tensor, ...], target: Tensor) -> Tensor:
        attribution = integrate(method, images, beside, target)
        return attribution.sum(dim=1)

    return _one_by_one(whole, rows, classes, of)


def integrate(method: IntegratedGradients, images: Tensor, beside: tuple[Tensor, ...], target: Tensor) -> Tensor:
    """(B, C, H, W); its sum is the score of the picture less that of the blur, but for the steps."""
    attributed: Tensor = method.attribute(
        images, baselines=blurred(images), target=target, additional_forward_args=beside, n_steps=STEPS
    )
    return attributed


def smoothgrad_squared(whole: EndToEndNetwork, rows: Ints, classes: Ints, seed: int) -> Maps:
    """(n, f, f) how far a change of each place moves the score, mean of squares over noisy pictures; never below 0.

    Source: Smilkov et al. 2017, squared as in Hooker et al. 2019.
    """
    from captum.attr import NoiseTunnel, Saliency

    tunnel: Any = NoiseTunnel(Saliency(scores_of(whole.network)))
    torch.manual_seed(seed)

    def of(images: Tensor, beside: tuple[Tensor, ...], target: Tensor) -> Tensor:
        squares: Tensor = tunnel.attribute(
            images,
            nt_type="smoothgrad_sq",
            nt_samples=NOISY,
            stdevs=NOISE,
            target=target,
            additional_forward_args=beside,
        )
        return squares.sum(dim=1)

    return _one_by_one(whole, rows, classes, of)


def _one_by_one(
    whole: EndToEndNetwork, rows: Ints, classes: Ints, of: Callable[[Tensor, tuple[Tensor, ...], Tensor], Tensor]
) -> Maps:
    """Each picture's steps or noisy copies are a batch already."""
    whole.network.requires_grad_(False)
    made = [_pooled(of(*batch).detach(), FINE_GRID) for batch in _batches(whole, rows, classes, 1)]
    return np.concatenate(made)


def _batches(
    whole: EndToEndNetwork, rows: Ints, classes: Ints, size: int
) -> Iterator[tuple[Tensor, tuple[Tensor, ...], Tensor]]:
    """Pictures as (B, C, H, W) float, the table's columns, and the classes."""
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        given = whole.inputs(rows[part])
        images = given["image"].permute(0, 3, 1, 2).float()
        yield images, (given["numeric"], given["categorical"]), torch.from_numpy(classes[part]).to(whole.device)


@contextmanager
def _gradients_from(network: nn.Module, layer: MapLayer) -> Iterator[None]:
    """Gradients reach back to the last weights before the layer and no further: twice as fast."""
    wanted = {parameter: parameter.requires_grad for parameter in network.parameters()}
    network.requires_grad_(False)
    network.get_submodule(layer.before[-1]).requires_grad_(True)
    try:
        yield
    finally:
        for parameter, was in wanted.items():
            parameter.requires_grad_(was)


def _pooled(maps: Tensor, most: int) -> Maps:
    if maps.shape[-1] > most:
        maps = functional.adaptive_avg_pool2d(maps[:, None], most)[:, 0]
    pooled: Maps = maps.float().cpu().numpy()
    return pooled


def blurred(images: Tensor) -> Tensor:
    """By a Gaussian, continued by reflection."""
    side = images.shape[-1]
    places = torch.arange(side, dtype=torch.float64)
    # The picture and its mirror images to either side, folded back onto it.
    mirrored = torch.stack([places, -1 - places, 2 * side - 1 - places])
    distance = places[None, :, None] - mirrored[:, None, :]
    weights = torch.exp(-0.5 * (distance / (BLUR * side)) ** 2).sum(dim=0)
    matrix = (weights / weights.sum(dim=1, keepdim=True)).to(images)
    return matrix @ images @ matrix.T
