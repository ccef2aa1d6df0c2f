"""What turns features into class scores: backbones that a recipe names, joined before one linear head.

Importing a component from here is light; torch comes when it is built.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.model.backbone import TorchvisionBackbone
    from totalml.model.mlp import Mlp
    from totalml.model.network import Network, build_network
    from totalml.model.saved import load_network, save_network
    from totalml.model.small_cnn import SmallCnn

__all__ = ["Mlp", "Network", "SmallCnn", "TorchvisionBackbone", "build_network", "load_network", "save_network"]

_HOMES = {
    "Mlp": "mlp",
    "Network": "network",
    "SmallCnn": "small_cnn",
    "TorchvisionBackbone": "backbone",
    "build_network": "network",
    "load_network": "saved",
    "save_network": "saved",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
