"""What a service keeps of what it predicted, and for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from totalml.component import Section

Days = Annotated[int, Field(gt=0, le=36_500)]


class LogSettings(Section):
    """Args:
    days: after which rows are removed; None: never.
    pictures: share of the requests whose pictures are kept, by a hash of the request's id.
    picture_days: after which those are removed.
    maps: share of the requests of which it is kept what the model looked at, where it tells; by the same hash, so of
        the smaller share the other is known too.
    """

    predictions: bool = True
    days: Days | None = None
    pictures: Annotated[float, Field(ge=0, le=1)] = 0.0
    picture_days: Days = 30
    maps: Annotated[float, Field(ge=0, le=1)] = 0.02
