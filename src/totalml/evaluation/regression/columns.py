"""How numbers stand in a table of predictions."""

from collections.abc import Sequence

SAID = ("value", "lower", "upper")
TIME, SERIES = "timestamp", "series"
BEFORE, SEASONAL_ERROR = "season_before", "seasonal_error"  # as of `Values`; where a season is known


def column(part: str, target: str, targets: Sequence[str]) -> str:
    """The name of a column of the predictions."""
    return f"{part}:{target}" if len(targets) > 1 else part
