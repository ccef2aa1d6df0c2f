"""Samples that are one fact, such as photos of one pub: whole groups are drawn, not their samples one by one.

Source: Field and Welsh, Bootstrapping clustered data, 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

    from totalml.evaluation.arrays import Ints

GROUP = "group"  # column of the predictions, where samples share any


def group_column(groups: Sequence[str] | None) -> dict[str, pyarrow.Array]:
    """Args: groups: (N,) of the test samples; None: each is its own."""
    import pyarrow as pa

    return {} if groups is None else {GROUP: pa.array(groups, pa.string())}


def numbers_of(values: pyarrow.Array | pyarrow.ChunkedArray) -> Ints | None:
    """(N,) from 0, in the order of the values; None where all are alike or no two are, so that none stand together."""
    import pyarrow.compute as pc

    numbers = pc.rank(values, tiebreaker="dense").to_numpy().astype("int64") - 1
    return numbers if 0 < numbers.max(initial=0) < len(numbers) - 1 else None


def in_groups(predictions: pyarrow.Table) -> Ints | None:
    """(N,) as of `numbers_of`, of their groups; None: they have none."""
    return numbers_of(predictions[GROUP]) if GROUP in predictions.column_names else None


def taken(together: Ints | None, rows: Any) -> Ints | None:
    """Of some samples, or of all in another order."""
    return None if together is None else together[rows]


def facts(together: Ints | None, samples: int) -> int:
    """How many things can be drawn. Args: together: (N,) as of `numbers_of`. samples: N."""
    return samples if together is None else int(together.max()) + 1
