"""How numbers stand in a table of predictions."""

from collections.abc import Sequence

SAID = ("value", "lower", "upper")


def column(part: str, target: str, targets: Sequence[str]) -> str:
    """The name of a column of the predictions."""
    return f"{part}:{target}" if len(targets) > 1 else part
