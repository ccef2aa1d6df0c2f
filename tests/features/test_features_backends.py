"""Whatever decodes the pictures, the rows are the same."""

import os
import shutil
import signal
import sys

import numpy as np
import pytest
from PIL import Image

from tests.features.drawn import SIZE, photo
from totalml.data import ImageFolder, decode
from totalml.errors import FeatureError, MissingExtraError, WorkerError
from totalml.features import build_features, decoding, pixels
from totalml.fingerprint import execution
from totalml.progress import Progress
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures, RuntimeRecipe
from totalml.store import Store
from totalml.task import Classification
from totalml.workers import processes

FEATURES = FeaturesRecipe(image=ImageFeatures(size=SIZE))


class Interrupting(Progress):
    """Ctrl-C after the third row."""

    def track(self, items, what, total=None):
        for count, item in enumerate(items):
            if count == 3:
                raise KeyboardInterrupt
            yield item


def built(snapshot, store: Store, progress=None, max_megapixels=100.0, **runtime):
    data = DataRecipe(source=ImageFolder(root="."), max_megapixels=max_megapixels)
    return build_features(
        FEATURES, data, Classification(), snapshot, store, progress or Progress.silent(), RuntimeRecipe(**runtime)
    )


def assert_decoded_one_by_one(features, photos):
    direct = [pixels.to_pixels(decode((photos / name).read_bytes(), 1.0), FEATURES.image) for name in features.ids]
    assert np.array_equal(features.images.gather(np.arange(len(features))), np.stack(direct))


def kill_yourself(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def small_chunks(monkeypatch):
    """Ten photos are then four chunks in two waves."""
    monkeypatch.setattr(decoding, "CHUNK", 3)
    monkeypatch.setattr(processes, "AHEAD", 1)


@pytest.mark.parametrize("runtime", [{"workers": 5}, {"backend": "loky", "workers": 2}, {"backend": "loky"}])
def test_every_backend_gives_the_rows_of_one_picture_at_a_time(photos, snap, store, small_chunks, runtime):
    features = built(snap(photos), store, **runtime)
    assert features.decoded == 10
    assert_decoded_one_by_one(features, photos)


def test_processes_read_each_picture_elsewhere(photos, snap, store, monkeypatch):
    """This process decodes nothing, so breaking its decoder breaks nothing."""
    monkeypatch.setattr(decoding, "decode", None)
    snapshot = snap(photos)
    built(snapshot, store, backend="loky", workers=2)
    shutil.rmtree(store.root / "features")
    with pytest.raises(TypeError):
        built(snapshot, store, workers=2)


@pytest.mark.parametrize("backend", ["threads", "loky"])
def test_a_picture_that_a_worker_cannot_decode_is_named(photos, snap, store, small_chunks, backend):
    Image.fromarray(photo(99, 80, 60)).save(photos / "good" / "large.png")
    with pytest.raises(FeatureError, match=r"of 'good/large.png' cannot be decoded: .*on_bad_sample"):
        built(snap(photos), store, max_megapixels=0.003, backend=backend, workers=2)


def test_pictures_that_end_every_worker_are_named(photos, snap, store, monkeypatch):
    monkeypatch.setattr(decoding, "_chunk", kill_yourself)
    with pytest.raises(WorkerError, match=r"one of the pictures '.*ended 3 workers"):
        built(snap(photos), store, backend="loky", workers=2)
    monkeypatch.undo()
    assert built(snap(photos), store, backend="loky", workers=2).decoded == 10


@pytest.mark.parametrize("backend", ["threads", "loky"])
def test_ctrl_c_leaves_nothing_half_written(photos, snap, store, small_chunks, backend):
    snapshot = snap(photos)
    with pytest.raises(KeyboardInterrupt):
        built(snapshot, store, Interrupting(), backend=backend, workers=2)
    assert not [path for path in (store.root / "features").rglob("*") if path.is_file()]
    features = built(snapshot, store, backend=backend, workers=2)
    assert features.decoded == 10
    assert_decoded_one_by_one(features, photos)


def test_a_backend_that_is_not_installed_names_its_extra(photos, snap, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"runtime\.backend ray .*totalml\[ray\]"):
        built(snap(photos), store, backend="ray")


def test_who_decodes_is_no_part_of_how_a_run_was_executed():
    assert execution(RuntimeRecipe()) == execution(RuntimeRecipe(backend="loky", workers=7))
    assert execution(RuntimeRecipe()) != execution(RuntimeRecipe(threads=7))


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_ray_cluster_gives_the_same_rows(photos, snap, store, small_chunks):
    pytest.importorskip("ray")
    features = built(snap(photos), store, backend="ray", workers=2)
    assert features.decoded == 10
    assert_decoded_one_by_one(features, photos)
