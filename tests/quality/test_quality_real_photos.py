"""2,400 photos that volunteers sent, looked at by eye: none repeats another, and none is blurred, dark or blank."""

from pathlib import Path

import numpy as np
import pytest

from totalml.data import ImageTable, split_samples, take_snapshot
from totalml.features import build_features
from totalml.quality import Blur, Exposure, LabelAgreement, NearDuplicates, Pictures, PictureSizes, check_quality
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures, QualityRecipe
from totalml.store import Store
from totalml.task import Classification

TABLE = Path(__file__).parents[3] / "shared" / "data" / "clothing" / "labels.csv"
CHECKS = (NearDuplicates(max_share=0), Exposure(), Blur(), PictureSizes(), LabelAgreement())


@pytest.mark.real_data
@pytest.mark.skipif(not TABLE.exists(), reason="the photos of clothing are not here")
def test_sound_photos_have_no_findings(tmp_path):
    store = Store(tmp_path)
    data = DataRecipe(source=ImageTable(table=str(TABLE), group_column="sender_id"))
    snapshot = take_snapshot(data, store)
    features = build_features(FeaturesRecipe(image=ImageFeatures(size=128)), data, Classification(), snapshot, store)
    sizes = np.array(store.picture_sizes(snapshot.samples["blob"].to_pylist()))
    assert sizes.max(axis=1).max() == 192
    pictures = Pictures(features.images, lambda: sizes)
    report = check_quality(QualityRecipe(checks=CHECKS), snapshot, split_samples(data.split, snapshot), pictures)
    assert report.findings == ()
