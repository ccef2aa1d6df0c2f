"""What the model looked at is kept of a share of the requests, and costs no answer and no row."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.serving.serving import PICTURE, SIZE, onnx_of, picture, release, serving, with_maps
from totalml.errors import ModelError
from totalml.prediction_log.sampled_pictures import is_sampled
from totalml.release.attribution import MIDDLE, Region
from totalml.release.scorer import Scorer
from totalml.serving.exchange import Answered, Arm, Asked, Loaded
from totalml.serving.loading import load
from totalml.serving.logged import Noted, measured_of, table_of
from totalml.serving.looked_at import LookedAt
from totalml.store import Store

NAMES = ["attribution:middle", "attribution:entropy"]
WEIGHTS = np.zeros((SIZE // 2, SIZE // 2), np.float32)
WEIGHTS[1:-1, 1:-1] = 1
SHARE = 0.3


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> Loaded:
    """Of a model that looks at what is bright."""
    store = Store(tmp_path_factory.mktemp("store"))
    model = with_maps(onnx_of(PICTURE, 4.0))
    return load(release(store, model=model, region=Region(MIDDLE, WEIGHTS)), 1)


def spots(count: int, at: int) -> np.ndarray:
    """Pictures with a bright square of four by four pixels, whose corner lies at that row and column."""
    found = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    found[:, at : at + 4, at : at + 4] = 240
    return found


def noted(loaded: Loaded, pixels: np.ndarray, request_id: str, arm: str = "live") -> Noted:
    """Its answer stands behind another one's in the batch that it was scored in."""
    both = Arm(arm, loaded)
    scored = loaded.scorer.score({"image": np.concatenate([spots(1, 0), pixels])})
    asked = Asked(request_id, ["a"] * len(pixels), [b""] * len(pixels), None)
    return Noted(datetime.now(UTC), asked, both, Answered(both, scored, 1, len(pixels), {"image": pixels}), 0.1)


def logged(some: list[Noted], share: float) -> pa.Table:
    measured = measured_of(some, LookedAt(share).of)
    return table_of([each for each in measured if not isinstance(each, Exception)], "release", "a")


def test_a_request_that_is_sampled_has_the_numbers_of_its_own_pictures_and_any_other_none(loaded):
    ids = [f"order-{number}" for number in range(40)]
    corners = [number % 5 for number in range(40)]
    some = [noted(loaded, spots(1 + number % 2, corners[number]), each) for number, each in enumerate(ids)]
    rows = logged(some, SHARE).to_pylist()
    told = {each["request_id"] for each in rows if each[NAMES[0]] is not None}
    assert told == {each for each in ids if is_sampled(each, SHARE)}
    assert 5 < len(told) < 25
    for row in rows:
        if row["request_id"] in told:
            corner = corners[ids.index(row["request_id"])]
            # Of a spot at 2 all of it lies in the middle, at 0 and 4 only a fourth of it.
            on = {0: 1 / 4, 1: 9 / 16, 2: 1.0, 3: 9 / 16, 4: 1 / 4}[corner]
            assert row[NAMES[0]] == pytest.approx(on)
            assert (row[NAMES[1]] == pytest.approx(0.5)) == (corner % 2 == 0)  # four places of sixteen


def test_replicas_ask_of_the_same_requests_whatever_else_they_answer(loaded):
    some = [noted(loaded, spots(1, 2), f"order-{number}") for number in range(30)]
    one, other = (logged(order, SHARE).sort_by("request_id") for order in (some, some[::-3]))
    there = one.filter(pa.array([each in other["request_id"].to_pylist() for each in one["request_id"].to_pylist()]))
    assert there.select(["request_id", *NAMES]) == other.select(["request_id", *NAMES])
    assert 0 < there[NAMES[0]].null_count < len(there)


def test_nobody_is_asked_where_the_share_is_nothing_or_the_release_does_not_tell(loaded, tmp_path):
    assert not {*NAMES} & {*logged([noted(loaded, spots(1, 2), "order")], 0.0).column_names}
    for number, more in enumerate(({"model": with_maps(onnx_of(PICTURE, 1.0))}, {"region": Region(MIDDLE, WEIGHTS)})):
        mute = load(release(Store(tmp_path / str(number)), **more), 1)
        assert not {*NAMES} & {*logged([noted(mute, spots(1, 2), "order")], 1.0).column_names}


def test_a_shadow_is_not_asked_and_what_has_no_answer_has_no_numbers(loaded):
    failed = Noted(datetime.now(UTC), Asked("c", ["a"], [b""], None), Arm("live", loaded), ValueError("bad"), 0.1)
    rows = logged([noted(loaded, spots(1, 2), "a"), failed, noted(loaded, spots(1, 2), "b", "shadow")], 1.0)
    assert {row["request_id"]: row[NAMES[0]] is None for row in rows.to_pylist()} == {"a": False, "b": True, "c": True}
    assert rows.schema.field(NAMES[0]).type == pa.float32()


def test_rows_are_kept_without_it_where_it_cannot_be_told(loaded, monkeypatch, capfd):
    def broken(scorer: Scorer, inputs: object) -> None:
        raise ModelError("no memory")

    monkeypatch.setattr(Scorer, "attribution", broken)
    rows = logged([noted(loaded, spots(2, 2), "a")], 1.0)
    assert rows["answer:predicted"].to_pylist() == ["light"] * 2
    assert rows[NAMES[1]].null_count == 2
    assert "not known of 1 requests: no memory" in capfd.readouterr().err


def test_a_service_keeps_it_and_tells_what_it_costs(tmp_path):
    store = Store(tmp_path)
    bundle = release(store, model=with_maps(onnx_of(PICTURE, 1.0)), region=Region(MIDDLE, WEIGHTS))
    with serving(tmp_path, bundle, logs=True, maps=1.0) as running:
        assert running.ask(picture(200)).status_code == 200
        until = time.monotonic() + 20
        while not (files := [*(tmp_path / "predictions").rglob("*.parquet")]) and time.monotonic() < until:
            time.sleep(0.05)
        told = running.client.get("/metrics").text
    row = pq.read_table(files[0]).to_pylist()[0]
    assert (row[NAMES[0]], row[NAMES[1]]) == (pytest.approx(0.25), pytest.approx(1))
    assert float(next(line for line in told.splitlines() if line.startswith("totalml_log_maps_seconds")).split()[1]) > 0
