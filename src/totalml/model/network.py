"""The network: preprocessing, backbones, and the head of the task over their joined embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from totalml.errors import ModelError
from totalml.kinds import Task
from totalml.model.inputs import Inputs
from totalml.model.preprocess import ImageScaler, TableEncoder
from totalml.recipe import ModelRecipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.features import FeatureSet


IMAGE_PARTS = ("scaler.", "image.")  # what the names of the image backbone's tensors start with


class Network(nn.Module):
    """Args:
    recipe: names the backbones.
    task: gives the head.
    inputs: what the network takes and answers.
    embedded: width of the embeddings of pictures where they are given; there is no image backbone then.
    """

    def __init__(self, recipe: ModelRecipe, task: Task, inputs: Inputs, embedded: int | None = None) -> None:
        super().__init__()
        self.inputs = inputs
        self.scaler: ImageScaler | None = None
        self.encoder: TableEncoder | None = None
        # What a file of this network holds besides its own state: the backbone that made the embeddings.
        self.frozen: Mapping[str, Tensor] = {}
        width = embedded or 0
        if recipe.image is not None and inputs.image is not None and embedded is None:
            channels = inputs.image[2]
            self.scaler = ImageScaler(channels)
            image, wide = recipe.image.build(channels)
            self.image = image.to(memory_format=torch.channels_last)
            width += wide
        if recipe.table is not None:
            self.encoder = TableEncoder(len(inputs.numeric), inputs.vocabularies)
            self.table, wide = recipe.table.build(self.encoder.columns)
            width += wide
        self.dropout = nn.Dropout(recipe.dropout)
        self.head = task.head(width, inputs.targets)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(B, P) outputs; the task turns them into answers.

        Args:
            inputs: `image`, (B, H, W, C) uint8 or (B, C, H, W) float in 0..255; `numeric`, (B, Dn) float, NaN where
                missing; `categorical`, (B, Dc) int64. Those that no backbone needs are ignored. `embedding`, (B, D)
                float, takes the place of `image`.
        """
        embeddings = []
        if "embedding" in inputs:
            embeddings.append(inputs["embedding"])
        elif self.scaler is not None:
            embeddings.append(self.image(self.scaler(inputs["image"])))
        if self.encoder is not None:
            embeddings.append(self.table(self.encoder(inputs["numeric"], inputs["categorical"])))
        joined = embeddings[0] if len(embeddings) == 1 else torch.cat(embeddings, dim=1)
        outputs: Tensor = self.head(self.dropout(joined))
        return outputs

    def count_weights(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def build_network(recipe: ModelRecipe, task: Task, features: FeatureSet, train_rows: NDArray[np.int64]) -> Network:
    """A network with preprocessing fitted on the training rows and all else as it starts.

    Where the features hold embeddings it has no image backbone, and its file gets the one that made them.

    Raises: ModelError: a backbone cannot be built or cannot take these features.
    """
    network = Network(recipe, task, Inputs.of(features), features.embedding_width)
    if features.embeddings is not None:
        network.frozen = features.embeddings.frozen
    if network.scaler is not None and features.images is not None:
        network.scaler.fit(features.images, train_rows)
    if network.encoder is not None:
        network.encoder.fit(features.numeric[train_rows])
    task.fit_head(network.head, features.targets.values[train_rows])
    _try_out(network, recipe, features.embedding_width)
    return network


def _try_out(network: Network, recipe: ModelRecipe, embedded: int | None) -> None:
    """Some backbones take one size of picture only, which shows when they are first run."""
    inputs = network.inputs
    blank = {
        "image": torch.zeros((1, *(inputs.image or (0, 0, 0))), dtype=torch.uint8),
        "numeric": torch.zeros(1, len(inputs.numeric)),
        "categorical": torch.zeros(1, len(inputs.categorical), dtype=torch.int64),
    }
    if embedded is not None:
        blank["embedding"] = torch.zeros(1, embedded)
    network.eval()
    try:
        with torch.inference_mode():
            network(blank)
    except (RuntimeError, AssertionError) as error:
        size = f" with pictures of {inputs.image[0]} px" if inputs.image else ""
        raise ModelError(
            f"the model cannot run{size}: {error} (backbones: {recipe.image!r}, {recipe.table!r}). "
            "Set another features.image.size or another backbone."
        ) from error
    finally:
        network.train()
