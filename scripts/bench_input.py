"""Input speed: a feature set against torchvision's ImageFolder and DataLoader, on the same JPEGs.

Both deliver normalised float batches: ours from one thread, theirs from two worker processes. Printed are the medians
of interleaved repeats, in images a second.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder as TorchvisionFolder

from totalml.data import ImageFolder, take_snapshot
from totalml.features import FeatureSet, build_features
from totalml.kinds import Augmentation
from totalml.model.preprocess import ImageScaler
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures
from totalml.store import Store
from totalml.task import Classification
from totalml.training import Flip, RandomCrop
from totalml.training.augment import augmented
from totalml.training.batches import Batches

BATCH = 64
TARGETS = {"plain": 30.0, "flip + crop": 15.0}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"input, images/s, medians of {options.repeats} interleaved repeats")
    print(f"{'JPEG px':>10} {'seen px':>8} {'':<12} {'ours':>8} {'theirs':>8} {'ratio':>7}  target")
    for width, height, size in ((640, 480, 128), (256, 192, 128), (128, 128, 128), (128, 128, 64)):
        with tempfile.TemporaryDirectory() as folder:
            bench(Path(folder), options.images, (width, height), size, options.repeats)


def bench(folder: Path, images: int, source: tuple[int, int], size: int, repeats: int) -> None:
    draw_photos(folder / "photos", images, source)
    features = feature_set(folder, size)
    for name, augment, changes in (
        ("plain", (), []),
        (
            "flip + crop",
            (Flip(), RandomCrop(padding=0.125)),
            [transforms.RandomHorizontalFlip(), transforms.RandomCrop(size, padding=size // 8, padding_mode="reflect")],
        ),
    ):
        theirs = loader(folder / "photos", size, changes)
        pair = [(ours(features, augment), theirs) for _ in range(repeats)]
        speeds = [[images / seconds(side) for side in both] for both in pair]
        mine, other = (statistics.median(column) for column in zip(*speeds, strict=True))
        sizes = f"{source[0]}x{source[1]:<5} {size:>6}"
        print(f"{sizes:>19} {name:<12} {mine:8.0f} {other:8.0f} {mine / other:6.1f}x  {TARGETS[name]:.0f}x", flush=True)


def draw_photos(root: Path, count: int, size: tuple[int, int]) -> None:
    """Smooth colours with some grain, about the bytes a pixel of a photo."""
    rng = np.random.default_rng(0)
    for number in range(count):
        path = root / f"class{number % 2}" / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        smooth = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
        grain = rng.integers(-8, 9, (size[1], size[0], 1))
        Image.fromarray(np.clip(np.asarray(smooth) + grain, 0, 255).astype(np.uint8)).save(path, quality=85)


def feature_set(folder: Path, size: int) -> FeatureSet:
    data = DataRecipe(source=ImageFolder(root=str(folder / "photos")))
    store = Store(folder / "store")
    recipe = FeaturesRecipe(image=ImageFeatures(size=size))
    return build_features(recipe, data, Classification(), take_snapshot(data, store), store)


def loader(root: Path, size: int, changes: list[object]) -> Iterable[object]:
    fit = [transforms.Resize(size, antialias=True), transforms.CenterCrop(size)]
    steps = transforms.Compose([*fit, *changes, transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)])
    dataset = TorchvisionFolder(str(root), steps)
    # persistent_workers: starting the workers, which takes a second, is not counted.
    workers = DataLoader(dataset, BATCH, shuffle=True, num_workers=2, persistent_workers=True)
    seconds(workers)
    return workers


def ours(features: FeatureSet, augment: tuple[Augmentation, ...]) -> Iterable[object]:
    scaler = ImageScaler(3)
    for batch in Batches.shuffled(features, np.arange(len(features)), BATCH, seed=0, epoch=0):
        yield scaler(augmented(batch["image"], augment, batch["key"]))


def seconds(batches: Iterable[object]) -> float:
    start = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - start


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    main()
