"""The contact sheet lays renders beside photos."""

import numpy as np
from PIL import Image

from recipes.guinness import contact_sheet


def test_the_sheet_holds_renders_left_and_photos_right(tmp_path, monkeypatch):
    Image.new("RGB", (60, 90), (200, 10, 10)).save(tmp_path / "red.jpg")
    out = tmp_path / "sheet.png"
    monkeypatch.setattr("sys.argv", ["contact_sheet", str(out), "--photos", str(tmp_path), "--size", "32"])
    contact_sheet.main()
    with Image.open(out) as image:
        sheet = np.asarray(image)
    assert sheet.shape == (8 * 32, 2 * 5 * 32 + 12, 3)
    assert np.abs(sheet[16, 5 * 32 + 12 + 16].astype(int) - (200, 10, 10)).max() < 6
    assert sheet[:, : 5 * 32].std() > 20
