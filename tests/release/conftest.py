"""Exports take seconds, so each is made once for a file of tests."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from torch import nn
from torchvision.models import _api
from torchvision.models.mobilenetv3 import MobileNetV3, _mobilenet_v3_conf
from torchvision.models.resnet import BasicBlock, ResNet

from tests.release.exported import Release, release_of
from tests.warm import export_often

export_often()


def shallow_resnet(**_: object) -> nn.Module:
    return ResNet(BasicBlock, [1, 1, 1, 1])


def shallow_mobilenet(**_: object) -> nn.Module:
    blocks, last = _mobilenet_v3_conf("mobilenet_v3_small")
    return MobileNetV3(blocks[:4], last)  # with and without squeezing, of both activations


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Release]]:
    """What `tests.release.exported` names; those of torchvision with each kind of their layers, but fewer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_api.BUILTIN_MODELS, "resnet18", shallow_resnet)
        patch.setitem(_api.BUILTIN_MODELS, "mobilenet_v3_small", shallow_mobilenet)
        yield cache(lambda name: release_of(name, tmp_path_factory.mktemp(name)))
