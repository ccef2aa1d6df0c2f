"""What a frozen backbone made of the pictures of a feature set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from totalml.features.rows import Rows

if TYPE_CHECKING:
    from torch import Tensor

    from totalml.features.filling import Filled


class EmbeddingRows(Rows):
    """(B, D) float32 when gathered.

    Args:
        frozen: the state of the frozen part, under the names that it has in a network.
    """

    shape: tuple[int]

    def __init__(self, filled: Filled, frozen: Mapping[str, Tensor]) -> None:
        super().__init__(filled.segments, filled.segment_of, filled.row_of)
        self.frozen = frozen
        self.made, self.reused = filled.made, filled.reused

    @property
    def width(self) -> int:
        return self.shape[0]
