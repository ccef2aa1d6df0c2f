"""What is asked of the market, by its source and by its truth alike.

Imports of numpy stay inside the methods, because validating a recipe imports this module.
"""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from recipes.marketing.channels import CHANNELS
from totalml.component import Section
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipes.marketing.calendar import Numbers
    from recipes.marketing.rows import Rows
    from recipes.marketing.world import World


HOME = "IE"  # the country, ISO 3166-1


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"expected a day such as 2021-03-15, got {text!r}") from None


Day = Annotated[str, AfterValidator(_day)]
Factor = Annotated[float, Field(ge=0, le=100)]


class MarketArguments(Section):
    """A market of regions over years; of `since` and `until` neither what is drawn nor what is true depends."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    regions: Annotated[int, Field(ge=1, le=999)] = 40
    years: Annotated[int, Field(ge=1, le=50)] = 6
    every: Literal["week", "day"] = "week"
    since: Day | None = None  # rows from this day on
    until: Day | None = None  # rows that begin on this day or before
    effects: dict[str, Factor] = Field(default_factory=dict)  # channel -> so many times what it does
    effects_since: Day | None = None  # from the first week that begins on this day or later; None: always

    @field_validator("effects")
    @classmethod
    def _are_of_channels(cls, effects: dict[str, float]) -> dict[str, float]:
        if unknown := [each for each in effects if each not in CHANNELS]:
            told = "; ".join(f"no channel {each!r}{did_you_mean(each, CHANNELS)}" for each in unknown)
            raise ValueError(f"{told}; there are: {', '.join(CHANNELS)}")
        return effects

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError(f"since {self.since} comes after until {self.until}")
        if self.effects_since is not None and not self.effects:
            raise ValueError(f"effects_since {self.effects_since} needs effects, such as {{tv: 0.5}}")
        return self

    def world(self) -> "World":
        from recipes.marketing.world import draw_world

        return draw_world(self.seed, self.regions, self.years)

    def rows(self, world: "World") -> "Rows":
        from recipes.marketing.rows import daily, weekly

        return daily(world) if self.every == "day" else weekly(world)

    def expected(self, world: "World", factors: "Mapping[str, float]") -> "Numbers":
        """(T, R) pints that each week sells in the mean if channels had always been given so many times what they were.

        Args:
            factors: channel -> factor, 0 or more; 1 where it is not named.
        """
        total = world.demand()
        for channel in CHANNELS:
            total = total + self.added(world, channel, factors.get(channel, 1.0))
        return total

    def added(self, world: "World", channel: str, factor: float) -> "Numbers":
        """(T, R) of them by one channel."""
        import numpy as np

        since = world.starts[0] if self.effects_since is None else np.datetime64(self.effects_since)
        strength = np.where(world.starts >= since, self.effects.get(channel, 1.0), 1.0)
        return strength[:, None] * world.added(channel, factor)
