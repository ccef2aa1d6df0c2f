"""The knobs that move the population of pints away from the clean one, for drift to be found.

Each knob reads its own random streams, so turning one leaves what the others decide as it was.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from totalml.component import Section

Share = Annotated[float, Field(ge=0, le=1)]
DAYS = 365


class Knobs(Section):
    """What moves between one population of pints and another; the defaults give the clean one."""

    new_glass_share: Share = 0.35  # of glasses that are the newer, taller one with the V in relief
    lined_share: Share = 0.0  # of the newer glasses that are oversized: a pint ends at a line below the rim
    st_patricks: Share = 0.0  # strength of the week of 17 March: plastic cups, crowds, green light, more pints
    poor_photo_share: Share = 0.03  # of uploaders whose photos are dark, blurred and badly framed
    young_generosity: Share = 0.0  # of bad pints that raters of 18-25 pass as good, on top of their errors
    first_day: Annotated[int, Field(ge=0, lt=DAYS)] = 0  # of the photos, counted from 1 January 2025
    days: Annotated[int, Field(ge=1, le=DAYS)] = DAYS  # length of the period, within the year

    @model_validator(mode="after")
    def _within_the_year(self) -> Self:
        if self.first_day + self.days > DAYS:
            raise ValueError(f"first_day {self.first_day} + days {self.days} run past the year; at most {DAYS}")
        return self
