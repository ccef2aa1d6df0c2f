"""Preprocessing that is part of the network: fitted on training rows, kept in its weights, run on its device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features import ImageRows

SAMPLE_IMAGES = 2000  # pictures that mean and deviation are taken from: their error is then far below one grey level
CHUNK_IMAGES = 100
# Of the photos of ImageNet, which nearly all pretrained weights of torchvision expect; grey levels a channel.
IMAGENET_MEAN, IMAGENET_DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class ImageScaler(nn.Module):
    """(B, H, W, C) uint8 or (B, C, H, W) float, 0..255 -> (B, C, H, W) float of mean 0 and deviation 1 a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))
        self.mean: Tensor
        self.deviation: Tensor

    def fit(self, images: ImageRows, rows: NDArray[np.int64]) -> None:
        """Take mean and deviation of up to 2,000 pictures spread evenly over `rows`."""
        spread = rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE_IMAGES)).astype(np.int64)]
        histogram = np.zeros((images.shape[2], 256), np.int64)
        for start in range(0, len(spread), CHUNK_IMAGES):
            histogram += _histogram(images.gather(spread[start : start + CHUNK_IMAGES]))
        mean, deviation = _moments(histogram)
        self.mean.copy_(torch.from_numpy(mean))
        self.deviation.copy_(torch.from_numpy(deviation))

    def forward(self, images: Tensor) -> Tensor:
        pixels = images if images.dtype == torch.uint8 else images.permute(0, 2, 3, 1)
        count, height, width, channels = pixels.shape
        # As rows of width x channels numbers: ten times as fast as a loop over three channels inside.
        rows = pixels.reshape(count, height, width * channels)
        scale = self.deviation.reciprocal()
        tiled, shift = scale.repeat(width), (-self.mean * scale).repeat(width)
        scaled = rows.to(scale.dtype).mul_(tiled) if images.dtype == torch.uint8 else rows * tiled
        # The memory stays channels_last, which convolutions like.
        return scaled.add_(shift).view(pixels.shape).permute(0, 3, 1, 2)


def _histogram(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(C, 256) counts; integers, so the sum does not depend on the order."""
    return np.stack([np.bincount(pixels[..., channel].ravel(), minlength=256) for channel in range(pixels.shape[-1])])


def _moments(histogram: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    levels, count = np.arange(256.0), histogram.sum(axis=1)
    mean = (histogram * levels).sum(axis=1) / count
    variance = (histogram * (levels - mean[:, None]) ** 2).sum(axis=1) / count
    return mean, np.maximum(np.sqrt(variance), 1.0)  # at least one grey level: a uniform channel stays finite


class TableEncoder(nn.Module):
    """Numeric columns standardised with a column beside each that says missing; categorical columns one-hot."""

    def __init__(self, numeric: int, vocabularies: Sequence[Sequence[str]]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(numeric))
        self.register_buffer("deviation", torch.ones(numeric))
        self.mean: Tensor
        self.deviation: Tensor
        self.sizes = tuple(len(vocabulary) + 1 for vocabulary in vocabularies)
        self.columns = 2 * numeric + sum(self.sizes)

    def fit(self, numeric: NDArray[np.float32]) -> None:
        """Args: numeric: (N, Dn) of the training rows, NaN where missing."""
        known = ~np.isnan(numeric)
        count = np.maximum(known.sum(axis=0), 1)
        values = np.where(known, numeric, 0).astype(np.float64)
        mean = values.sum(axis=0) / count
        variance = (np.where(known, values - mean, 0) ** 2).sum(axis=0) / count
        deviation = np.sqrt(variance)
        self.mean.copy_(torch.from_numpy(mean))
        # A constant column says nothing: any deviation but zero maps it to zero.
        self.deviation.copy_(torch.from_numpy(np.where(deviation > 0, deviation, 1.0)))

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """(B, Dn) float and (B, Dc) int64 -> (B, columns) float."""
        missing = numeric.isnan()
        standard = ((numeric - self.mean) / self.deviation).masked_fill(missing, 0.0)
        words = [
            functional.one_hot(categorical[:, column], size).to(standard.dtype)
            for column, size in enumerate(self.sizes)
        ]
        return torch.cat([standard, missing.to(standard.dtype), *words], dim=1)
