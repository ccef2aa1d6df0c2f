"""From pictures that a service answered to a monitor that says the model looks at the background; no score moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from tests.serving.serving import PICTURE, SIZE, onnx_of, release, with_maps
from totalml.data.image_properties import image_properties
from totalml.data.snapshot import parquet_bytes
from totalml.monitoring.opened import open_backtest
from totalml.monitoring.traffic import SETTLES
from totalml.monitoring.verdict import OF_ATTRIBUTION, Verdict
from totalml.recipe.monitoring import MonitoringRecipe, WindowRecipe
from totalml.release.attribution import MIDDLE, Region
from totalml.release.bundle import Bundle
from totalml.release.log_rows import log_columns
from totalml.release.scorer import Scorer
from totalml.serving.exchange import Answered, Arm, Asked
from totalml.serving.loading import load
from totalml.serving.prediction_log import PredictionLog
from totalml.store import Store

MIDDLE_OF_FOUR = Region(MIDDLE, np.pad(np.ones((2, 2), np.float32), 1))
BY, MODEL = MonitoringRecipe(window=WindowRecipe(rows=30)), with_maps(onnx_of(PICTURE, 2.0))


def pints(count: int, seed: int, corner: bool) -> np.ndarray:
    """(count, SIZE, SIZE, 3), of a bright glass of four by four pixels in dim noise; in the middle, or in a corner."""
    random = np.random.default_rng(seed)
    pixels = random.normal(30, 8, (count, SIZE, SIZE, 1))
    first = 0 if corner else 2
    pixels[:, first : first + 4, first : first + 4] += random.normal(180, 10, (count, 1, 1, 1))
    return np.repeat(np.clip(pixels, 0, 255), 3, axis=3).astype(np.uint8)


def released(store: Store) -> Bundle:
    """Of which pints stood in the middle."""
    scorer = Scorer.load(release(store, model=MODEL, region=MIDDLE_OF_FOUR))
    inputs = {"image": pints(300, 1, corner=False)}
    scored, looked_at = scorer.score(inputs), scorer.attribution(inputs)
    columns = {"id": pa.array([f"pint-{number}" for number in range(300)]), "label": scored.answers["predicted"]}
    columns |= log_columns(scored.answers, image_properties(inputs["image"]), None, scored.embeddings, None, looked_at)
    return release(store, model=MODEL, region=MIDDLE_OF_FOUR, reference=parquet_bytes(pa.table(columns)))


def answered(store: Store, pixels: np.ndarray, maps: float) -> Verdict:
    """What a monitor says of pictures that were answered one by one. Args: maps: share of which it is kept."""
    since, loaded = datetime.now(UTC), load(released(store), 1)
    arm, log = Arm("live", loaded), PredictionLog(store, "pints", maps=maps)
    for number, picture in enumerate(pixels):
        inputs = {"image": picture[None]}
        asked = Asked(f"{maps}-{number}", ["a"], [picture.tobytes()], None)
        log.add(asked, Answered(arm, loaded.scorer.score(inputs), 0, 1, inputs))
    log.start()
    log.stop()
    assert log.written == len(pixels)
    day = timedelta(days=1)
    watch = open_backtest(store, loaded.release, BY, since - day, since + 2 * day)
    found = [looked.verdict for looked in watch.look(since + 2 * day + SETTLES) if looked.rows]
    return found[0]


def test_what_leaves_the_middle_is_told_though_no_answer_moves(tmp_path: Path):
    verdict = answered(Store(tmp_path), pints(100, 2, corner=True), maps=0.5)
    found = verdict.of(OF_ATTRIBUTION)
    assert found is not None
    assert found.alarm
    assert "the model looks elsewhere" in verdict.told
    assert "in the middle quarter of the picture" in verdict.told
    assert 30 < len(found.rows) < 70
    assert not any(name.startswith("answer:") for name in verdict.moved)


def test_what_stays_there_is_not(tmp_path: Path):
    found = answered(Store(tmp_path), pints(100, 3, corner=False), maps=0.5).of(OF_ATTRIBUTION)
    assert found is not None
    assert not found.alarm
    assert not found.more


def test_of_a_log_that_does_not_say_it_nothing_is_said(tmp_path: Path):
    found = answered(Store(tmp_path), pints(100, 4, corner=True), maps=0.0).of(OF_ATTRIBUTION)
    assert found is not None
    assert (found.alarm, found.more) == (False, 30)
