"""From an alert to a better release: a new glass on which production errs, sixty verdicts, and a run that learns it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tests.projects import new_project
from totalml.alerts.alert import Alert
from totalml.alerts.finding import Finding, Sample
from totalml.alerts.review import queue_labels
from totalml.cli import main
from totalml.compose import compose_recipe
from totalml.data.snapshot import parquet_bytes
from totalml.prediction_log.sampled_pictures import save_picture
from totalml.prediction_log.segment import Segment
from totalml.release.log_rows import input_hash
from totalml.release.named import find_release
from totalml.release.scorer import Scorer
from totalml.review.item import ALERT, items_of
from totalml.review.reviews import Reviews
from totalml.review.said import Verdict
from totalml.runner import run
from totalml.store import Store

MODEL, SIZE = "pints", 16
RECIPE = f"""\
defaults:
  - override /data: image_folder
  - override /evaluation: quick
  - override /quality: none
  - override /tracking: none
  - override /features: image
  - override /model: small_cnn

name: {MODEL}
data:
  source:
    root: photos
features:
  image:
    size: {SIZE}
model:
  image:
    width: 8
    depth: 2
training:
  epochs: 25
  batch_size: 32
runtime:
  progress: none
registry:
  alias: candidate
gates:
  - metric: accuracy
    at_least: 0.5
"""
# Red and blue of a pint; the new glass is blue, and dark beer in it is as red as light beer was before.
USUAL, NEW_GLASS = {"dark": (60, 60), "light": (180, 60)}, {"dark": (180, 200), "light": (255, 200)}


def photo(label: str, glass: dict[str, tuple[int, int]], random: np.random.Generator) -> bytes:
    red, blue = glass[label]
    pixels = np.array([red, 100, blue]) + random.normal(0, 15, (SIZE, SIZE, 3)) + random.normal(0, 8, 3)
    out = BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def of_glass(glass: dict[str, tuple[int, int]], count: int, seed: int) -> list[tuple[str, bytes]]:
    random = np.random.default_rng(seed)
    labels = ["dark" if draw < 0.5 else "light" for draw in random.random(count)]
    return [(label, photo(label, glass, random)) for label in labels]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = new_project(tmp_path, {MODEL: RECIPE})
    for number, (label, data) in enumerate(of_glass(USUAL, 240, 1)):
        path = made / "photos" / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    monkeypatch.chdir(made)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return made


def alerted(store: Store, release: str, asked: list[tuple[str, bytes]]) -> dict[str, str]:
    """Requests in the log, of which a monitor wants labels. Returns: request id -> what is true."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hashes = [input_hash(data, {}) for _, data in asked]
    names = [f"order-{number}" for number in range(len(asked))]
    said = said_by("production", store, asked)
    columns = {
        "request_id": names,
        "id": pa.nulls(len(asked), pa.string()),
        "sample": pa.array([0] * len(asked), pa.int32()),
        "time": pa.array([now - timedelta(seconds=n) for n in range(len(asked))], pa.timestamp("us", "UTC")),
        "release": [release] * len(asked),
        "arm": ["champion"] * len(asked),
        "error": pa.nulls(len(asked), pa.string()),
        "replica": ["0000000a"] * len(asked),
        "input": hashes,
        **{f"answer:{name}": said[name] for name in said.column_names},
    }
    store.save_file(parquet_bytes(pa.table(columns)), *Segment.new(now, "00000001", 1, release).path(MODEL))
    for hashed, (_, data) in zip(hashes, asked, strict=True):
        save_picture(store, MODEL, now, hashed, data)
    samples = tuple(Sample(name, input=hashed) for name, hashed in zip(names, hashes, strict=True))
    finding = Finding("concept", "page", "it errs", release=release, samples=samples)
    alert = Alert("pints-1", MODEL, finding, "raised", frozenset(), now, now, now, 1, "raised", "", ())
    queue_labels(alert, store, now)
    return dict(zip(names, (label for label, _ in asked), strict=True))


def judged(store: Store, truth: dict[str, str], errors: float) -> int:
    """By two reviewers who err so often. Returns: how many verdicts."""
    reviews, random, said = Reviews(store, MODEL), np.random.default_rng(5), []
    reviews.look()
    for batch in reviews.batches:
        for number, item in enumerate(items_of(reviews.items(batch))):
            assert item.queue == ALERT
            label = truth[str(item.request_id)]
            if random.random() < errors:
                label = "light" if label == "dark" else "dark"
            now, who = datetime.now(UTC).isoformat(timespec="seconds"), "ann" if number % 2 else "bob"
            said.append(Verdict(f"key-{item.item}", item.item, who, now, {"label": {"label": label}}))
    return len(reviews.say(said))


def said_by(alias: str, store: Store, asked: list[tuple[str, bytes]]) -> pa.Table:
    scorer = Scorer.load(find_release(f"{MODEL}@{alias}", store))
    names = [str(number) for number in range(len(asked))]
    return scorer.score(scorer.inputs(names, [data for _, data in asked])).answers


def accuracy(alias: str, store: Store, asked: list[tuple[str, bytes]]) -> float:
    said = said_by(alias, store, asked)["predicted"].to_pylist()
    return float(np.mean([one == label for one, (label, _) in zip(said, asked, strict=True)]))


@pytest.mark.slow
def test_sixty_verdicts_about_a_new_glass_make_a_release_that_knows_it(project, capsys):
    run(compose_recipe(project, [f"+recipe={MODEL}"]))
    assert main(["promote", MODEL]) == 0
    store = Store(project / ".totalml")
    usual, unseen = of_glass(USUAL, 200, 3), of_glass(NEW_GLASS, 200, 4)
    truth = alerted(store, find_release(f"{MODEL}@production", store).hash, of_glass(NEW_GLASS, 60, 2))
    assert main(["review", "queue", MODEL, "--from", "alerts", "--count", "60"]) == 0
    assert judged(store, truth, 0.05) == 60
    capsys.readouterr()
    assert main(["review", "close-loop", MODEL]) == 0
    told = capsys.readouterr().out
    assert "60 samples are new" in told
    assert "it rests on 60 verdicts: 0 labels changed, 60 samples new" in told
    before, after = (accuracy(alias, store, unseen) for alias in ("production", "candidate"))
    assert after >= before + 0.2
    assert accuracy("candidate", store, usual) >= accuracy("production", store, usual) - 0.05
