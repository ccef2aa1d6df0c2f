"""The first screen: whether all is well, since when, and what to do, in words that need no statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.monitoring.page.causes import meaning_of
from totalml.monitoring.page.detectors import cut
from totalml.monitoring.page.moments import DAY, Axis, in_words, moment
from totalml.monitoring.page.strip import legend, with_times
from totalml.monitoring.verdict import NONE, OF_LABELS, PAGE, SEASON, TOO_FEW, UNKNOWN
from totalml.report.markup import Html, joined, tag
from totalml.report.number_format import times
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked
    from totalml.monitoring.page.content import MonitorContent

DAYS_A_YEAR = 365.25
QUIET = (NONE, SEASON, TOO_FEW)


def summary(content: MonitorContent, axis: Axis, glance: Html) -> Html:
    """Args: glance: a few pictures that show what is the matter; may be empty."""
    return tag(
        "section",
        tag("p", *_sentence(content), class_=f"verdict {_mood(content)}"),
        tag("p", tag("b", "What to do: "), *_to_do(content), class_=f"release {_mood(content)}"),
        joined(with_times(content, axis), legend(content)) if content.looked else "",
        glance,
        tag("ul", *(tag("li", fact) for fact in _facts(content) if fact), class_="facts"),
        _cards(content),
        id="summary",
        aria_label="Summary",
    )


def _sentence(content: MonitorContent) -> list[str]:
    last = content.last
    if last is None:
        when = f"since {in_words(content.earlier)}" if content.earlier else "yet"
        return [tag("strong", f"Nobody has looked {when}."), *_still_open(content)]
    meaning = meaning_of(last.verdict.cause)
    if last.verdict.cause in QUIET and content.alerts:
        told = "The latest window is quiet" if last.verdict.cause != TOO_FEW else "Too little came in the latest window"
        return [tag("strong", "Perhaps not."), f" {told}, but", *_still_open(content)]
    told = meaning.told.format(season=cut(last.verdict.season, 80) or "this season")
    return [tag("strong", meaning.answer), f" {told}, {_since(content, last)}."]


def _still_open(content: MonitorContent) -> list[str]:
    count = len(content.alerts or ())
    return [f" {counted(count, 'alert')} {_is(count)} still open."] if count else []


def _since(content: MonitorContent, last: Looked) -> str:
    spell = next(each for each in reversed(content.spells) if each.last == last)
    if spell.since is None or not spell.alarms:
        return f"since {in_words(moment(spell.start))}"
    return f"since about {in_words(moment(spell.since))}{_between(last, moment(spell.since).year)}"


def _between(last: Looked, year: int) -> str:
    bounds = [each.between for each in last.verdict.evidence if each.alarm and each.between]
    if not bounds:
        return ""
    low, high = (moment(each) for each in (min(low for low, _ in bounds), max(high for _, high in bounds)))
    if high - low <= DAY:
        return ""  # it says nothing that the day does not
    if high - low < 28 * DAY and low.month == high.month and low.hour == high.hour == 0:
        return f" (between {low.day} and {in_words(high, high.year != year)})"
    years = low.year != year or high.year != year
    return f" (between {in_words(low, years)} and {in_words(high, years)})"


def _to_do(content: MonitorContent) -> list[str]:
    last = content.last
    if last is None:
        first = "" if content.earlier else " once the first window is over"
        return [f"Look at what was answered{first}: ", tag("code", _command(content))]
    if last.verdict.cause in QUIET and content.alerts:
        return ["Look at what is open below, and say so where it is settled."]
    meaning = meaning_of(last.verdict.cause)
    command = tag("code", meaning.command.format(model=content.model)) if meaning.command else ""
    return [meaning.to_do, " ", command, _wanted(last)]


def _wanted(last: Looked) -> str:
    labels = last.verdict.of(OF_LABELS)
    number = labels.facts.get("labels_wanted") if labels and last.verdict.cause == UNKNOWN else None
    return f" ({counted(number, 'label')} would do)" if isinstance(number, int) and number > 0 else ""


def _facts(content: MonitorContent) -> list[str]:
    last, alarming = content.last, content.alarming
    if last is None:
        return _before_the_first(content)
    facts = [] if last.verdict.cause == NONE else [cut(last.verdict.told)]  # the sentence says it
    if alarming and alarming[-1] is not last:
        ended, cause = alarming[-1], alarming[-1].verdict.cause
        facts.append(f"The latest alarm was {cause}, in the window until {in_words(moment(ended.end))}.")
    if content.settings is not None:
        a_year = content.settings.false_alarms_per_year
        days = sum((moment(each.end) - moment(each.start)) / DAY for each in content.looked)
        shown = times(float(f"{a_year * days / DAYS_A_YEAR:.2g}"))
        facts.append(
            f"All tests together may alarm for nothing {times(a_year)} a year, so about {shown} in the windows shown. "
            f"There {_were(_alarms(content))}."
        )
    facts += [f"Looked at last until {in_words(moment(last.end))}.", _unseen(content), _late(content)]
    return facts


def _before_the_first(content: MonitorContent) -> list[str]:
    came = f"{counted(content.unseen, 'row')} came so far." if content.unseen else ""
    if content.settings is None:
        return [came]
    return [came, f"A window is {content.settings.window.hours:g} hours long, and is looked at once it is over."]


def _unseen(content: MonitorContent) -> str:
    if not content.unseen:
        return ""
    came = counted(content.unseen, "row")
    return f"Nobody has looked at {came} that came after that: {_command(content)} does."


def _late(content: MonitorContent) -> str:
    if not content.late:
        return ""
    came = counted(content.late, "row")
    return f"Nobody has looked at {came} that came only after the window of their time: totalml monitor backtest does."


def _cards(content: MonitorContent) -> Html:
    late = f"{content.late:,} came too late" if content.late else ""
    cards = [
        ("Windows looked at", f"{len(content.looked):,}", ""),
        ("Rows", f"{sum(each.rows for each in content.looked):,}", late),
        ("Labels", f"{sum(each.labels for each in content.looked):,}", "said what was true"),
        ("Alarms", f"{_alarms(content):,}", f"in {counted(len(content.alarming), 'window')}"),
    ]
    if content.alerts is not None:
        pages = sum(each.get("severity") == PAGE for each in content.alerts)
        cards.append(("Open alerts", f"{len(content.alerts):,}", f"{pages:,} to be seen to at once" if pages else ""))
    return tag("dl", *(_card(*each) for each in cards), class_="cards")


def _card(title: str, value: str, small: str) -> Html:
    return tag("div", tag("dt", title), tag("dd", tag("b", value), tag("small", small) if small else ""))


def _alarms(content: MonitorContent) -> int:
    """What lasted for several windows is one."""
    return sum(each.alarms for each in content.spells)


def _mood(content: MonitorContent) -> str:
    last = content.last
    if last is None or (last.verdict.cause == TOO_FEW and not content.alerts):
        return "open"
    return "no" if content.alerts or last.verdict.alarms else "yes"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _were(alarms: int) -> str:
    return f"{'was' if alarms == 1 else 'were'} {counted(alarms, 'alarm') if alarms else 'none'}"


def _command(content: MonitorContent) -> str:
    return f"totalml monitor {content.asked or content.deployment or content.model}"
