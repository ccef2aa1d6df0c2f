"""The plan, for whoever decides about the levers: what to do, what it brings, and what nobody knows yet."""

from collections.abc import Callable, Iterator

from totalml.evaluation.interval import Interval
from totalml.plan.advise import Advice
from totalml.plan.certainty import interval_of
from totalml.plan.experiment import Design, Experiment
from totalml.plan.lever import Lever
from totalml.plan.record import Plan
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import THIN, percent, quantity
from totalml.report.plan_charts import brought, curves
from totalml.terminal import aligned
from totalml.values.shown import counted

TENTH = 0.1
DAY_S, WEEK_S = 86_400.0, 604_800.0
MOST_NAMED = 30
MARKED_DOWN = "marked down"
SEEN = 1e-3  # of the promise; less is lost in rounding
PLANS = 4  # of the horizon: about a year of quarters


def told(content: ReportContent) -> Html | str:
    """The advice in one sentence for the first screen."""
    if content.plan is None:
        return ""
    return joined(tag("strong", sentence(content.plan)), " ", tag("a", "See the plan", href="#plan"), ".")


def sentence(plan: Plan) -> str:
    """`Spend more on tv and less on radio: that brings +1,200 EUR more (400 to 2,000 EUR at 90 %).`"""
    advice = plan.advice
    if advice.kind == "nothing":
        return "Change nothing: no other plan surely earns more."
    brings = f"{quantity(advice.gain.value or 0.0, plan.unit, '+')}{_within(advice.gain, plan)}"
    words = moves(advice)
    match advice.kind:
        case "change":
            return f"{words}: that brings {brings}."
        case "forced":
            return f"What is done now is beyond budget or bounds. Within them, {_lower(words)}: that brings {brings}."
        case _:
            guess = f"{_lower(words)}, which would bring {brings}"
            return f"The model does not say how sure it is. Its best guess: {guess}."


def lines(plan: Plan) -> list[str]:
    """The table of the plan, as text to print."""
    head = ["lever", "change", "brings by itself", "now", "advised"]
    *levers, together = (
        [name or "all", change, f"{quantity(gain.value or 0.0, plan.unit, '+')}{_within(gain, plan)}", *amounts]
        for name, change, gain, *amounts in _rows(plan)
    )
    between = [[name, "", quantity(amount, plan.unit, "+"), "", ""] for name, amount in _between(plan.advice)]
    marked = [_marked_down(plan.advice, plan)] if any(name == MARKED_DOWN for name, *_ in between) else []
    return [*aligned([head, *levers, *between, together]), *marked]


def _between(advice: Advice) -> list[tuple[str, float]]:
    """What lies between the sum of what the levers bring and what they bring together, where it does."""
    met = advice.promised - sum(part.value or 0.0 for part in advice.parts.values())
    amounts = {"as they meet": met, MARKED_DOWN: (advice.gain.value or 0.0) - advice.promised}
    return [(name, amount) for name, amount in amounts.items() if abs(amount) > SEEN * abs(advice.promised)]


def plan(content: ReportContent) -> Html | str:
    """The section."""
    record = content.plan
    if record is None:
        return ""
    unit = f" ({record.target_unit})" if record.target_unit else ""
    lead = (
        f"What would have come of it, had each lever been so many times what it was from {record.since[:10]} to "
        f"{record.until[:10]} ({counted(record.rows, content.noun)}). One unit of {record.target}{unit} is taken to be "
        f"worth {quantity(record.value, record.unit)}; what a plan brings is what it earns more, less what it costs "
        f"more. {_budget(record)}"
    )
    drawn = "What an amount brings, by itself, against what is done now"
    shown = f"The band is the interval at {percent(record.confidence, 0)}, and the" if record.members else "The"
    return section(
        "plan",
        "What to do",
        tag("p", lead),
        _table(record),
        tag("p", _how_sure(record)),
        _truth(record),
        tag("h3", "What a tenth more or less of each does"),
        _tenths(record),
        tag("h3", "What comes of each"),
        tag("p", f"{drawn}. {shown} dot what is advised."),
        curves(record),
        tag("h3", "What each brought"),
        brought(record),
        tag("h3", "What to try next"),
        _experiment(record),
    )


def _rows(record: Plan) -> Iterator[tuple[str, str, Interval, str, str]]:
    """Of each lever the change, what that brings, what is spent now and as advised; last of all, without a name."""
    advice, unit = record.advice, record.unit
    for lever in record.levers:
        factor = advice.factors[lever.name]
        amounts = (quantity(lever.cost, unit), quantity(lever.cost * factor, unit))
        yield lever.name, change_of(factor), advice.parts[lever.name], *amounts
    now = sum(lever.cost for lever in record.levers)
    yield "", change_of(advice.cost / now), advice.gain, quantity(now, unit), quantity(advice.cost, unit)


def _table(record: Plan) -> Html:
    rows: list[list[str]] = [
        [name_of(name) if name else tag("b", "All together"), change, _figure(gain, record), *amounts]
        for name, change, gain, *amounts in _rows(record)
    ]
    head = ["Lever", "Change", "What that brings", "Now", "Advised"]
    return table("The plan; each lever by itself, and all together", head, rows, "numbers")


def _tenths(record: Plan) -> Html:
    rows: list[list[str]] = [
        [name_of(lever.name), *(_moved(record, lever, 1 + step) for step in (-TENTH, TENTH))] for lever in record.levers
    ]
    return table("What it brings, by itself", ["Lever", "A tenth less", "A tenth more"], rows, "numbers")


