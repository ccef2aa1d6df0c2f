"""The kinds of component that a recipe can name: the sockets of the house.

They stand below every room, so that the recipe can say which kind goes where without importing a room.
"""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.kinds.data import Perturbation, Source
    from totalml.kinds.features import Feature, SharedFeature
    from totalml.kinds.model import ImageBackbone, TableBackbone
    from totalml.kinds.plan import PlanTruth
    from totalml.kinds.quality import Check, PictureCheck, QualityCheck, SampleCheck
    from totalml.kinds.task import Direction, Reach, Task
    from totalml.kinds.training import Augmentation, Loss, Schedule

__all__ = [
    "Augmentation",
    "Check",
    "Direction",
    "Feature",
    "ImageBackbone",
    "Loss",
    "Perturbation",
    "PictureCheck",
    "PlanTruth",
    "QualityCheck",
    "Reach",
    "SampleCheck",
    "Schedule",
    "SharedFeature",
    "Source",
    "TableBackbone",
    "Task",
]

__getattr__ = lazy_exports(__name__)
