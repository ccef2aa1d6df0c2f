"""Windows in a row of which a monitor said the same, as one: what lasted a week is told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked


@dataclass(frozen=True)
class Spell:
    """Args:
    looked: windows of one release and one cause, the oldest first; at least one.
    """

    looked: tuple[Looked, ...]

    @property
    def cause(self) -> str:
        return self.looked[0].verdict.cause

    @property
    def start(self) -> str:
        return self.looked[0].start

    @property
    def end(self) -> str:
        return self.looked[-1].end

    @property
    def last(self) -> Looked:
        return self.looked[-1]

    @property
    def alarms(self) -> bool:
        return any(each.verdict.alarms for each in self.looked)

    @property
    def since(self) -> str | None:
        """The earliest that a verdict of it names; None: none names any."""
        return min((each.verdict.since for each in self.looked if each.verdict.since), default=None)


def spells(looked: Sequence[Looked]) -> list[Spell]:
    """In the order in which they ended last; windows of releases that answer side by side are told apart."""
    under_way: dict[str, list[Looked]] = {}
    over: list[Spell] = []
    for each in looked:
        run = under_way.setdefault(each.release, [])
        if run and run[-1].verdict.cause != each.verdict.cause:
            over.append(Spell(tuple(run)))
            run.clear()
        run.append(each)
    over += [Spell(tuple(run)) for run in under_way.values()]
    return sorted(over, key=lambda spell: (spell.end, spell.start))
