"""What is to be predicted of each sample, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Targets:
    """Args:
    names: of classes, of labels, or of columns; in the order of what a model answers.
    values: (N,) int64 index into names where one of them is true; (N, T) float32 where each has a value of its own.
    """

    names: tuple[str, ...]
    values: NDArray[Any]
