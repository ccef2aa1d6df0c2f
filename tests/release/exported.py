"""Networks of random weights, and what is left of a run that trained them, without a run.

Run as a module it exports one of them: `python -m tests.release.exported <name> <folder>`.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.training.own import own_recipe
from tests.training.planted import recipe
from totalml.embedding.start import start_of
from totalml.features import FeatureSet
from totalml.features.given import HeldPictures
from totalml.features.targets import Targets
from totalml.kinds import Task
from totalml.model import Mlp, SmallCnn, TorchvisionBackbone, build_network, save_network
from totalml.model.inputs import Inputs
from totalml.model.saved import save_state
from totalml.recipe import FeaturesRecipe, ImageFeatures, ModelRecipe, Recipe, TableFeatures
from totalml.release.onnx_export import Exported, export_onnx
from totalml.release.onnx_model import OnnxModel
from totalml.task import Classification, MultiLabel, Regression
from totalml.training import TrainedModel
from totalml.training.batches import Batches
from totalml.training.own_module import create

COUNT = 257  # samples: one more than are compared at registration
SMALL, TINY = SmallCnn(width=4, depth=2), SmallCnn(width=4, depth=1)


@dataclass(frozen=True)
class Run:
    """What a finished run is to a release."""

    recipe: Recipe
    trained: TrainedModel
    features: FeatureSet

    def export(self, file: Path) -> Exported:
        return export_onnx(self.recipe, self.trained, self.features, np.arange(len(self.features)), file)

    def given(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What the features hold of some samples, as a release is asked for it."""
        features = self.features
        table = {"numeric": features.numeric[rows], "categorical": features.categorical[rows]}
        given = {name: columns for name, columns in table.items() if columns.shape[1]}
        return given | ({"image": features.images.gather(rows)} if features.images else {})


@dataclass(frozen=True)
class Release(Run):
    file: Path
    exported: Exported
    model: OnnxModel


@dataclass(frozen=True)
class HeldEmbeddings:
    """Stands for what a frozen backbone left in the store."""

    embeddings: np.ndarray
    frozen: dict[str, torch.Tensor]

    @property
    def width(self) -> int:
        return self.embeddings.shape[1]

    def gather(self, rows: np.ndarray) -> np.ndarray:
        return self.embeddings[rows]


def features_of(size: int = 0, numeric: int = 0, categorical: int = 0, answers: tuple[str, ...] = ()) -> FeatureSet:
    """Noise of several colours; one number in five is missing, and one word in three is unknown."""
    rng = np.random.default_rng(5)
    numbers = rng.normal(3, 2, (COUNT, numeric)).astype(np.float32)
    numbers[rng.random(numbers.shape) < 0.2] = np.nan
    return FeatureSet(
        key="blake3:" + "7" * 64,
        ids=[f"sample-{row}" for row in range(COUNT)],
        sample_keys=np.arange(COUNT),
        targets=Targets(answers, rng.integers(0, len(answers), COUNT)),
        images=HeldPictures(rng.integers(0, rng.integers(1, 256, (COUNT, 1, 1, 3)), (COUNT, size, size, 3), np.uint8))
        if size
        else None,
        numeric=numbers,
        numeric_names=tuple(f"n{place}" for place in range(numeric)),
        categorical=rng.integers(0, 3, (COUNT, categorical)),
        categorical_names=tuple(f"c{place}" for place in range(categorical)),
        vocabularies=(("a", "b"),) * categorical,
        decoded=0,
        reused=0,
    )


def recipe_of(model: ModelRecipe, task: Task, features: FeatureSet) -> Recipe:
    plain = recipe()
    image = ImageFeatures(size=features.images.shape[0]) if features.images else None
    table = None
    if model.table:
        table = TableFeatures(numeric=features.numeric_names, categorical=features.categorical_names)
    chosen = FeaturesRecipe(image=image, table=table)
    values = {name: getattr(plain, name) for name in type(plain).model_fields}
    training = plain.training.model_copy(update={"augment": ()})
    return Recipe(**values | {"model": model, "task": task, "features": chosen, "training": training})


