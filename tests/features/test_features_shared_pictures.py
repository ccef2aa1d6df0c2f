"""Shared features that look at pictures."""

import numpy as np
import pyarrow as pa
import pytest

from tests.features.drawn import photo
from tests.features.rows_of_series import listed
from totalml.data import Snapshot
from totalml.data.image_properties import image_properties
from totalml.errors import FeatureError
from totalml.features import ImageProperties
from totalml.features.shared.columns import rows_of, values_of
from totalml.workers import Crew

OF = ("brightness", "contrast", "warmth")


def properties(size=16):
    return ImageProperties(owner="ann", of=OF, size=size)


def without_one_picture(snapshot):
    """Of every third sample."""
    blobs = [None if place % 3 == 0 else blob for place, blob in enumerate(snapshot.samples["blob"].to_pylist())]
    place = snapshot.samples.column_names.index("blob")
    return Snapshot(
        "", snapshot.samples.set_column(place, "blob", pa.array(blobs, pa.string())), snapshot.metadata, None
    )


@pytest.mark.parametrize("rows_at_once", [3, 256])
def test_properties_are_those_of_each_rows_own_picture(photos, snap, build, store, monkeypatch, rows_at_once):
    monkeypatch.setattr("totalml.features.shared.pictured.ROWS", rows_at_once)
    whole = snap(photos)
    made = values_of(properties(), rows_of(without_one_picture(whole)), store)
    images = build(whole, size=16, fit="crop").images
    plainly = image_properties(images.gather(np.arange(len(whole.samples))))
    for name in OF:
        expected = [None if place % 3 == 0 else float(value) for place, value in enumerate(plainly[name])]
        assert listed(made, name) == expected


def test_processes_make_the_same_of_pictures_that_they_read_elsewhere(photos, snap, store, monkeypatch):
    rows = rows_of(snap(photos))
    here = values_of(properties(), rows, store)
    monkeypatch.setattr("totalml.features.decoding.decode", None)  # so this process can decode nothing
    assert values_of(properties(), rows, store, Crew("loky", 2)) == here
    with pytest.raises(TypeError):
        values_of(properties(), rows, store)


def test_rows_that_bring_their_pictures_need_no_store():
    square = np.asarray(photo(1, 16, 16))
    column = pa.FixedSizeListArray.from_arrays(pa.array(square.ravel()), square.size)
    made = values_of(properties(), pa.table({"id": ["x"], "picture": column}), None)
    assert listed(made, "brightness") == [pytest.approx(float(image_properties(square[None])["brightness"][0]))]


def test_a_picture_that_cannot_be_decoded_is_named(store):
    from blake3 import blake3

    with store.writing() as writer:
        writer.add(blake3(b"no picture").digest(), b"no picture")
    blob = f"blake3:{blake3(b'no picture').hexdigest()}"
    with pytest.raises(FeatureError, match="no row has one; name a source that has"):
        values_of(properties(), pa.table({"id": ["x"], "blob": pa.nulls(1, pa.string())}), store)
    rows = pa.table({"id": ["x"], "blob": [blob]})
    with pytest.raises(FeatureError, match=f"picture {blob} cannot be decoded"):
        values_of(properties(), rows, store)
