"""Find pretrained weights: a local file, or a name that torchvision can download."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from totalml.errors import ModelError
from totalml.model.catalogue import WEIGHTS_FILES
from totalml.target import did_you_mean

TIMEOUT_S = 15.0  # for an answer of the server, not for the whole download


def find_weights(network: str, weights: str) -> Mapping[str, Tensor]:
    """Tensors by name.

    Args:
        network: torchvision's name of the network.
        weights: a path that ends in .safetensors, .pth or .pt, or one of torchvision's names for this network.
    Raises: ModelError: no such file or name, not a file of tensors, or no connection.
    """
    path = Path(weights).expanduser() if weights.endswith(WEIGHTS_FILES) else _downloaded(network, weights)
    if not path.is_file():
        raise ModelError(f"there is no weights file {str(path)!r}; correct the path or set 'weights: null'")
    return _read(path)


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: object = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file fails in many ways, none of them documented
        raise ModelError(f"{str(path)!r} cannot be read as a file of tensors: {error}") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"{str(path)!r} holds no plain mapping of names to tensors; save 'model.state_dict()'")
    return state


def _downloaded(network: str, weights: str) -> Path:
    from torchvision import models

    known = models.get_model_weights(network)
    names = [*known.__members__]
    if weights not in names:
        raise ModelError(
            f"{network} has no weights {weights!r}{did_you_mean(weights, names) or '.'} It has {', '.join(names)}; "
            f"a local file ends in {', '.join(WEIGHTS_FILES)}."
        )
    url = known[weights].url
    path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    if not path.is_file():
        _download(url, path, f"{network} weights {weights!r}")
    return path


def _download(url: str, path: Path, what: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    checksum = re.search(r"-([0-9a-f]{8,})\.", path.name)
    try:
        with _timeout(TIMEOUT_S):
            torch.hub.download_url_to_file(url, str(path), checksum and checksum[1], progress=False)
    except (OSError, RuntimeError) as error:  # RuntimeError: torch.hub found another checksum
        raise ModelError(
            f"{what} cannot be downloaded from {url}: {error}. Without a connection, set 'weights' to a local "
            ".safetensors or .pth file, or to null to start from random weights."
        ) from error


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