def trained_of(weights: Path) -> TrainedModel:
    """With nothing known but where the weights are."""
    return TrainedModel(weights, "", "", "accuracy", (), 0, 0, None, "finished")


def run_of(folder: Path, model: ModelRecipe, task: Task, features: FeatureSet) -> Run:
    made = recipe_of(model, task, features)
    torch.manual_seed(1)
    if model.freeze:
        features = with_embeddings(model, features)
    rows = np.arange(len(features))
    targets = np.random.default_rng(6).normal(50, 20, (len(rows), len(features.targets.names)))
    learnt = replace(features, targets=Targets(features.targets.names, targets))
    network = build_network(made.model, task, learnt, rows)
    run = Run(made, trained_of(folder / "model.safetensors"), features)
    seasoned(network, next(iter(Batches(features, rows, 64))))
    save_network(network, run.trained.weights)
    return run


def with_embeddings(model: ModelRecipe, features: FeatureSet) -> FeatureSet:
    start = start_of(model.image, 3)
    with torch.inference_mode():
        embeddings = start.backbone(torch.from_numpy(features.images.gather(np.arange(COUNT)))).numpy()
    return replace(features, embeddings=HeldEmbeddings(embeddings, start.state))


def seasoned(network: nn.Module, given: dict[str, torch.Tensor]) -> None:
    """As if trained: statistics of batches are no longer 0 and 1, and answers differ from sample to sample."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        network.train()(given)
        getattr(network.head, "linear", network.head).weight.mul_(3)


def own_run(folder: Path, **given: Any) -> Run:
    """A LightningModule of the recipe's own, as it starts."""
    made, features = own_recipe(**given), features_of(16, answers=("bad", "good"))
    torch.manual_seed(1)
    save_state(create(made, Inputs.of(features)).state_dict(), Inputs.of(features), folder / "model.safetensors")
    return Run(made, trained_of(folder / "model.safetensors"), features)


CLASSES, TARGETS = ("bad", "fair", "good"), ("price", "size")
RUNS: dict[str, Callable[[Path], Run]] = {
    "pictures": lambda folder: run_of(
        folder, ModelRecipe(image=SMALL, dropout=0.3), Classification(), features_of(32, answers=CLASSES)
    ),
    "both": lambda folder: run_of(
        folder, ModelRecipe(image=TINY, table=Mlp(widths=(3,))), Classification(), features_of(16, 2, 1, CLASSES)
    ),
    "frozen": lambda folder: run_of(
        folder, ModelRecipe(image=SMALL, freeze=True), Classification(), features_of(16, answers=CLASSES)
    ),
    "labels": lambda folder: run_of(
        folder, ModelRecipe(table=Mlp(widths=(4,))), MultiLabel(column="tags"), features_of(0, 2, 2, CLASSES)
    ),
    "values": lambda folder: run_of(
        folder, ModelRecipe(image=TINY), Regression(targets=TARGETS), features_of(16, answers=TARGETS)
    ),
    "quantiles": lambda folder: run_of(
        folder,
        ModelRecipe(table=Mlp(widths=(4,))),
        Regression(targets=TARGETS, loss="quantile"),
        features_of(0, 3, answers=TARGETS),
    ),
    "resnet": lambda folder: run_of(
        folder,
        ModelRecipe(image=TorchvisionBackbone(name="resnet18")),
        Classification(),
        features_of(64, 0, 0, CLASSES),
    ),
    "mobilenet": lambda folder: run_of(
        folder,
        ModelRecipe(image=TorchvisionBackbone(name="mobilenet_v3_small")),
        Classification(),
        features_of(32, answers=CLASSES),
    ),
    "own": own_run,
}


def release_of(name: str, folder: Path) -> Release:
    folder.mkdir(parents=True, exist_ok=True)
    run, file = RUNS[name](folder), folder / "model.onnx"
    exported = run.export(file)
    return Release(run.recipe, run.trained, run.features, file, exported, OnnxModel.load(file))


if __name__ == "__main__":
    release_of(sys.argv[1], Path(sys.argv[2]))
