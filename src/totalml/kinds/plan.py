"""What would come of a plan."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from totalml.component import Component

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class PlanTruth(Component):
    """What would come of any plan: known where the data is drawn by a rule, for a drill of the advice."""

    @abstractmethod
    def outcome(self, rows: pa.Table, factors: Mapping[str, float]) -> NDArray[Any]:
        """(N,) the expected target of each sample, if each lever had always stood at so many times what it was.

        Args:
            rows: (N,) the planned samples: their metadata, with `id` and `timestamp`.
            factors: lever -> times what it was; all levers of the recipe.
        """
