import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.embedding.frozen_recipe import BACKBONE, features_of, frozen
from tests.features.drawn import save_photos
from tests.warm import python
from totalml.embedding import start
from totalml.embedding.build import BATCH
from totalml.errors import ModelError
from totalml.features.segments import EMBEDDINGS
from totalml.model import SmallCnn, TorchvisionBackbone
from totalml.model.frozen import FrozenBackbone
from totalml.progress import Progress
from totalml.recipe import ImageFeatures
from totalml.store import Store
from totalml.training import embed_features as embed

ROOT = Path(__file__).parents[2]
IMAGENET = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # mean and deviation, white is 1


def all_rows(features) -> np.ndarray:
    return features.embeddings.gather(np.arange(len(features)))


def folders(store: Store) -> list[Path]:
    return sorted((store.root / "embeddings").iterdir())


@pytest.fixture
def passes(monkeypatch) -> list[int]:
    """How many pictures, blank ones included, each pass through a frozen backbone took."""
    forward, seen = FrozenBackbone.forward, []
    monkeypatch.setattr(FrozenBackbone, "forward", lambda self, x: seen.append(len(x)) or forward(self, x))
    return seen


@pytest.fixture
def builds(monkeypatch) -> list[int]:
    build, seen = SmallCnn.build, []
    monkeypatch.setattr(SmallCnn, "build", lambda self, channels: seen.append(1) or build(self, channels))
    return seen


def test_an_embedding_is_what_the_backbone_makes_of_the_picture_as_the_run_starts(embedded):
    torch.manual_seed(3)
    backbone, width = BACKBONE.build(3)
    mean, deviation = IMAGENET
    pictures = (embedded.images.gather(np.arange(40)) / 255 - mean) / deviation
    with torch.inference_mode():
        direct = backbone.eval()(torch.from_numpy(pictures.transpose(0, 3, 1, 2)).float()).numpy()
    assert all_rows(embedded).shape == (40, width)
    assert all_rows(embedded).dtype == np.float32
    assert np.allclose(all_rows(embedded), direct, atol=1e-4)
    assert direct.std() > 0.01


def test_without_freeze_the_features_are_left_alone(features, store):
    recipe = frozen()
    thawed = recipe.model_copy(update={"model": recipe.model.model_copy(update={"freeze": False})})
    assert embed(thawed, features, store) is features
    assert not (store.root / "embeddings").exists()


def test_an_embedding_does_not_depend_on_the_pictures_beside_it(embedded, photos, tmp_path):
    for path in sorted(photos.rglob("*.png"))[::3]:
        path.unlink()
    store = Store(tmp_path / "other")
    alone = embed(frozen(), features_of(photos, store), store)
    rows = [embedded.ids.index(name) for name in alone.ids]
    assert len(alone) == 26
    assert np.array_equal(all_rows(alone), all_rows(embedded)[rows])


def test_every_pass_takes_the_same_number_of_pictures(features, store, passes):
    """The last bits may depend on it: on this machine they do for a ResNet-18 and one picture."""
    embed(frozen(), features, store)
    assert passes == [BATCH, BATCH]


def test_a_backbone_starts_by_its_seed_whatever_was_drawn_before():
    digests = set()
    for drawn in (0, 5):
        start._built.cache_clear()
        torch.rand(drawn)
        digests.add(start.start_of(BACKBONE, 3).digest)
    assert len(digests) == 1
    assert start.start_of(BACKBONE, 4).digest not in digests


def test_new_photos_are_embedded_alone(embedded, photos, store, passes):
    save_photos(photos, range(40, 43), "bad")
    grown = embed(frozen(), features_of(photos, store), store)
    assert (grown.embeddings.made, grown.embeddings.reused) == (3, 40)
    assert len(passes) == 1
    rows = [grown.ids.index(name) for name in embedded.ids]
    assert np.array_equal(all_rows(grown)[rows], all_rows(embedded))


def test_one_picture_under_two_names_is_embedded_once(photos, store):
    (photos / "good" / "again.png").write_bytes((photos / "good" / "0000.png").read_bytes())
    features = embed(frozen(), features_of(photos, store), store)
    first, second = (features.ids.index(f"good/{name}.png") for name in ("0000", "again"))
    assert features.embeddings.made == 40
    assert np.array_equal(all_rows(features)[first], all_rows(features)[second])


def test_jobs_that_train_otherwise_share_the_embeddings_and_the_backbone(embedded, features, store, passes, builds):
    for recipe in (frozen(learning_rate=0.5), frozen(epochs=9), frozen(dropout=0.0), frozen(batch_size=3)):
        again = embed(recipe, features, store)
        assert again.embeddings.made == 0
        assert again.key == embedded.key
    assert (passes, builds) == ([], [])
    assert len(folders(store)) == 1


def test_another_process_finds_them_too(embedded, features, store, passes, builds):
    start._built.cache_clear()
    again = embed(frozen(), features, store)
    assert (again.embeddings.made, passes, builds) == (0, [], [1])
    assert np.array_equal(all_rows(again), all_rows(embedded))


