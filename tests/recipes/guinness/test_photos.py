"""Photos for those who have none."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from recipes.guinness import photos
from recipes.guinness.pint import draw_pints
from recipes.guinness.render import render
from recipes.guinness.source import PintSource
from totalml.data.image_properties import image_properties


def test_photos_are_renders_that_no_recipe_learns_from(tmp_path, monkeypatch):
    folder = tmp_path / "new" / "photos"
    monkeypatch.setattr("sys.argv", ["photos", str(folder), "--count", "3", "--size", "64"])
    photos.main()
    names = [f"pint-{number:07d}.jpg" for number in range(3)]
    assert sorted(each.name for each in folder.iterdir()) == names
    drawn = np.stack([np.asarray(Image.open(folder / name)) for name in names]).astype(float)
    assert np.abs(drawn - render(draw_pints(photos.UNSEEN, 0, 3), 64).images).mean() < 5
    assert np.abs(drawn - render(draw_pints(0, 0, 3), 64).images).mean() > 15


def test_photos_are_of_the_kind_that_the_recipe_learns_from(tmp_path, monkeypatch):
    """Else a monitor that was asked about them rightly says that they are not: other blocks, noise and sharpness."""
    monkeypatch.setattr("sys.argv", ["photos", str(tmp_path), "--count", "16"])
    photos.main()
    source = PintSource(count=16, seed=photos.UNSEEN)
    drawn = np.stack([np.asarray(Image.open(file)) for file in sorted(tmp_path.iterdir())])
    learnt = np.stack([np.asarray(Image.open(BytesIO(each.image))) for each in source.samples()])
    assert drawn.shape == learnt.shape
    found, known = (image_properties(pixels) for pixels in (drawn, learnt))
    for name in ("blockiness", "sharpness", "noise"):
        assert found[name].mean() == pytest.approx(known[name].mean(), rel=0.15), name
