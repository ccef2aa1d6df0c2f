"""A folder of small photos, and feature sets made of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.features.drawn import SIZE, save_photos
from totalml.data import ImageFolder, Snapshot, take_snapshot
from totalml.features import FeatureSet, build_features
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures
from totalml.store import Store
from totalml.task import Classification


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    save_photos(tmp_path / "photos", range(6), "good")
    save_photos(tmp_path / "photos", range(6, 10), "bad")
    return tmp_path / "photos"


@pytest.fixture
def snap(store: Store) -> Callable[[Path], Snapshot]:
    return lambda root: take_snapshot(DataRecipe(source=ImageFolder(root=str(root))), store)


@pytest.fixture
def build(store: Store) -> Callable[..., FeatureSet]:
    def build(snapshot: Snapshot, labels: tuple[str, ...] | None = None, **image: object) -> FeatureSet:
        features = FeaturesRecipe(image=ImageFeatures(**({"size": SIZE} | image)))
        return build_features(
            features, DataRecipe(source=ImageFolder(root="."), labels=labels), Classification(), snapshot, store
        )

    return build
