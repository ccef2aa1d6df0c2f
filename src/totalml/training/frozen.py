"""What a training behind a frozen backbone is given: embeddings, computed as reproducibly as it computes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.embedding import embed
from totalml.progress import Progress
from totalml.recipe import Recipe
from totalml.training.execution import reproducible

if TYPE_CHECKING:
    from totalml.features import FeatureSet
    from totalml.store import Store

SILENT = Progress.silent()


def embed_features(recipe: Recipe, features: FeatureSet, store: Store, progress: Progress = SILENT) -> FeatureSet:
    """The features with the embeddings of their pictures where the recipe freezes the backbone, else as they are.

    Raises:
        ModelError: the backbone cannot be built or cannot take these pictures.
        TrainingError: a GPU is asked for and torch sees none.
    """
    if not recipe.model.freeze:
        return features
    with reproducible(recipe.runtime, recipe.seed) as device:
        return embed(recipe, features, store, device, progress)
