"""Questions about the data that are asked before anything is trained."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.quality.blur import Blur
    from totalml.quality.class_balance import ClassBalance
    from totalml.quality.deepchecks import Deepchecks, DeepchecksVision
    from totalml.quality.doubtful import DoubtfulLabels, doubtful_labels
    from totalml.quality.duplicates import Duplicates
    from totalml.quality.exposure import Exposure
    from totalml.quality.label_agreement import LabelAgreement
    from totalml.quality.label_spelling import LabelSpelling
    from totalml.quality.missing_values import MissingValues
    from totalml.quality.near_duplicates import NearDuplicates
    from totalml.quality.picture_sizes import PictureSizes
    from totalml.quality.pictures import Pictures
    from totalml.quality.report import Finding, QualityReport
    from totalml.quality.run_checks import check_quality
    from totalml.quality.schema import ColumnSchema, Schema
    from totalml.quality.split_leakage import SplitLeakage
    from totalml.quality.split_sizes import SplitSizes
    from totalml.quality.timestamps import Timestamps

__all__ = [
    "Blur",
    "ClassBalance",
    "ColumnSchema",
    "Deepchecks",
    "DeepchecksVision",
    "DoubtfulLabels",
    "Duplicates",
    "Exposure",
    "Finding",
    "LabelAgreement",
    "LabelSpelling",
    "MissingValues",
    "NearDuplicates",
    "PictureSizes",
    "Pictures",
    "QualityReport",
    "Schema",
    "SplitLeakage",
    "SplitSizes",
    "Timestamps",
    "check_quality",
    "doubtful_labels",
]

__getattr__ = lazy_exports(__name__)
