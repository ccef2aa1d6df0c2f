"""The first screen of `compare.html`: which run is better, in words for somebody who never saw such a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.comparison.figures import step
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.report.number_format import MISSING, TITLES, figure, of_hundred, points
from totalml.values import shown
from totalml.values.keys import ABSENT
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.comparison.side_by_side import SideBySide
    from totalml.comparison.slices import SliceChange
    from totalml.evaluation.paired import Paired
    from totalml.runs.attempt import Attempt
    from totalml.values.keys import KeyChange

MOST_KEYS = 3
MOST_GROUPS = 3
MOST_CLASSES = 3
NAME_LENGTH = 60
NOT_THE_SAME = "they were not tested on the same samples with the same labels"
RUNS_HEAD = ["Here", "Recipe", "Run", "Attempt", "Ended, UTC"]


def summary(names: Sequence[str], attempts: Sequence[Attempt], others: Sequence[SideBySide]) -> Html:
    text = (
        f"Each run trained a model. They are called {', '.join(names[:-1])} and {names[-1]} here; {names[0]} is the "
        "one that the others are held against."
    )
    told = [tag("div", *_of(names[0], name, beside)) for name, beside in zip(names[1:], others, strict=True)]
    return section("summary", "Summary", tag("p", text), *told, _runs(names, attempts))


def _of(first: str, name: str, beside: SideBySide) -> list[Html]:
    facts = [_samples(first, name, beside.paired), _asked(first, name, beside), _classes(beside), _groups(beside)]
    listed = tag("ul", *(tag("li", fact) for fact in facts if fact), class_="facts")
    return [_verdict(first, name, beside), listed]


def _verdict(first: str, name: str, beside: SideBySide) -> Html:
    paired = beside.paired
    if paired is None:
        return _told(f"{name} cannot be held against {first}", NOT_THE_SAME)
    named, now, was = _headline(beside, paired)
    right = paired.figure == "accuracy"
    both = f"{name} {'is right' if right else 'has'} {named} {now}, {first} {was}"
    if not paired.gained and not paired.lost:
        alike = "are right on the same samples" if paired.share else "answer alike"
        return _told(f"{name} and {first} {alike}", both)
    if not paired.clear:
        return _told(f"{name} and {first} cannot be told apart", both)
    if right:
        word = f"is right {'more' if paired.difference > 0 else 'less'} often"
    else:
        word = f"answers {'better' if paired.difference > 0 else 'worse'}"
    return _told(f"{name} {word} than {first}", f"{named} {now} instead of {was}", "verdict")


def _told(verdict: str, figures: str, kind: str = "verdict unclear") -> Html:
    return tag("p", tag("strong", verdict), f": {figures}.", class_=kind)


def _headline(beside: SideBySide, paired: Paired) -> tuple[str, str, str]:
    """What was tested, its value now, and before."""
    given = next((change for change in beside.metrics if change.name == paired.figure), None)
    values = [side.value if side else None for side in ((given.new, given.old) if given else (None, None))]
    right = paired.figure == "accuracy"
    shown = [
        MISSING if value is None else of_hundred(value, paired.count) if right else figure(paired.figure, value)
        for value in values
    ]
    return "on" if right else TITLES.get(paired.figure, paired.figure), shown[0], shown[1]


def _samples(first: str, name: str, paired: Paired | None) -> Html:
    if paired is None:
        return Html("")
    unit = " points" if paired.share else ""
    bounds = f"{step(paired.figure, paired.low)} to {step(paired.figure, paired.high)}{unit}"
    better, worse = (
        ("right that {} gets wrong", "wrong that {} gets right") if paired.share else ("closer than {}", "farther off")
    )
    means = "" if paired.clear else ", which chance alone explains"
    return joined(
        f"Of {counted(paired.count, 'test sample')}, {name} gets {paired.gained:,} {better.format(first)}, and "
        f"{paired.lost:,} {worse.format(first)} (",
        tag("a", "see them", href="#pictures"),
        f"). With other samples the difference would be {bounds} in 19 of 20 such tests{means}.",
    )


def _asked(first: str, name: str, beside: SideBySide) -> Html:
    changes = [change for change in beside.keys if change.counts]
    if not changes:
        return joined(f"Asked the same as {first}.")
    told = [_key(change) for change in changes[:MOST_KEYS]]
    more = len(changes) - len(told)
    rest = joined(" and ", tag("a", f"{more} more", href="#keys")) if more > 0 else ""
    return joined("Asked otherwise: ", Html(", ".join(told)), rest, ".")


def _key(change: KeyChange) -> Html:
    values = (name_of("not there" if each is ABSENT else shown.value(each), 40) for each in (change.old, change.new))
    return joined(tag("code", name_of(shown.visible(change.key))), " ", Html(" became ".join(values)))


def _classes(beside: SideBySide) -> Html:
    """The classes whose own interval tells a change, the most harmed first."""
    changes = [change for change in beside.classes if change.paired.clear]
    told = [
        joined(
            tag("strong", name_of(change.label, NAME_LENGTH)),
            f" is recognised {'more' if change.paired.difference > 0 else 'less'} often "
            f"({points(change.paired.difference)} points)",
        )
        for change in changes[:MOST_CLASSES]
    ]
    if not told:
        return Html("")
    more = f" and {len(changes) - len(told)} more" if len(changes) > len(told) else ""
    return joined(Html(", ".join(told)), more, ". ", tag("a", "All classes", href="#classes"), ".")


def _groups(beside: SideBySide) -> Html:
    clear_ones = beside.slices.clear() if beside.slices else []
    told = [_named(word, [one for one in clear_ones if getattr(one, word)]) for word in ("worse", "better")]
    told = [one for one in told if one]
    return joined(Html("; ".join(told)), ". ", tag("a", "All groups", href="#groups"), ".") if told else Html("")


def _named(word: str, changes: Sequence[SliceChange]) -> Html:
    if not changes:
        return Html("")
    named = [name_of(one.name, NAME_LENGTH) for one in changes[:MOST_GROUPS]]
    more = f" and {len(changes) - MOST_GROUPS} more" if len(changes) > MOST_GROUPS else ""
    return joined(tag("strong", f"clearly {word}"), " for ", Html(", ".join(named)), more)


def _runs(names: Sequence[str], attempts: Sequence[Attempt]) -> Html:
    rows: list[list[str]] = [
        [
            tag("b", name),
            name_of(attempt.facts["name"]),
            tag("code", attempt.facts["run_id"]),
            str(attempt.number),
            str(attempt.facts.get("ended", MISSING)).replace("T", " ")[:16],
        ]
        for name, attempt in zip(names, attempts, strict=True)
    ]
    return joined(tag("h3", "The runs"), table("Where to find them", RUNS_HEAD, rows))
