"""A shared feature holds what a frozen backbone makes of each row's own picture."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.torch import save_file

from tests.embedding.frozen_recipe import BACKBONE
from tests.features.drawn import SIZE
from totalml.data import ImageFolder, ImageTable, take_snapshot
from totalml.embedding import Embedding
from totalml.embedding.start import start_of
from totalml.features import ImageProperties
from totalml.features.shared.columns import rows_of, values_of
from totalml.features.shared.materialised import _version as version_of
from totalml.features.shared.materialised import materialised, values_key
from totalml.model import TorchvisionBackbone
from totalml.recipe import DataRecipe


def embedding(seed=3, **more):
    return Embedding(owner="ann", backbone=BACKBONE, size=SIZE, seed=seed, **more)


def numbers(table):
    return np.stack([table[name].to_numpy() for name in table.column_names], axis=1)


@pytest.fixture
def snapshot(photos, store):
    return take_snapshot(DataRecipe(source=ImageFolder(root=str(photos))), store)


def test_it_is_what_the_frozen_backbone_makes_of_each_picture_alone(snapshot, features, store):
    made = numbers(values_of(embedding(), rows_of(snapshot), store))
    backbone, pixels = start_of(BACKBONE, 3).backbone, features.images.gather(np.arange(len(features)))
    with torch.inference_mode():
        alone = np.concatenate([backbone(torch.from_numpy(each[None])).numpy() for each in pixels])
    assert made.shape == (40, backbone.width)
    assert np.allclose(made, alone, rtol=1e-4, atol=1e-6)
    assert np.ptp(made, axis=0).max() > 0
    assert not np.allclose(made, numbers(values_of(embedding(seed=4), rows_of(snapshot), store)), rtol=1e-2)


def test_a_row_has_the_same_bits_whichever_others_there_are_and_none_without_a_picture(snapshot, store):
    rows = rows_of(snapshot)
    place = rows.column_names.index("blob")
    blobs = [None if row % 3 == 0 else blob for row, blob in enumerate(rows["blob"].to_pylist())]
    whole = numbers(values_of(embedding(), rows, store))
    some = numbers(values_of(embedding(), rows.set_column(place, "blob", pa.array(blobs, pa.string())), store))
    missing = np.arange(len(rows)) % 3 == 0
    assert np.isnan(some[missing]).all()
    assert np.array_equal(some[~missing], whole[~missing])


def test_it_is_computed_once_for_all(photos, store, monkeypatch):
    files = sorted(str(file.relative_to(photos)) for file in photos.rglob("*.png"))[:3]
    lines = [f"{file},{place},2026-01-0{place + 1}" for place, file in enumerate(files)]
    (photos / "pubs.csv").write_text("\n".join(["file,pub,since", *lines]))
    table = ImageTable(table=str(photos / "pubs.csv"), label_column=None, timestamp_column="since")
    pubs = take_snapshot(DataRecipe(source=table), store)
    made = materialised(embedding(), pubs.data_hash, store)
    assert len(made) == 3
    monkeypatch.setattr("totalml.embedding.start.embedded", None)
    assert materialised(embedding(), pubs.data_hash, store).equals(made)


def test_other_weights_in_the_same_file_are_other_values(tmp_path):
    file, keys = tmp_path / "weights.safetensors", []
    for value in (0.0, 1.0):
        save_file({"x": torch.full((1,), value)}, file)
        feature = Embedding(owner="ann", backbone=TorchvisionBackbone(name="resnet18", weights=str(file)))
        keys.append(values_key(feature, "blake3:00"))
    assert keys[0] != keys[1]


def test_versions_of_torch_move_its_values_and_no_others(monkeypatch):
    plain = ImageProperties(owner="ann", of=("brightness",))
    before = [values_key(each, "blake3:00") for each in (embedding(), plain)]
    monkeypatch.setattr(
        "totalml.features.shared.materialised._version",
        lambda package: "2.99.0" if package == "torch" else version_of(package),
    )
    after = [values_key(each, "blake3:00") for each in (embedding(), plain)]
    assert after[0] != before[0]
    assert after[1] == before[1]
