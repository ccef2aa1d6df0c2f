"""Problems with a planted answer, held in memory, and recipes that solve them.

Run as a module it trains until it is interrupted: `python -m tests.training.planted <folder> <epochs>`.
"""

import sys
from pathlib import Path

import numpy as np

from tests.in_memory import feature_set
from totalml.component import ForeignComponent
from totalml.data import ImageFolder, Splits
from totalml.features import FeatureSet
from totalml.model import Mlp, SmallCnn
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures, ModelRecipe, Recipe, TableFeatures, TrainingRecipe
from totalml.training import Flip, Light, RandomCrop

SIZE = 16


def squares(count: int = 120, good_share: float = 0.5) -> FeatureSet:
    """Noise; the good ones hold a red square somewhere, and a column that says nothing."""
    rng = np.random.default_rng(7)
    pixels = rng.integers(60, 200, (count, SIZE, SIZE, 3), np.uint8)
    labels = (np.arange(count) % 100 < 100 * good_share).astype(np.int64)
    labels = labels[rng.permutation(count)]
    for row in np.flatnonzero(labels):
        top, left = rng.integers(0, SIZE - 6, 2)
        pixels[row, top : top + 6, left : left + 6] = [250, 30, 30]
    noise = rng.normal(size=(count, 1)).astype(np.float32)
    return feature_set(pixels, noise, labels=labels, numeric_names=("noise",))


def splits(features: FeatureSet) -> Splits:
    rows = np.arange(len(features))
    return Splits(train=rows[rows % 4 < 2], validation=rows[rows % 4 == 2], test=rows[rows % 4 == 3])


def recipe(table: bool = False, runtime: dict[str, object] | None = None, **training: object) -> Recipe:
    """Every random part at work: order, augmentation, dropout."""
    chosen = {
        "epochs": 4,
        "batch_size": 16,
        "optimizer": ForeignComponent(target="torch.optim.AdamW", arguments={"lr": 0.01}),
        "augment": (Flip(), RandomCrop(), Light(colour=0.1)),
    }
    return Recipe(
        name="planted",
        seed=3,
        data=DataRecipe(source=ImageFolder(root=".")),
        features=FeaturesRecipe(
            image=ImageFeatures(size=SIZE), table=TableFeatures(numeric=("noise",)) if table else None
        ),
        model=ModelRecipe(image=SmallCnn(width=8, depth=2), table=Mlp(widths=(4,)) if table else None, dropout=0.2),
        training=TrainingRecipe(**(chosen | training)),
        runtime={"threads": 1} | (runtime or {}),
    )


def main() -> None:
    from totalml.errors import Interrupted
    from totalml.progress import Progress
    from totalml.training import train_model

    folder, epochs = Path(sys.argv[1]), int(sys.argv[2])
    features = squares()
    try:
        trained = train_model(recipe(epochs=epochs), features, splits(features), folder, Progress.create("plain"))
    except Interrupted as error:
        print(f"interrupted: {error}", flush=True)
        sys.exit(Interrupted.exit_code)
    print(f"finished: {trained.resumed_from} {trained.weights_digest}")


if __name__ == "__main__":
    main()
