"""A release in a plain folder is served without a project, and without a store unless one is named."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx
import pyarrow.parquet as pq
import pytest

from tests.serving.serving import picture, release
from tests.serving.test_serving_swap import WITHOUT_TORCH, is_ready
from totalml.cli import main
from totalml.release.bundle import copy_bundle
from totalml.serving.answering import Answering
from totalml.serving.loading import load
from totalml.store import Store


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A copy of a release; the current folder is another, and no project."""
    made = release(Store(tmp_path / "made"), 0.5)
    copy_bundle(made, tmp_path / "copy")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return made


def test_it_answers_as_the_release_that_it_is_and_follows_nothing(tmp_path, bundle):
    from totalml.release.bundle import read_bundle

    fixed = Answering(load(read_bundle(tmp_path / "copy"), 1), "a copy")
    fixed.start()
    fixed.stop()
    assert (fixed.model, fixed.named, fixed.now.release) == ("pints", "a copy", bundle.hash)


@pytest.mark.slow
def test_several_workers_keep_predictions_in_the_store_that_is_named(tmp_path, bundle):
    words = ["serve", "--port=0", "--workers=2", "--bundle", str(tmp_path / "copy"), f"--store={tmp_path / 'kept'}"]
    started = subprocess.Popen([sys.executable, "-c", WITHOUT_TORCH, *words], stderr=subprocess.PIPE, text=True)
    try:
        first = started.stderr.readline()
        base = re.search(r"on (http://\S+)", first)[1]
        assert is_ready(base)
        assert {line.partition(":")[0] for line in (first, started.stderr.readline())} == {"worker 1", "worker 2"}
        assert httpx.get(f"{base}/readyz", verify=False).json()["release"] == bundle.hash
        for _ in range(4):
            asked = httpx.post(
                f"{base}/predict", verify=False, content=picture(), headers={"Content-Type": "image/png"}
            )
            assert asked.status_code == 200
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) == 0
    finally:
        started.kill()
        started.wait()
        started.stderr.close()
    files = [*(tmp_path / "kept" / "predictions" / "pints").rglob("[!.]*.parquet")]
    assert sum(pq.read_metadata(file).num_rows for file in files) == 4
    assert not [*(tmp_path / "here").iterdir()]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "give MODEL@ALIAS, or the folder of a release by --bundle"),
        (("pints@production", "--bundle=../copy"), 2, "give MODEL@ALIAS, or the folder of a release by --bundle"),
        (("--port=0", "pints@production"), 2, "is in no project"),
        (("--bundle=../nowhere",), 5, "there is no release in ../nowhere"),
        (("--bundle=../damaged",), 5, "is not what was released"),
        (("--bundle=../copy", "--host=0.0.0.0"), 2, "set TOTALML_TOKEN to a long secret"),
    ],
)
def test_what_cannot_be_served_is_explained(tmp_path, bundle, capsys, monkeypatch, words, code, told):
    monkeypatch.delenv("TOTALML_TOKEN", raising=False)
    copy_bundle(bundle, tmp_path / "damaged")
    (tmp_path / "damaged" / "signature.json").write_text("{}")
    if not words:
        for part in ("conf", "recipes"):
            (tmp_path / "here" / part).mkdir()
    assert main(["serve", *words]) == code
    assert told in capsys.readouterr().err
