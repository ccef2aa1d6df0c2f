"""How numbers stand in a table of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

    from totalml.evaluation.arrays import Ints

SAID = ("value", "lower", "upper")
TIME, SERIES = "timestamp", "series"
BEFORE, SEASONAL_ERROR = "season_before", "seasonal_error"  # as of `Values`; where a season is known


def column(part: str, target: str, targets: Sequence[str]) -> str:
    """The name of a column of the predictions."""
    return f"{part}:{target}" if len(targets) > 1 else part


def drawn_together(predictions: pyarrow.Table) -> Ints | None:
    """(N,) as of `numbers_of`: of a panel its moments, of others their groups."""
    from totalml.evaluation.together import in_groups

    of_panel = moments(predictions)
    return in_groups(predictions) if of_panel is None else of_panel


def moments(predictions: pyarrow.Table) -> Ints | None:
    """(N,) numbers from 0, in the order of time, of the moments of a panel; None: it is none, or has one moment."""
    from totalml.evaluation.together import numbers_of

    if not {TIME, SERIES} <= {*predictions.column_names}:
        return None
    return numbers_of(predictions[TIME])
