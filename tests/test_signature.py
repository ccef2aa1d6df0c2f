"""Reading signatures from source agrees with importing and asking."""

import ast
import inspect
from importlib import import_module

import pytest

from totalml import definitions
from totalml.definitions import names_in
from totalml.signature import signature_of
from totalml.sockets import socket_of


@pytest.mark.parametrize(
    "path",
    [
        "torch.optim.AdamW",
        "torch.optim.SGD",
        "torch.optim.adamw.AdamW",
        "torch.optim.lr_scheduler.CosineAnnealingLR",
        "torch.optim.lr_scheduler.OneCycleLR",
        "torch.nn.Linear",
        "torch.nn.Conv2d",
        "torchvision.transforms.v2.RandomHorizontalFlip",
        "torchvision.models.resnet18",
        "torchvision.ops.nms",
        "lightning.pytorch.callbacks.EarlyStopping",
    ],
)
def test_the_signature_read_is_the_signature_python_gives(path):
    module, _, name = path.rpartition(".")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters.values()
    named = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    found = signature_of(path)
    assert found is not None
    assert set(found.names) == {each.name for each in named}
    assert set(found.required) == {each.name for each in named if each.default is each.empty}
    assert found.open_ended == any(each.kind is each.VAR_KEYWORD for each in parameters)


@pytest.mark.parametrize("path", ["torch.optim.Nope", "torch.nowhere.AdamW", "not_installed.Thing", "torch"])
def test_what_is_not_there_has_no_signature(path):
    assert signature_of(path) is None


def test_names_of_a_module_hold_what_it_re_exports():
    assert {"AdamW", "SGD", "Optimizer"} <= set(names_in("torch.optim"))


def test_what_a_component_is_not_is_known_without_reading_pydantic(monkeypatch):
    read = []
    monkeypatch.setattr(definitions, "_parse", lambda file: read.append(file) or ast.parse(file.read_text("utf-8")))
    assert socket_of("recipes.guinness.source.PintSource") is None
    assert socket_of("recipes.own.module.TinyNet") is not None
    assert read
    assert not [file for file in read if "pydantic" in file.parts]
