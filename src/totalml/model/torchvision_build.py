"""Build a torchvision network without its classifier, with the weights that a recipe asks for."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torchvision import models

from totalml.errors import ModelError
from totalml.model.weights import find_weights

# What two builders need so that they return plain scores and start without a warning.
ARGUMENTS = {name: {"aux_logits": False, "init_weights": True} for name in ("inception_v3", "googlenet")}
# Extra outputs of inception_v3 and googlenet that only help their first training.
AUXILIARY = ("AuxLogits.", "aux1.", "aux2.")


def build_headless(name: str, weights: str | None, channels: int) -> tuple[nn.Module, int]:
    """The network up to its embedding, and the embedding's width.

    Raises: ModelError: the picture has not three channels, or the weights cannot be had or do not fit.
    """
    if channels != 3:
        raise ModelError(f"{name} takes pictures of 3 channels, got {channels}; use totalml.model.SmallCnn")
    network = models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
    head, width = _remove_classifier(network)
    if weights is not None:
        _load(network, find_weights(name, weights), head, f"the weights {weights!r} of {name}")
    return network, width


def _remove_classifier(network: nn.Module) -> tuple[str, int]:
    """Replace the last linear layer (the last convolution if there is none) by nothing; its name and input width."""
    layers = [*network.named_modules()]
    linear = [(name, layer.in_features) for name, layer in layers if isinstance(layer, nn.Linear)]
    convolution = [(name, layer.in_channels) for name, layer in layers if isinstance(layer, nn.Conv2d)]
    name, width = (linear or convolution)[-1]
    network.set_submodule(name, nn.Identity())
    return name, width


def _load(network: nn.Module, state: Mapping[str, Tensor], head: str, what: str) -> None:
    own = network.state_dict()
    state = {key: value for key, value in state.items() if not key.startswith((f"{head}.", *AUXILIARY))}
    missing = [key for key in own if key not in state]
    unknown = [key for key in state if key not in own]
    shapes = [
        f"{key} {tuple(state[key].shape)} for {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    faults = (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
    if found := [f"{kind}: {_some(keys)}" for kind, keys in faults if keys]:
        raise ModelError(f"{what} do not fit; {'; '.join(found)}. Check that they are of this network.")
    network.load_state_dict(state)


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")
