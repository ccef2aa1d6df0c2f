"""Recipes with a frozen backbone.

Run as a module it embeds a folder of photos: `python -m tests.embedding.frozen_recipe <store> <photos>`.
"""

import sys
import time
from pathlib import Path

from tests.features.drawn import SIZE
from totalml.component import ForeignComponent
from totalml.data import ImageFolder, take_snapshot
from totalml.features import FeatureSet, build_features
from totalml.kinds import ImageBackbone
from totalml.model import SmallCnn
from totalml.model.frozen import FrozenBackbone
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures, ModelRecipe, Recipe, TrainingRecipe
from totalml.store import Store
from totalml.task import Classification
from totalml.training import embed_features as embed

BACKBONE = SmallCnn(width=4, depth=2)


def frozen(
    image: ImageBackbone = BACKBONE,
    seed: int = 3,
    dropout: float = 0.2,
    learning_rate: float = 0.05,
    device: str = "cpu",
    **training: object,
) -> Recipe:
    adam = ForeignComponent(target="torch.optim.AdamW", arguments={"lr": learning_rate})
    return Recipe(
        name="frozen",
        seed=seed,
        data=DataRecipe(source=ImageFolder(root=".")),
        features=FeaturesRecipe(image=ImageFeatures(size=SIZE)),
        model=ModelRecipe(image=image, freeze=True, dropout=dropout),
        training=TrainingRecipe(**({"epochs": 5, "batch_size": 6, "optimizer": adam} | training)),
        runtime={"threads": 1, "device": device},
    )


def features_of(photos: Path, store: Store, size: int = SIZE) -> FeatureSet:
    data = DataRecipe(source=ImageFolder(root=str(photos)))
    return build_features(
        FeaturesRecipe(image=ImageFeatures(size=size)), data, Classification(), take_snapshot(data, store), store
    )


def main() -> None:
    store = Store(Path(sys.argv[1]))
    features = features_of(Path(sys.argv[2]), store)
    forward = FrozenBackbone.forward
    FrozenBackbone.forward = lambda self, images: time.sleep(0.5) or forward(self, images)  # so that two would overlap
    print("ready", flush=True)
    sys.stdin.readline()
    rows = embed(frozen(), features, store).embeddings
    print(rows.made, rows.reused, flush=True)


if __name__ == "__main__":
    main()
