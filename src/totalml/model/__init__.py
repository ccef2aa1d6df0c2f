"""What turns features into class scores: backbones that a recipe names, joined before one linear head.

Importing a component from here is light; torch comes when it is built.
"""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.model.backbone import TorchvisionBackbone
    from totalml.model.linear import Linear
    from totalml.model.mlp import Mlp
    from totalml.model.network import Network, build_network
    from totalml.model.saved import load_network, save_network
    from totalml.model.small_cnn import SmallCnn

__all__ = [
    "Linear",
    "Mlp",
    "Network",
    "SmallCnn",
    "TorchvisionBackbone",
    "build_network",
    "load_network",
    "save_network",
]

__getattr__ = lazy_exports(__name__)
