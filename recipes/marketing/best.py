"""The best plan of a market by its truth, and what each channel truly does."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recipes.marketing.arguments import MarketArguments
from recipes.marketing.calendar import Numbers
from recipes.marketing.channels import VALUE_EUR
from recipes.marketing.world import World

FACTORS = np.linspace(0.5, 1.5, 21)
_STEP = 0.01  # of a factor, for the worth of one EUR more


@dataclass(frozen=True)
class Effect:
    """What a channel truly does in some weeks.

    Args:
        spend: EUR.
        sold: pints that it adds.
        marginal: EUR of profit by one EUR more, spent as the rest is.
        earned: (F,) EUR that it earns at each of FACTORS, its cost not taken off.
    """

    spend: float
    sold: float
    marginal: float
    earned: Numbers

    @property
    def profit(self) -> Numbers:
        """(F,) EUR that it leaves at each of FACTORS."""
        left: Numbers = self.earned - FACTORS * self.spend
        return left

    @property
    def best(self) -> float:
        """The factor that leaves most if every EUR is its own."""
        return float(FACTORS[np.argmax(self.profit)])


def effects(market: MarketArguments, world: World, weeks: int) -> dict[str, Effect]:
    """Of each channel, over the last so many weeks."""

    def earned(channel: str, factor: float) -> float:
        return VALUE_EUR * float(market.added(world, channel, factor)[-weeks:].sum())

    found = {}
    for channel, spent in world.spend.items():
        spend = float(spent[-weeks:].sum())
        slope = (earned(channel, 1 + _STEP) - earned(channel, 1 - _STEP)) / (2 * _STEP * spend)
        curve = np.array([earned(channel, factor) for factor in FACTORS])
        found[channel] = Effect(spend, earned(channel, 1.0) / VALUE_EUR, slope - 1.0, curve)
    return found


def best_plan(effects: Mapping[str, Effect]) -> dict[str, float]:
    """The factors, of FACTORS, that leave most profit and cost no more than was spent: by every one there is."""
    profit, cost = np.zeros(1), np.zeros(1)
    for each in effects.values():
        profit = np.add.outer(profit, each.profit)
        cost = np.add.outer(cost, FACTORS * each.spend)
    budget = sum(each.spend for each in effects.values())
    # A euro of rounding is none of the budget.
    chosen = np.unravel_index(np.argmax(np.where(cost <= budget + 1.0, profit, -np.inf)), profit.shape)[1:]
    return {name: float(FACTORS[place]) for name, place in zip(effects, chosen, strict=True)}


def gain(effects: Mapping[str, Effect], plan: Mapping[str, float]) -> float:
    """EUR that a plan, within FACTORS, earns over changing nothing."""
    return sum(
        float(np.interp(plan[name], FACTORS, each.profit) - np.interp(1.0, FACTORS, each.profit))
        for name, each in effects.items()
    )


def told(market: MarketArguments, weeks: int) -> str:
    """A table for people."""
    world = market.world()
    found = effects(market, world, weeks)
    plan = best_plan(found)
    sales = float(market.expected(world, {})[-weeks:].sum())
    lines = [
        "channel    spend, EUR  of sales  pints a EUR  one EUR more  best alone  best plan",
        *(
            f"{name:8} {each.spend:12,.0f} {each.sold / sales:9.1%} {each.sold / each.spend:12.2f} "
            f"{each.marginal:+13.2f} {each.best:11.2f} {plan[name]:10.2f}"
            for name, each in found.items()
        ),
    ]
    more, earned = gain(found, plan), VALUE_EUR * sum(each.sold for each in found.values())
    spent = sum(each.spend for each in found.values())
    asked = sum(plan[name] * each.spend for name, each in found.items())
    advertised, profit = earned / VALUE_EUR / sales, earned - spent
    lines.append(
        f"Advertising sells {advertised:.1%} of {sales:,.0f} pints in {weeks} weeks, and earns {earned:,.0f} EUR for "
        f"{spent:,.0f}.\nThe best plan spends {asked:,.0f} and earns {more:,.0f} EUR more: {more / earned:.1%} of what "
        f"advertising earns, {more / profit:.1%} of its profit."
    )
    return "\n".join(lines)