def _moved(record: Plan, lever: Lever, factor: float) -> str:
    if not lever.factors[0] <= factor <= lever.factors[-1]:
        return "not asked"
    return _figure(interval_of(lever.gain_at(factor, record.value), record.confidence), record)


def _how_sure(record: Plan) -> str:
    advice, tried = record.advice, record.tried
    if not record.members:
        return "The model does not say how sure it is, so that nothing here has an interval, and the plan may lose."
    found = f"Intervals are at {percent(record.confidence, 0)}, by {counted(record.members, 'member')} of the model."
    looked = advice if advice.changed else tried
    if looked is not None:
        found += f" {_marked_down(looked, record)}"
    if tried is None:
        return found
    brings = f"{quantity(tried.gain.value or 0.0, record.unit, '+')}{_within(tried.gain, record)}"
    return f"{found} {moves(tried)} looks better still, but may as well lose: it brings {brings}."


def _marked_down(advice: Advice, record: Plan) -> str:
    less = quantity(advice.promised - (advice.gain.value or 0.0), record.unit)
    return (
        f"The best of many plans looks better than it is: the sum is marked down by {less} for that, but its interval "
        "reaches above what was promised; what each lever brings by itself is not marked down."
    )


def _truth(record: Plan) -> Html | str:
    truth = record.truth
    if truth is None:
        return ""
    share = "" if truth.regret_share is None else f" ({percent(truth.regret_share, 0)} of it)"
    return tag(
        "p",
        f"The truth is known here: the plan brings {quantity(truth.gain, record.unit, '+')}, the best one within the "
        f"same bounds {quantity(truth.best_gain, record.unit, '+')}; {quantity(truth.regret, record.unit)} is "
        f"missed{share}.",
    )


def _experiment(record: Plan) -> Html:
    found = record.experiment
    if found is None:
        why = "it does not say how sure it is" if not record.members else "no plan would be another one"
        return tag("p", f"The model names no experiment: {why}.")
    order = sorted(found.worth.items(), key=lambda each: -each[1])
    worth: list[list[str]] = [[name_of(name), quantity(value, record.unit)] for name, value in order]
    known = table("What it is worth to know what a lever brings", ["Lever", "Worth"], worth, "numbers")
    return joined(tag("p", _design(record, found)), _where(found.design), known)


def _design(record: Plan, found: Experiment) -> Html:
    design, worth = found.design, found.worth[found.lever]
    dear = design is not None and design.costs > PLANS * worth
    lead = joined(
        tag("b", f"No experiment pays: the best costs more than it is worth within {PLANS} such times. ")
        if dear
        else "",
        "Of ",
        name_of(found.lever),
        f" it is worth most to know more: {quantity(worth, record.unit)} over a time as long as that of this plan. "
        f"{'It would be set' if dear else 'Set it'} to {change_of(found.factor)}",
    )
    if design is None:
        return joined(lead, " where you can tell what comes of it. No column says which samples can be told apart.")
    for_long = f"{design.periods} {_periods(design.period_s, design.periods)}"
    costs = f"{'costs' if design.costs >= 0 else 'earns'} about {quantity(abs(design.costs), record.unit)} meanwhile"
    beside = f"{len(design.unchanged)} left as they are"
    return joined(
        lead,
        f" for {for_long} in {len(design.changed)} places, {beside}. Its effect is then known twice as well; "
        f"it {costs}.",
    )


def _where(design: Design | None) -> Html | str:
    if design is None:
        return ""
    changed, unchanged = (
        Html(", ".join(name_of(name) for name in names[:MOST_NAMED]) + (" ..." if len(names) > MOST_NAMED else ""))
        for names in (design.changed, design.unchanged)
    )
    return tag("details", tag("summary", "Which"), tag("p", "Change ", changed, "; leave ", unchanged, "."))


def _periods(seconds: float, count: int) -> str:
    known = {DAY_S: "day", WEEK_S: "week"}
    noun = known.get(seconds, f"periods of {seconds / DAY_S:.3g} days")
    return noun if count == 1 or seconds not in known else f"{noun}s"


def _budget(record: Plan) -> str:
    if record.budget is None:
        return "It may cost whatever pays."
    return f"All together may cost {quantity(record.budget, record.unit)} at most."


def moves(advice: Advice) -> str:
    """`Spend more on tv and less on radio`."""

    def named(which: Callable[[float], bool]) -> str:
        names = [f"{name} ({change_of(factor)})" for name, factor in advice.factors.items() if which(factor)]
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

    more, less = named(lambda factor: factor > 1), named(lambda factor: factor < 1)
    parts = [f"more of {more}" if more else "", f"less of {less}" if less else ""]
    words = "; ".join(part for part in parts if part) or "as it is"
    return words[0].upper() + words[1:]


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def change_of(factor: float) -> str:
    return "as now" if factor == 1 else f"{quantity(round(100 * (factor - 1), 1), '', '+')}{THIN}%"


def _figure(figure: Interval, record: Plan) -> str:
    value = tag("b", quantity(figure.value or 0.0, record.unit, "+"))
    if figure.low is None or figure.high is None:
        return value
    return joined(value, tag("small", f"{quantity(figure.low)} to {quantity(figure.high, record.unit)}"))


def _within(figure: Interval, record: Plan) -> str:
    if figure.low is None or figure.high is None:
        return ""
    bounds = f"{quantity(figure.low)} to {quantity(figure.high, record.unit)}"
    return f" ({bounds} at {percent(record.confidence, 0)})"
