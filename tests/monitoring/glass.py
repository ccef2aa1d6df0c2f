"""A release that takes bright pictures for light, a deployment that watches it, and a new glass that is brighter."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from PIL import Image

from tests.serving.serving import SIZE, release
from totalml.cli import main
from totalml.data.image_properties import image_properties
from totalml.data.snapshot import parquet_bytes
from totalml.release.bundle import Bundle
from totalml.release.log_rows import log_columns
from totalml.serving.loading import load
from totalml.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

MODEL, KNOWN = "pints", 400  # rows of the reference
USUAL, NEW_GLASS = 0.05, 1.0  # share of bright pictures: the glass is new here, but no picture is unheard of
# Of a year in which every day may have a false alarm, so that a few rows decide; a window ends by its rows alone.
MONITORING = {"false_alarms_per_year": 365, "rows_per_day": 2400, "window": {"hours": 744, "rows": 20, "most": 100}}


def pints(count: int, bright: float = USUAL, seed: int = 0) -> Pixels:
    """(count, SIZE, SIZE, 3)"""
    random = np.random.default_rng([seed, count])
    is_bright = random.random(count) < bright
    greys = np.where(is_bright, random.normal(205, 8, count), random.normal(90, 30, count))
    pixels = greys[:, None, None, None] + random.normal(0, 12, (count, SIZE, SIZE, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def photos(pixels: Pixels) -> list[bytes]:
    files = []
    for each in pixels:
        out = BytesIO()
        Image.fromarray(each).save(out, "PNG")
        files.append(out.getvalue())
    return files


def watched_release(store: Store, share: float = 1.0) -> Bundle:
    """With what it says of usual pictures as its reference; two in a hundred of its answers there are wrong."""
    pixels = pints(KNOWN, seed=1)
    scored = load(release(store, share), 1).scorer.score({"image": pixels})
    answers = scored.answers
    wrong = np.arange(KNOWN) % 50 == 0
    truths = np.where(np.equal(np.asarray(answers["predicted"]), "light") ^ wrong, "light", "dark")
    columns = {"id": pa.array([f"pint-{number}" for number in range(KNOWN)]), "label": pa.array(truths)}
    columns |= log_columns(answers, image_properties(pixels), None, scored.embeddings, None)
    return release(store, share, reference=parquet_bytes(pa.table(columns)))


def deployed(folder: Path, store: Store, **alerts: object) -> Path:
    """The file of a deployment that watches what it answers, and keeps its pictures."""
    file = folder / "pub.yaml"
    values = {"model": MODEL, "log": {"pictures": 1.0}, "monitoring": {**MONITORING, "alerts": alerts}}
    file.write_text(json.dumps(values))  # which is YAML, too
    assert main(["deploy", str(file), "--why", "tonight", f"--store={store.root}"]) == 0
    return file
