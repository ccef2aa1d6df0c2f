"""What a test of a window says: how unlikely all of it is, and which columns moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Move:
    """One statistic of one column, or of all embeddings together.

    Args:
        name: of the column, as in the log; `embedding`.
        statistic: `KS`, `MMD`, `chi-square`.
        value: of the statistic.
        p: adjusted for all that was looked at, so any below the level is an alarm by itself.
        before, now: the median of numbers; the share of the category that moved most; None of embeddings.
        of: that category.
    """

    name: str
    statistic: str
    value: float
    p: float
    before: float | None = None
    now: float | None = None
    of: str = ""


@dataclass(frozen=True)
class WindowResult:
    """Args:
    p: that a window like the reference moves at least so far; 1 where it could not be asked.
    moves: the likeliest first.
    witness_of: what makes the `witness`, which takes as long as a test; None: no embeddings.
    too_few: how many rows, or units, are lacking before the smallest p at hand could be below the level; 0: none are.
    """

    p: float
    moves: tuple[Move, ...]
    witness_of: Callable[[], NDArray[np.float64]] | None = field(default=None, repr=False, compare=False)
    too_few: int = 0

    @cached_property
    def witness(self) -> NDArray[np.float64] | None:
        """(N,) of each row of the window, how much more such samples are met now than before."""
        return self.witness_of() if self.witness_of else None
