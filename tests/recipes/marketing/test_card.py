"""The card says what the code holds."""

from pathlib import Path

from recipes.marketing import market
from recipes.marketing.best import told
from recipes.marketing.channels import CHANNELS
from recipes.marketing.truth import MarketTruth

CARD = (Path(__file__).parents[3] / "recipes/marketing/README.md").read_text(encoding="utf-8")


def test_the_constants_of_the_channels_are_those_of_the_code():
    for name, channel in CHANNELS.items():
        values = (channel.level, channel.chases, channel.decay, channel.half, channel.shape, channel.effect)
        assert f"| {name} | {' | '.join(f'{value:g}' for value in values)} |" in CARD


def test_the_constants_of_demand_are_those_of_the_code():
    grown = f"{market.BASE:g} * (1 + {market.GROWTH} * trend) * season * feasts"
    assert f"demand = {grown} * (price / {market.PRICE_EUR}) ** {market.ELASTICITY}\n" in CARD
    assert f"| St Patrick | {market.ST_PATRICK:.2f} on the log" in CARD
    assert f"| bank holiday | {market.BANK_HOLIDAY} on the log" in CARD
    assert f"| football | {market.FOOTBALL} on the log" in CARD
    assert f"| temperature | {market.TEMPERATURE} on the log" in CARD
    (low, low_day), (high, high_day) = market.SEASON.values()
    assert f"{low} with its peak on day {low_day:g}, {high} with peaks on days 172 and {high_day:g}" in CARD


def test_the_truth_that_it_tells_is_the_truth():
    indented = "\n".join(f"    {line}" for line in told(MarketTruth(), 52).splitlines())
    assert f"\n\n{indented}\n\n" in CARD
