"""What is asked of the market, by its source and by its truth alike.

Imports of numpy stay inside the methods, because validating a recipe imports this module.
"""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from recipes.marketing.channels import CHANNELS, unknown_channels
from totalml.component import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from recipes.marketing.calendar import Numbers
    from recipes.marketing.rows import Rows
    from recipes.marketing.world import World


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"expected a day such as 2021-03-15, got {text!r}") from None


Day = Annotated[str, AfterValidator(_day)]
Factor = Annotated[float, Field(ge=0, le=100)]


class MarketArguments(Section):
    """A market of regions over years; without a `future`, nothing drawn or true depends on `since` and `until`."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    regions: Annotated[int, Field(ge=1, le=999)] = 40
    years: Annotated[int, Field(ge=1, le=50)] = 6
    every: Literal["week", "day"] = "week"
    since: Day | None = None  # rows from this day on
    until: Day | None = None  # rows that begin on this day or before
    effects: dict[str, Factor] = Field(default_factory=dict)  # channel -> so many times what it does
    spending: dict[str, Factor] = Field(default_factory=dict)  # channel -> so many times what is spent
    price: Factor = 1.0  # so many times what it is
    changed_since: Day | None = None  # the three above, from the first week on that begins then; None: always
    season_late: Annotated[int, Field(ge=-8, le=8)] = 0  # weeks that season and feast come after the calendar
    future: Annotated[int, Field(ge=0, lt=2**32)] | None = None  # chance from `since` on; 0 is as without it

    @field_validator("effects", "spending")
    @classmethod
    def _are_of_channels(cls, factors: dict[str, float]) -> dict[str, float]:
        if told := unknown_channels(factors):
            raise ValueError(f"{told}; there are: {', '.join(CHANNELS)}")
        return factors

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError(f"since {self.since} comes after until {self.until}")
        if self.changed_since is not None and not (self.effects or self.spending or self.price != 1.0):
            raise ValueError(f"changed_since {self.changed_since} needs effects, spending or a price")
        if self.future is not None and self.since is None:
            raise ValueError(f"future {self.future} needs since, the day on which it begins")
        return self

    def world(self) -> "World":
        from dataclasses import replace

        import numpy as np

        from recipes.marketing.world import draw_world

        since = None if self.future is None else self.since
        world = draw_world(self.seed, self.regions, self.years, self.future, since)
        changed = self._changed(world)
        price = np.where(changed, np.round(world.columns["price"] * self.price, 2), world.columns["price"])
        spend = {
            name: np.where(changed, np.round(values * self.spending.get(name, 1.0)), values)
            for name, values in world.spend.items()
        }
        return replace(world, columns={**world.columns, "price": price}, spend=spend)

    def rows(self, world: "World") -> "Rows":
        from recipes.marketing.rows import daily, weekly

        return daily(world) if self.every == "day" else weekly(world)

    def expected(self, world: "World", factors: "Mapping[str, float]") -> "Numbers":
        """(T, R) pints that each week sells in the mean if channels had always been given so many times what they were.

        Args:
            factors: channel -> factor, 0 or more; 1 where it is not named.
        """
        total = world.demand(self.season_late)
        for channel in CHANNELS:
            total = total + self.added(world, channel, factors.get(channel, 1.0))
        return total

    def added(self, world: "World", channel: str, factor: float) -> "Numbers":
        """(T, R) of them by one channel."""
        import numpy as np

        strength = np.where(self._changed(world), self.effects.get(channel, 1.0), 1.0)
        return strength * world.added(channel, factor)

    def _changed(self, world: "World") -> "NDArray[np.bool_]":
        """(T, 1) weeks from which on the market is another."""
        import numpy as np

        since = world.starts[0] if self.changed_since is None else np.datetime64(self.changed_since)
        changed: NDArray[np.bool_] = (world.starts >= since)[:, None]
        return changed
