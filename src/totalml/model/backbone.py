"""Any classification network of torchvision, by name, without its classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from totalml.kinds import ImageBackbone
from totalml.model.catalogue import WEIGHTS_FILES, torchvision_names
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from torch import nn


def _known(name: str) -> str:
    names = torchvision_names()
    if name not in names:
        hint = did_you_mean(name, names) or f"; it has {', '.join(names)}"
        raise ValueError(f"torchvision has no classification network {name!r}{hint}")
    return name


class TorchvisionBackbone(ImageBackbone):
    """Args:
    name: as in `torchvision.models`, e.g. `resnet18`.
    weights: None to start from random weights, a local file (.safetensors or .pth), or a name of torchvision such
        as DEFAULT or IMAGENET1K_V1, which is downloaded once.
    """

    name: Annotated[str, AfterValidator(_known)]
    weights: str | None = None

    def files(self) -> list[Path]:
        return [Path(self.weights).expanduser()] if self.weights and self.weights.endswith(WEIGHTS_FILES) else []

    def untrained(self) -> TorchvisionBackbone:
        return self.model_copy(update={"weights": None})

    def build(self, channels: int) -> tuple[nn.Module, int]:
        """Raises: ModelError: the weights cannot be had or do not fit."""
        from totalml.model.torchvision_build import build_headless

        return build_headless(self.name, self.weights, channels)
