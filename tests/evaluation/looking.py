"""Networks and pictures small enough to know by formula what they look at, and pints with a coaster in the corner."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from recipes.guinness.source import PintSource
from totalml.data.image import decode, pgm, ppm
from totalml.data.sample import Sample
from totalml.kinds import Source

GLASS = 4
COASTER_PX = 14
COLOURS = {"good": (40, 70, 230), "bad": (230, 40, 50)}


@dataclass(frozen=True)
class Whole:
    """Stands for a `EndToEndNetwork` of some pictures, (N, S, S, C) uint8."""

    network: nn.Module
    images: np.ndarray
    device: str = "cpu"

    def inputs(self, rows: np.ndarray) -> dict[str, Tensor]:
        none = torch.zeros(len(rows), 0)
        return {"image": torch.from_numpy(self.images[rows]), "numeric": none, "categorical": none.long()}


class Pictured(nn.Module):
    """A network of pictures alone, called as a `Network` is."""

    def __init__(self, image: nn.Module) -> None:
        super().__init__()
        self.image = image

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        images = inputs["image"]
        planes = images if images.is_floating_point() else images.permute(0, 3, 1, 2).float()
        scores: Tensor = self.image(planes / 255)
        return scores


def one_layer(channels: int = 3, classes: int = 3, seed: int = 0, width: int = 4) -> Pictured:
    """2x2 patches -> ReLU -> mean -> classes."""
    torch.manual_seed(seed)
    layers = nn.Conv2d(channels, width, 2, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return Pictured(nn.Sequential(*layers, nn.Linear(width, classes))).eval()


class Pints(Source):
    """The rendered pints, with or without a coaster whose colour is the label."""

    count: int
    coaster: Literal["none", "tells"]

    def samples(self) -> Iterator[Sample]:
        return map(self._with_coaster, PintSource(count=self.count, size_px=64).samples())

    def fingerprint(self) -> str:
        return "drawn"

    def _with_coaster(self, sample: Sample) -> Sample:
        if self.coaster == "none":
            return sample
        assert sample.mask is not None
        pixels, mask = (np.array(decode(data, 1.0)) for data in (sample.image, sample.mask))
        corner = (slice(-COASTER_PX, None), slice(None, COASTER_PX))
        pixels[corner], mask[corner] = COLOURS[sample.label or ""], 0
        return replace(sample, image=ppm(pixels), mask=pgm(np.ascontiguousarray(mask[..., 0])))
