"""A plan and its curves for people who know the market and no model: in sentences, and as the report draws it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from totalml.evaluation.interval import Interval
from totalml.plan.certainty import interval_of
from totalml.report.markup import Html, joined, name_of, table, tag
from totalml.report.moments import day_of
from totalml.report.number_format import THIN, percent, quantity
from totalml.report.plan import change_of, moves
from totalml.report.plan_charts import response
from totalml.review.item import ASK_CURVE, Item

if TYPE_CHECKING:
    from totalml.plan.lever import Lever
    from totalml.plan.record import Plan


@dataclass(frozen=True)
class Planned:
    """Args: told: what is asked about, in sentences. drawn: the same as a picture or a table."""

    told: str
    drawn: Html


def planned(plan: Plan, item: Item) -> Planned | None:
    """What an item of a plan is about, without the truth where that is known. None: the plan has no such lever."""
    if not item.note:
        return Planned(f"{_advice(plan)} {_gain(plan.advice.gain, plan)}", _table(plan))
    lever = next((each for each in plan.levers if each.name == item.note), None)
    if lever is None:
        return None
    told = _curve(plan, lever) if item.ask == ASK_CURVE else f"{_step(plan, lever)} {_effect(plan, lever)}"
    return Planned(told, tag("div", response(plan, lever), class_="pair"))


def _advice(plan: Plan) -> str:
    span = f"compared with what was done {_span(plan)}"
    if not plan.advice.changed:
        return f"Change nothing, {span}: no other plan surely earns more."
    return f"{moves(plan.advice)}; all {span}."


def _table(plan: Plan) -> Html:
    """Narrow enough for a phone: what each brings stands on the cards of the levers."""
    factors = plan.advice.factors
    spent = [(name_of(each.name), each.cost, factors[each.name]) for each in plan.levers]
    now = sum(each.cost for each in plan.levers)
    rows: list[list[str]] = [
        [name, quantity(cost), joined(tag("b", quantity(cost * factor)), tag("small", change_of(factor)))]
        for name, cost, factor in (*spent, ("All together", now, plan.advice.cost / now))
    ]
    return table(f"What is spent{f', {plan.unit}' if plan.unit else ''}", ["", "Now", "Advised"], rows, "numbers")


def _step(plan: Plan, lever: Lever) -> str:
    factor, now = plan.advice.factors[lever.name], quantity(lever.cost, plan.unit)
    if factor == 1:
        return f"Leave {lever.name} as it was {_span(plan)}: {now}."
    then, share = quantity(lever.cost * factor, plan.unit), f"{abs(round(100 * (factor - 1), 1)):g}{THIN}%"
    way = "more" if factor > 1 else "less"
    return f"Spend {share} {way} on {lever.name}: {then}, where {_span(plan)} it was {now}; the dot is where that is."


def _effect(plan: Plan, lever: Lever) -> str:
    if plan.advice.factors[lever.name] == 1:
        return "Other amounts would not surely earn more."
    gain = plan.advice.parts[lever.name]
    pays = " It pays for what is spent elsewhere." if (gain.value or 0.0) < 0 and plan.budget is not None else ""
    return f"{_gain(gain, plan, 'By itself that')}{pays}"


def _curve(plan: Plan, lever: Lever) -> str:
    low, high = (quantity(float(cost), plan.unit) for cost in (lever.costs[0], lever.costs[-1]))
    sure = interval_of(lever.gains(plan.value)[0], plan.confidence).low is not None
    band = (
        f"The shaded band is where the model is {percent(plan.confidence, 0)} sure to find the truth."
        if sure
        else "The model does not say how sure it is."
    )
    return (
        f"The line says how much more, or less, {lever.name} would have earned than it did, after what it costs, had "
        f"you spent from {low} to {high} on it {_span(plan)} and all else been as it was. {band}"
    )


def _gain(gain: Interval, plan: Plan, what: str = "It") -> str:
    """`It should earn 1,200 EUR more than going on as before. The model is 90 % sure of 400 to 2,000 EUR more.`"""
    value = gain.value or 0.0
    start = f"{what} should earn {_more(value, plan.unit)} than going on as before."
    if gain.low is None or gain.high is None:
        return f"{start} The model does not say how sure it is." if plan.advice.changed else ""
    sure = f"The model is {percent(plan.confidence, 0)} sure of"
    if gain.low < 0 < gain.high:
        return f"{start} {sure} anything from {_more(gain.low, plan.unit)} to {_more(gain.high, plan.unit)}."
    ends = sorted((gain.low, gain.high), key=abs)
    return f"{start} {sure} {_rounded(ends[0])} to {_more(ends[1], plan.unit)}."


def _more(amount: float, unit: str) -> str:
    return f"{_rounded(abs(amount), unit)} {'more' if amount >= 0 else 'less'}"


def _rounded(amount: float, unit: str = "") -> str:
    """To two digits: nobody is surer than that."""
    return quantity(abs(float(f"{amount:.2g}")), unit)


def _span(plan: Plan) -> str:
    since, until = (datetime.fromisoformat(each) for each in (plan.since, plan.until))
    return f"from {day_of(since)} to {day_of(until)}"
