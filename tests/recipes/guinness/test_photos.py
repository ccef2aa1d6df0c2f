"""Photos for those who have none."""

import numpy as np
from PIL import Image

from recipes.guinness import photos
from recipes.guinness.pint import draw_pints
from recipes.guinness.render import render


def test_photos_are_renders_that_no_recipe_learns_from(tmp_path, monkeypatch):
    folder = tmp_path / "new" / "photos"
    monkeypatch.setattr("sys.argv", ["photos", str(folder), "--count", "3", "--size", "64"])
    photos.main()
    names = [f"pint-{number:07d}.jpg" for number in range(3)]
    assert sorted(each.name for each in folder.iterdir()) == names
    drawn = np.stack([np.asarray(Image.open(folder / name)) for name in names]).astype(float)
    assert np.abs(drawn - render(draw_pints(photos.UNSEEN, 0, 3), 64).images).mean() < 5
    assert np.abs(drawn - render(draw_pints(0, 0, 3), 64).images).mean() > 15
