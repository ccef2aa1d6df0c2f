import numpy as np
import pytest
import torch

from tests.in_memory import feature_set
from totalml.errors import ModelError
from totalml.model import Mlp, SmallCnn, TorchvisionBackbone, build_network, load_network, save_network
from totalml.recipe import ModelRecipe
from totalml.task import Classification

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)
NUMERIC = np.random.default_rng(1).normal(size=(6, 2)).astype(np.float32)
RECIPE = ModelRecipe(image=SmallCnn(width=4, depth=1), table=Mlp(widths=(3,)))


@pytest.fixture
def network():
    torch.manual_seed(0)
    categorical = np.ones((6, 1), np.int64)
    features = feature_set(PIXELS, NUMERIC, categorical, (("Ünï", 'q"'),))
    return build_network(RECIPE, Classification(), features, np.arange(6)).eval()


def inputs():
    return {
        "image": torch.from_numpy(PIXELS),
        "numeric": torch.from_numpy(NUMERIC),
        "categorical": torch.ones(6, 1, dtype=torch.int64),
    }


def test_a_saved_network_answers_as_before_without_its_data(network, tmp_path):
    save_network(network, tmp_path / "model.safetensors")
    again = load_network(RECIPE, Classification(), tmp_path / "model.safetensors")
    assert again.inputs == network.inputs
    with torch.inference_mode():
        assert torch.equal(again(inputs()), network(inputs()))


def test_equal_weights_give_equal_bytes(network, tmp_path):
    first = save_network(network, tmp_path / "a")
    second = save_network(load_network(RECIPE, Classification(), tmp_path / "a"), tmp_path / "b")
    assert first == second
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_weight_gives_another_digest(network, tmp_path):
    first = save_network(network, tmp_path / "a")
    with torch.no_grad():
        network.head.bias[0] += 1
    assert save_network(network, tmp_path / "b") != first


def test_loading_downloads_nothing(tmp_path):
    plain = ModelRecipe(image=TorchvisionBackbone(name="squeezenet1_1"))
    pixels = np.zeros((2, 32, 32, 3), np.uint8)
    save_network(build_network(plain, Classification(), feature_set(pixels), np.arange(2)), tmp_path / "m")
    pretrained = ModelRecipe(image=TorchvisionBackbone(name="squeezenet1_1", weights="file-that-is-gone.pth"))
    assert load_network(pretrained, Classification(), tmp_path / "m").inputs.image == (32, 32, 3)


def test_another_recipe_does_not_fit(network, tmp_path):
    save_network(network, tmp_path / "m")
    with pytest.raises(ModelError, match="does not fit the recipe's model"):
        load_network(
            ModelRecipe(image=SmallCnn(width=8, depth=1), table=Mlp(widths=(3,))), Classification(), tmp_path / "m"
        )


@pytest.mark.parametrize("damage", ["missing", "cut", "foreign"])
def test_a_file_that_is_no_model_is_explained(network, tmp_path, damage):
    path = tmp_path / "m"
    save_network(network, path)
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match="not written by totalml" if damage == "foreign" else "Train it again"):
        load_network(RECIPE, Classification(), path)
