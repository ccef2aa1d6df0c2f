"""How many false alarms are put up with, what that leaves each test, and what the monitor was told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from totalml.monitoring.budget import OF_SERIES, SHARES, WITH_LEVERS, Budget
from totalml.monitoring.page.detectors import question, title
from totalml.monitoring.verdict import OF_LABELS, OF_LEVERS, OF_PERIODS, OF_STREAM
from totalml.monitoring.verdict import found as found_by
from totalml.report.markup import Html, name_of, section, table, tag
from totalml.report.number_format import MISSING, percent, quantity
from totalml.values.shown import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totalml.monitoring.page.content import MonitorContent

HOURS_A_DAY = 24
PERIODS = {1.0: "days", 7.0: "weeks"}  # by their days
AFTER_EVERY_ROW = (OF_LABELS, OF_STREAM, OF_LEVERS)


def promise(content: MonitorContent) -> Html | str:
    settings = content.settings
    if settings is None:
        return ""
    days = settings.window.hours / HOURS_A_DAY
    asked = {each.detector for one in content.looked for each in one.verdict.evidence}
    shares = WITH_LEVERS if OF_LEVERS in asked else OF_SERIES if OF_PERIODS in asked else SHARES
    budget = Budget(settings.false_alarms_per_year, content.rows_per_day or 1.0, days, shares)
    lead = (
        "A test that is asked often enough alarms some day for nothing. So a budget is shared out among the tests, and "
        "each is set so strictly that it keeps its share."
    )
    found = {name: sum(found_by(each.verdict.evidence, name) for each in content.looked) for name in shares}
    rows: list[list[str]] = [
        [
            title(name),
            question(name),
            percent(share, 0),
            _rarely(budget, name, content),
            counted(found[name], "window"),
        ]
        for name, share in shares.items()
    ]
    head = ["Test", "What it asks", "Of the budget", "Alarms for nothing", "Found something in"]
    caption = f"{quantity(settings.false_alarms_per_year)} false alarms a year, all tests together"
    return section("promise", "What is promised", tag("p", lead), table(caption, head, rows), _settings(content))


def _rarely(budget: Budget, name: str, content: MonitorContent) -> str:
    if not budget.shares[name]:
        return "it is not asked"
    years = f"once in {1 / (budget.false_alarms_per_year * budget.shares[name]):.3g} years"
    if name in AFTER_EVERY_ROW:
        if content.period_days:
            by_period = replace(budget, rows_per_day=1 / content.period_days)
            return f"{years}, {quantity(by_period.run_length(name))} {PERIODS.get(content.period_days, 'periods')}"
        return f"{years}, {quantity(budget.run_length(name))} rows" if content.rows_per_day else years
    return f"{years}, 1 in {1 / budget.level(name):,.0f} windows"


def _settings(content: MonitorContent) -> Html:
    settings = content.settings
    if settings is None:
        return Html("")
    per_day, window = content.rows_per_day, settings.window
    rows: list[tuple[str, str]] = [
        (
            "window",
            f"{window.hours:g} hours, {window.rows:,} to {counted(window.most, 'row')}",
        ),
        ("rows expected a day", quantity(per_day) if per_day else MISSING),
        ("comes together by", name_of(settings.unit) if settings.unit else "each sample by itself"),
        ("populations", _names(settings.populations)),
        ("groups", _names(settings.slices)),
        ("set by people", _names(settings.levers)),
        ("counts as worse", f"from {percent(settings.margin)} more errors"),
        ("labels are looked for", f"within {counted(settings.labels_within_days, 'day')}"),
    ]
    listed = [tag("div", tag("dt", name), tag("dd", value)) for name, value in rows]
    return tag("details", tag("summary", "What the monitor was told"), tag("dl", *listed, class_="ids"))


def _names(columns: Sequence[str]) -> Html | str:
    return Html(", ".join(name_of(each) for each in columns)) if columns else MISSING
