"""The store and the run folders on S3, spoken to a server on this machine."""

import json
from pathlib import Path

import pytest

from tests.store.conftest import SECRET
from totalml import runner
from totalml.compose import compose_recipe
from totalml.errors import StoreError
from totalml.store import open_store
from totalml.store.remote import Remote

pytestmark = pytest.mark.service

PROJECT = Path(__file__).parents[2]
SMALL = (
    "+recipe=guinness_smoke",
    "evaluation=quick",
    "data.source.count=60",
    "data.source.size_px=32",
    "features.image.size=24",
    "data.split.salt=small",
    "training.batch_size=16",
)


def run(bucket: str, cache: Path, *more: str) -> Path:
    where = [f"runtime.store={bucket}/team", f"runtime.runs={bucket}/team/runs", f"runtime.cache={cache}"]
    return runner.run(compose_recipe(PROJECT, [*SMALL, "runtime.progress=plain", *where, *more]))


def test_a_run_on_s3_is_reported_and_reused_by_another_machine(bucket, tmp_path, monkeypatch, capsys):
    first = run(bucket, tmp_path / "first")
    monkeypatch.setattr("recipes.guinness.source.PintSource.samples", lambda self: pytest.fail("the source was read"))
    second = run(bucket, tmp_path / "second")
    told = capsys.readouterr()
    assert "this run is finished: attempt 1" in told.err
    assert f"{bucket}/team/runs/guinness_smoke/{first.parent.name}/1" in told.out
    assert (second / "report.html").read_bytes() == (first / "report.html").read_bytes()
    third = run(bucket, tmp_path / "third", "seed=1", "features.image.size=32")
    assert json.loads((third / "run.json").read_text())["status"] == "finished"
    recorded = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in recorded if SECRET.encode() in path.read_bytes()]


def test_a_file_can_be_made_once_only(bucket):
    remote = Remote(bucket)
    assert remote.create("claim", b"one")
    assert not remote.create("claim", b"two")
    assert remote.read("claim") == b"one"
    remote.remove("claim")
    assert remote.create("claim", b"three")


def test_a_bucket_that_is_not_there_is_named(bucket, tmp_path):
    store = open_store("s3://no-such-bucket/x", str(tmp_path))
    with pytest.raises(StoreError, match=r"s3://no-such-bucket/x/snapshots cannot be listed.*bucket does not exist"):
        store.fetch("snapshots", "5f")
