"""Which columns of a batch the model of media reads, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.errors import ModelError
from totalml.features.shared.part_names import places_of
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.model.inputs import Inputs


@dataclass(frozen=True)
class MixColumns:
    """Places among the numeric columns, unless told.

    Args:
        lags: (C, L) of each channel's spend, latest period first.
        controls: of what demand follows, the trend first.
        day, trend: as they are called.
        size: None: rows are of one size.
        region: among the categorical columns; None: there is one level.
        regions: values that it takes, 0 for any that training had not.
    """

    lags: tuple[tuple[int, ...], ...]
    controls: tuple[int, ...]
    day: int
    trend: int
    size: int | None
    region: int | None
    regions: int


def find_columns(
    inputs: "Inputs",
    channels: Sequence[str],
    controls: Sequence[str],
    day: str,
    trend: str,
    size: str | None,
    region: str | None,
) -> MixColumns:
    """Raises: ModelError: the features lack some of them, or lags of one channel differ in number from another's."""
    named = [day, trend, *controls, *([size] if size else [])]
    missing = [_missing(name, "numeric", inputs.numeric) for name in named if name not in inputs.numeric]
    lags = {channel: places_of(channel, inputs.numeric) for channel in channels}
    missing += [_missing(name, "numeric", inputs.numeric) for name, places in lags.items() if not places]
    if region is not None and region not in inputs.categorical:
        missing.append(_missing(region, "categorical", inputs.categorical))
    if missing:
        raise ModelError("\n".join(missing))
    if len({len(places) for places in lags.values()}) > 1:
        told = ", ".join(f"{name} {len(places)}" for name, places in lags.items())
        raise ModelError(f"every channel needs as many lags as the others, got {told}. Give them the same lags.")
    place = inputs.numeric.index
    among = None if region is None else inputs.categorical.index(region)
    return MixColumns(
        lags=tuple(map(tuple, lags.values())),
        controls=(place(trend), *map(place, controls)),
        day=place(day),
        trend=place(trend),
        size=None if size is None else place(size),
        region=among,
        regions=1 if among is None else 1 + len(inputs.vocabularies[among]),
    )


def _missing(name: str, kind: str, known: Sequence[str]) -> str:
    hint = did_you_mean(name, known) or f"; there are: {', '.join(known) or 'none'}"
    return f"the model of media reads the {kind} column {name!r}, which the features lack{hint}"
