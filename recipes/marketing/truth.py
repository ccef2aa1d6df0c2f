"""What would have been sold under any plan, which the rows do not say and no model is shown.

Run: python -m recipes.marketing.truth [--seed N] [--weeks N]
"""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recipes.marketing.arguments import MarketArguments
from recipes.marketing.channels import CHANNELS, unknown_channels
from recipes.marketing.source import region_name, row_id
from totalml.errors import RecipeError
from totalml.kinds import PlanTruth

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


class MarketTruth(MarketArguments, PlanTruth):
    """The market of a `MarketSource` that was given the same arguments."""

    def outcome(self, rows: "pa.Table", factors: Mapping[str, float]) -> "NDArray[Any]":
        """(N,) pints that each row sells in the mean if channels had always been given so many times what they were.

        Args:
            rows: (N,) with `id`, as the source gives them.
            factors: channel -> factor; 1 where it is not named.
        Raises: RecipeError: a row that the source would not yield, or no such channel.
        """
        if told := unknown_channels(factors):
            raise RecipeError(f"plan.levers: {told}; name levers as the channels of the truth: {', '.join(CHANNELS)}")
        world = self.world()
        drawn = self.rows(world)
        place = self._places(drawn.starts.astype(str).tolist(), rows)
        found: NDArray[Any] = drawn.expected(self.expected(world, factors)).ravel()[place]
        return found

    def _places(self, days: list[str], rows: "pa.Table") -> "NDArray[Any]":
        """(N,) of each row among all that the source could yield."""
        import pyarrow as pa
        import pyarrow.compute as pc

        regions = [region_name(place) for place in range(self.regions)]
        every = pa.array([row_id(region, day) for day in days for region in regions])
        places = pc.index_in(rows["id"].combine_chunks(), value_set=every)
        if places.null_count:
            strangers = rows["id"].filter(pc.is_null(places)).to_pylist()
            raise RecipeError(
                f"plan.truth: the market has no row {strangers[0]!r}, nor {len(strangers) - 1} more of the "
                f"{rows.num_rows} planned; give plan.truth the arguments of data.source (seed, regions, years, every)"
            )
        return places.to_numpy()


def main() -> None:
    """Parse the command line and print the truth."""
    from recipes.marketing.best import told

    parser = argparse.ArgumentParser(description="Print what the channels of the market truly do.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weeks", type=int, default=52, help="the last so many are looked at")
    options = parser.parse_args()
    print(told(MarketTruth(seed=options.seed), options.weeks))


if __name__ == "__main__":
    main()
