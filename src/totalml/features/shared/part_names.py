"""How the columns of a feature are called, and which of a model's columns are of one feature."""

from __future__ import annotations

from collections.abc import Sequence


def part_name(feature: str, part: str) -> str:
    """Of one of several parts: `team/tv.1`."""
    return f"{feature}.{part}"


def places_of(feature: str, names: Sequence[str]) -> list[int]:
    """In their order, which of lags is the latest first. Args: feature: shared, or one numeric column."""
    return [place for place, name in enumerate(names) if name == feature or name.startswith(part_name(feature, ""))]
