"""Photos, their features, and recipes that freeze a backbone."""

from pathlib import Path

import pytest

from tests.embedding.frozen_recipe import features_of, frozen
from tests.features.drawn import save_photos
from totalml.data import Splits
from totalml.embedding import start
from totalml.features import FeatureSet
from totalml.store import Store
from totalml.training import embed_features as embed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    save_photos(tmp_path / "photos", range(20), "good")
    save_photos(tmp_path / "photos", range(20, 40), "bad")
    return tmp_path / "photos"


@pytest.fixture
def features(photos: Path, store: Store) -> FeatureSet:
    return features_of(photos, store)


@pytest.fixture
def embedded(features: FeatureSet, store: Store) -> FeatureSet:
    return embed(frozen(), features, store)


@pytest.fixture
def splits(features: FeatureSet) -> Splits:
    import numpy as np

    rows = np.arange(len(features))
    return Splits(train=rows[rows % 4 < 2], validation=rows[rows % 4 == 2], test=rows[rows % 4 == 3])


@pytest.fixture(autouse=True)
def _fresh_process():
    start._built.cache_clear()
