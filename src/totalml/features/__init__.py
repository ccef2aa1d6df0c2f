"""What a model sees of a snapshot: pixels decoded once, and metadata columns as numbers."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.features.build import build_features
    from totalml.features.embedding_rows import EmbeddingRows
    from totalml.features.feature_set import FeatureSet
    from totalml.features.given import decode_given, given_features
    from totalml.features.image_rows import ImageRows
    from totalml.features.shared.calendar import Calendar
    from totalml.features.shared.holidays import Holidays
    from totalml.features.shared.image_properties import ImageProperties
    from totalml.features.shared.lags import Lags
    from totalml.features.shared.ratio import Ratio
    from totalml.features.shared.window import Window

__all__ = [
    "Calendar",
    "EmbeddingRows",
    "FeatureSet",
    "Holidays",
    "ImageProperties",
    "ImageRows",
    "Lags",
    "Ratio",
    "Window",
    "build_features",
    "decode_given",
    "given_features",
]

__getattr__ = lazy_exports(__name__)
