"""What a model sees of a snapshot: pixels decoded once, and metadata columns as numbers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.features.build import build_features
    from totalml.features.embedding_rows import EmbeddingRows
    from totalml.features.feature_set import FeatureSet
    from totalml.features.given import decode_given, given_features
    from totalml.features.image_rows import ImageRows

__all__ = ["EmbeddingRows", "FeatureSet", "ImageRows", "build_features", "decode_given", "given_features"]

_HOMES = {
    "EmbeddingRows": "embedding_rows",
    "FeatureSet": "feature_set",
    "ImageRows": "image_rows",
    "build_features": "build",
    "decode_given": "given",
    "given_features": "given",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
