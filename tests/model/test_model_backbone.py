import subprocess
import sys
from urllib.error import URLError

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from torchvision import models

from totalml.errors import ModelError
from totalml.model import TorchvisionBackbone
from totalml.model.catalogue import torchvision_names

# One of each way to end: fc, classifier.1, classifier.3, a convolution, a head after pooling.
WIDTHS = {
    "resnet18": 512,
    "mobilenet_v3_small": 1024,
    "efficientnet_b0": 1280,
    "squeezenet1_1": 512,
    "regnet_y_400mf": 440,
}


def test_the_names_read_from_source_are_those_that_torchvision_registers():
    assert set(torchvision_names()) == set(models.list_models(module=models))


@pytest.mark.parametrize(("name", "width"), WIDTHS.items())
def test_a_backbone_gives_embeddings_instead_of_class_scores(name, width):
    module, found = TorchvisionBackbone(name=name).build(3)
    with torch.inference_mode():
        assert module.eval()(torch.zeros(2, 3, 64, 64)).shape == (2, width)
    assert found == width


def test_an_embedding_is_what_the_classifier_saw():
    backbone, _ = TorchvisionBackbone(name="resnet18").build(3)
    whole = models.resnet18()
    whole.load_state_dict(backbone.state_dict(), strict=False)
    pictures = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(whole.eval()(pictures), whole.fc(backbone.eval()(pictures)), atol=1e-5)


def test_a_misspelt_name_is_told_without_importing_torch():
    code = (
        "import sys; from totalml.model import TorchvisionBackbone\n"
        "try: TorchvisionBackbone(name='resnet81')\n"
        "except ValueError as error: print('resnet18' in str(error), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_a_name_that_is_like_none_lists_them_all():
    with pytest.raises(ValidationError, match="alexnet, convnext_base"):
        TorchvisionBackbone(name="qqqqqq")


def test_grey_pictures_are_refused():
    with pytest.raises(ModelError, match="3 channels, got 1"):
        TorchvisionBackbone(name="resnet18").build(1)


@pytest.fixture
def saved():
    torch.manual_seed(3)
    return models.squeezenet1_1(num_classes=7).state_dict()


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_of_a_file_are_loaded_whatever_its_number_of_classes(tmp_path, saved, suffix):
    path = tmp_path / f"weights.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(saved, path)
    module, _ = TorchvisionBackbone(name="squeezenet1_1", weights=str(path)).build(3)
    state = module.state_dict()
    assert state
    assert all(torch.equal(state[name], saved[name]) for name in state)


def test_weights_of_another_network_are_described(tmp_path, saved):
    saved["features.0.weight"] = torch.zeros(1, 2)
    del saved["features.3.squeeze.bias"]
    saved["strange"] = torch.zeros(1)
    torch.save(saved, tmp_path / "w.pth")
    with pytest.raises(ModelError) as error:
        TorchvisionBackbone(name="squeezenet1_1", weights=str(tmp_path / "w.pth")).build(3)
    for part in ("missing: features.3.squeeze.bias", "unknown: strange", "features.0.weight (1, 2) for (64, 3, 3, 3)"):
        assert part in str(error.value)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch.save({"weight": Touch(tmp_path / "ran")}, tmp_path / "w.pth")
    with pytest.raises(ModelError, match="cannot be read as a file of tensors"):
        TorchvisionBackbone(name="squeezenet1_1", weights=str(tmp_path / "w.pth")).build(3)
    assert not (tmp_path / "ran").exists()


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (type(self.path).touch, (self.path,))


def test_a_missing_file_is_named():
    with pytest.raises(ModelError, match=r"no weights file 'nowhere\.pth'"):
        TorchvisionBackbone(name="squeezenet1_1", weights="nowhere.pth").build(3)


def test_an_unknown_weights_name_lists_the_known():
    with pytest.raises(ModelError, match=r"did you mean 'IMAGENET1K_V1'.*DEFAULT"):
        TorchvisionBackbone(name="squeezenet1_1", weights="IMAGENET_V1").build(3)


def test_without_a_connection_the_two_other_ways_are_named(tmp_path, monkeypatch):
    def offline(*args, **options):
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", offline)
    with pytest.raises(ModelError, match=r"no route to host.*local \.safetensors or \.pth file, or to null"):
        TorchvisionBackbone(name="squeezenet1_1", weights="DEFAULT").build(3)


def test_a_download_that_is_there_already_needs_no_connection(tmp_path, monkeypatch, saved):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", None)
    file = models.SqueezeNet1_1_Weights.DEFAULT.url.rpartition("/")[2]
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(saved, tmp_path / "hub" / "checkpoints" / file)
    module, _ = TorchvisionBackbone(name="squeezenet1_1", weights="DEFAULT").build(3)
    assert torch.equal(module.state_dict()["features.0.weight"], saved["features.0.weight"])
