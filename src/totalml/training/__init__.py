"""Training with Lightning, and what a recipe can name for it.

Importing a component from here is light; torch and lightning come when training starts.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.training.augment import Erase, Flip, Light, RandomCrop
    from totalml.training.frozen import embed_features
    from totalml.training.history import Epoch, TrainedModel
    from totalml.training.prediction import predict, predict_members
    from totalml.training.schedule import WarmupCosine
    from totalml.training.train import train_model

__all__ = [
    "Epoch",
    "Erase",
    "Flip",
    "Light",
    "RandomCrop",
    "TrainedModel",
    "WarmupCosine",
    "embed_features",
    "predict",
    "predict_members",
    "train_model",
]

_export = lazy_exports(__name__)


def __getattr__(name: str) -> Any:
    with _fewer_collections():
        return _export(name)


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """torch and lightning make a million objects that live on; not searching them for garbage saves a third."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
