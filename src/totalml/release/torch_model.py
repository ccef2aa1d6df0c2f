"""A released model that cannot be exported: torch runs it, with the recipe's own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from totalml.release.bundle import RECIPE, TRAINING, WEIGHTS, Bundle
from totalml.release.onnx_model import CATEGORICAL, IMAGE, NUMERIC, SCORES
from totalml.runs.stored import stored_recipe

if TYPE_CHECKING:
    from totalml.features.feature_set import FeatureSet


class TorchModel:
    """Raises: StoreError: a file is gone or changed. RecipeError: today's code no longer takes its recipe."""

    def __init__(self, bundle: Bundle) -> None:
        from totalml.model.saved import load_state
        from totalml.recipe import RuntimeRecipe
        from totalml.training.history import TrainedModel

        for name in (RECIPE, TRAINING, WEIGHTS):
            bundle.file(name)
        self._recipe = stored_recipe(bundle.folder).model_copy(update={"runtime": RuntimeRecipe(device="cpu")})
        self._trained = TrainedModel.load(bundle.folder)
        self._takes = load_state(self._trained.weights)[1]

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        """As `OnnxModel.run`."""
        import numpy as np

        from totalml.training import predict

        features = self._features(inputs)
        return {SCORES: predict(self._recipe, self._trained, features, np.arange(len(features)))}

    def _features(self, inputs: Mapping[str, Any]) -> FeatureSet:
        import numpy as np

        from totalml.features.feature_set import FeatureSet
        from totalml.features.given import HeldPictures
        from totalml.features.targets import Targets

        count = len(next(iter(inputs.values())))
        takes = self._takes
        return FeatureSet(
            key="",
            ids=[str(number) for number in range(count)],
            sample_keys=np.zeros(count, np.int64),  # only augmentation asks for them
            targets=Targets(takes.targets, np.zeros(count, np.int64)),
            images=HeldPictures(inputs[IMAGE]) if IMAGE in inputs else None,
            numeric=inputs.get(NUMERIC, np.zeros((count, 0), np.float32)),
            numeric_names=takes.numeric,
            categorical=inputs.get(CATEGORICAL, np.zeros((count, 0), np.int64)),
            categorical_names=takes.categorical,
            vocabularies=takes.vocabularies,
            decoded=count,
            reused=0,
        )