@pytest.mark.parametrize(
    "other",
    [
        lambda recipe: frozen(seed=4),
        lambda recipe: frozen(SmallCnn(width=5, depth=2)),
        lambda recipe: recipe.model_copy(update={"runtime": recipe.runtime.model_copy(update={"threads": 2})}),
    ],
    ids=["seed", "backbone", "threads"],
)
def test_what_may_move_an_embedding_gives_another_key(embedded, features, store, other: Callable):
    again = embed(other(frozen()), features, store)
    assert again.embeddings.made == 40
    assert again.key != embedded.key
    assert len(folders(store)) == 2


def test_other_pixels_of_the_same_photos_give_another_key(embedded, photos, store):
    recipe = frozen()
    larger = recipe.features.model_copy(update={"image": ImageFeatures(size=24)})
    again = embed(recipe.model_copy(update={"features": larger}), features_of(photos, store, 24), store)
    assert again.embeddings.made == 40


def test_another_version_of_torch_gives_another_key(embedded, features, store, monkeypatch):
    monkeypatch.setattr("totalml.embedding.build.version", lambda package: "2.99.0")
    assert embed(frozen(), features, store).embeddings.made == 40


def test_pretrained_weights_count_by_their_bytes_and_no_longer_by_the_seed(features, store, tmp_path):
    file = tmp_path / "weights.safetensors"
    backbone = TorchvisionBackbone(name="shufflenet_v2_x0_5", weights=str(file))
    state = TorchvisionBackbone(name="shufflenet_v2_x0_5").build(3)[0].state_dict()
    save_file(state, file)
    first = embed(frozen(backbone), features, store)
    assert embed(frozen(backbone, seed=4), features, store).embeddings.made == 0
    moved = file.rename(tmp_path / "moved.safetensors")
    assert embed(frozen(backbone.model_copy(update={"weights": str(moved)})), features, store).key == first.key
    save_file({name: tensor * 2 for name, tensor in state.items()}, moved)
    other = embed(frozen(backbone.model_copy(update={"weights": str(moved)})), features, store)
    assert (other.embeddings.made, other.key != first.key) == (40, True)


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_damaged_embeddings_are_named_and_made_again(embedded, features, store, capsys, damage):
    before = all_rows(embedded)
    (file,) = store.root.glob("embeddings/*/segments/*/embeddings.f32")
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content if damage == "flipped" else content[:-1])
    again = embed(frozen(), features, store, Progress.create("plain"))
    told = capsys.readouterr().err
    assert str(file.parent) in told
    assert "its pictures are embedded again" in told
    assert again.embeddings.made == 40
    assert np.array_equal(all_rows(again), before)


def test_ctrl_c_leaves_nothing_half_embedded(features, store, monkeypatch):
    def interrupted(self, images):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FrozenBackbone, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            embed(frozen(), features, store)
    assert not [path for path in (store.root / "embeddings").rglob("*") if path.is_file()]
    assert embed(frozen(), features, store).embeddings.made == 40


def test_an_interruption_costs_one_segment_at_most(features, store, monkeypatch):
    whole = all_rows(embed(frozen(), features, Store(store.root.parent / "other")))
    monkeypatch.setattr("totalml.embedding.build.EMBEDDINGS", replace(EMBEDDINGS, most=BATCH))
    forward, passes = FrozenBackbone.forward, []

    def interrupted(self, images):
        passes.append(1)
        if len(passes) == 2:
            raise KeyboardInterrupt
        return forward(self, images)

    monkeypatch.setattr(FrozenBackbone, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        embed(frozen(), features, store)
    again = embed(frozen(), features, store)
    assert (again.embeddings.made, again.embeddings.reused) == (40 - BATCH, BATCH)
    assert np.array_equal(all_rows(again), whole)


def test_two_processes_at_once_embed_once(photos, store):
    command = [*python(), "-m", "tests.embedding.frozen_recipe", str(store.root), str(photos)]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0] for process in both]
    assert sorted(told) == ["0 40\n", "40 0\n"]


def test_a_size_that_the_backbone_cannot_take_is_explained(features, store):
    with pytest.raises(ModelError, match=r"pictures of 16 px.*features\.image\.size"):
        embed(frozen(TorchvisionBackbone(name="alexnet")), features, store)


def test_embedding_leaves_torch_as_it_was(features, store):
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    embed(frozen(), features, store)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_embeds_alike_each_time_and_close_to_a_cpu(embedded, photos, features, store, tmp_path):
    on_gpu = embed(frozen(device="gpu"), features, store)
    assert on_gpu.embeddings.made == 40
    assert np.allclose(all_rows(on_gpu), all_rows(embedded), atol=1e-2)
    for path in sorted(photos.rglob("*.png"))[::3]:
        path.unlink()
    other = Store(tmp_path / "other")
    alone = embed(frozen(device="gpu"), features_of(photos, other), other)
    assert np.array_equal(all_rows(alone), all_rows(on_gpu)[[features.ids.index(name) for name in alone.ids]])
