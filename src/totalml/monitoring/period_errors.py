"""Whether all series of a period were answered so wrongly at once as hardly any period was, of all that a run knew.

A season that comes at another time is one odd period, or two: to what counts errors it is one fact of many, and it is
over before they add up. So how far each period is from the level of those before it is ranked among the same of every
period that the release knows, some 300 weeks. Most of them the model learnt from: these are taken to be as far off as
the others, by the ratio of their scatter. Beyond the largest twentieth the tail is taken to fall as a power does, as
slowly as any that is met, and the chance is that of a further one of such a tail, its index not known but told by them.

Source: Hill 1975 (excesses over a high value, as logarithms, are exponential).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.errors import DataError
from totalml.evaluation.regression.columns import column
from totalml.labels.columns import PREFIX
from totalml.monitoring.far import how_far
from totalml.monitoring.observations import as_numbers
from totalml.monitoring.table_times import iso
from totalml.monitoring.verdict import OF_PERIODS, Evidence
from totalml.release.log_rows import ANSWER
from totalml.release.periods import medians

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.panel import Panel
    from totalml.monitoring.row_seasons import RowSeasons

    Numbers = NDArray[np.float64]

BEFORE = 13  # periods, whose median is how wrong the model is these days
LEAST_BEFORE = 4
LEAST_JUDGED = 12  # periods that the model did not learn from, to know how much worse it is there
LEAST_KNOWN = 50  # periods to rank one among
TAIL, LEAST_TAIL = 0.05, 5  # of the known ones, that tell how rare one beyond them is
FARTHEST = 1e300  # beyond any error that is meant; differences of two such ones are numbers still
LATELY = 4  # periods, in which what did not come is still looked for


class PeriodErrors:
    """Args:
    level: the chance that a period is found odd where none is.
    seasons: which of them were expected in a period.
    """

    def __init__(self, panel: Panel, level: float, seasons: RowSeasons) -> None:
        self._panel, self._level, self._seasons = panel, level, seasons
        self._targets = [*panel.error_scales]
        whole = [*zip(panel.numbers_of_starts.tolist(), panel.errors, strict=False)]
        each = [_beyond(panel.errors[max(at - BEFORE, 0) : at], values) for at, (_, values) in enumerate(whole)]
        apart = np.array(each).reshape(len(whole), len(self._targets))
        told = ~np.isnan(apart).all(axis=1)
        apart, learnt = apart[told], panel.learnt[: len(whole)][told]
        self._judged = int((~learnt).sum())
        self._usual = _usual(apart[learnt], apart[~learnt])
        self._known = np.sort(
            np.concatenate([_far(apart[~learnt], self._usual[1]), _far(apart[learnt], self._usual[0])])
        )
        self._recent = whole[-BEFORE:]
        self._odd: list[tuple[int, int, float]] = []  # period, place of its target, how far it was off

    def look(self, labelled: pa.Table) -> Evidence:
        """Args: labelled: of a window that is over, with columns of the log and of labels."""
        if lacking := self._lacks():
            return Evidence(OF_PERIODS, False, lacking, level=self._level)
        each = [self._period(number, values) for number, values in self._fresh(labelled)]
        if not each:
            return Evidence(OF_PERIODS, False, "no labels of a whole period came", level=self._level)
        found = [(number, words) for number, _, words in each if words]
        return Evidence(
            detector=OF_PERIODS,
            alarm=bool(found),
            told="; ".join(words for _, words in found) or "all series together err as in the periods before",
            value=min(chance for _, chance, _ in each),
            level=self._level,
            since=iso(self._panel.start(found[0][0])) if found else None,
            facts={"periods": len(self._known), "found": [iso(self._panel.start(number)) for number, _ in found]},
        )

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        recent = [
            [number, [None if np.isnan(each) else each for each in values.tolist()]] for number, values in self._recent
        ]
        return {"targets": self._targets, "recent": recent, "odd": [[*each] for each in self._odd]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of other targets begins anew. Raises: DataError: it is damaged."""
        if state["targets"] == self._targets:
            recent = [(int(number), np.array(values, np.float64)) for number, values in state["recent"]]
            odd = [(int(number), int(place), float(news)) for number, place, news in state["odd"]]
            count = len(self._targets)
            whole = all(each.shape == (count,) for _, each in recent) and all(0 <= place < count for _, place, _ in odd)
            if not whole or len(recent) < min(len(self._recent), 1):
                raise DataError("what the errors of periods kept is of other targets than it says; begin anew")
            self._recent, self._odd = recent, odd

    def _lacks(self) -> str:
        if not self._targets:
            return "the release keeps no errors of its periods, to rank one among: make it anew"
        judged, known = max(LEAST_JUDGED - self._judged, 0), max(LEAST_KNOWN - len(self._known), 0)
        if judged:
            return f"{judged} more periods that the model did not learn from would be needed"
        return f"{known} more periods of the release would be needed" if known else ""

    def _fresh(self, labelled: pa.Table) -> list[tuple[int, Numbers]]:
        """Each period that is new and whole, with (T,) errors."""
        until = self._recent[-1][0]
        columns = {each: (PREFIX + each, ANSWER + column("value", each, self._targets)) for each in self._targets}
        if not len(labelled) or not {name for pair in columns.values() for name in pair} <= {*labelled.column_names}:
            return []
        apart = []
        for target, scale in self._panel.error_scales.items():
            truth, answer = (scale.taken(as_numbers(labelled[name])) for name in columns[target])
            with np.errstate(over="ignore"):
                apart.append(truth - answer)
        values = np.clip(np.stack(apart, axis=1), -FARTHEST, FARTHEST)
        known = ~np.isnan(values).all(axis=1)
        numbers, values = self._panel.numbers(labelled)[known], values[known]
        periods = [int(each) for each in self._panel.whole(numbers) if each > until]
        return [(number, _medians(values[numbers == number])) for number in periods]

    def _period(self, number: int, values: Numbers) -> tuple[int, float, str]:
        """And its chance; and words, if it is odd."""
        news = _beyond(np.array([each for _, each in self._recent]), values)
        self._recent = [*self._recent, (number, values)][-BEFORE:]
        if np.isnan(news).all():
            return number, 1.0, ""
        chance = rarity(self._known, float(_far(news[None], self._usual[1])[0]))
        if chance > self._level:
            return number, chance, ""
        place = int(np.nanargmax(np.abs(news) / self._usual[1]))
        words = self._words(number, place, float(news[place]))
        self._odd = [*(each for each in self._odd if number - each[0] < LATELY), (number, place, float(news[place]))]
        return number, chance, words

    def _words(self, number: int, place: int, news: float) -> str:
        named = self._seasons.within(*(self._panel.start(each) for each in (number, number + 1)))
        beside = f" ({', '.join(named)} expected)" if named else ""
        off = f"{self._off(place, news)} than answered in all series at once"
        told = f"{off} in the period from {self._day(number)}{beside}"
        before = [
            each
            for each in self._odd
            if each[1] == place and number - each[0] < LATELY and math.copysign(1, each[2]) != math.copysign(1, news)
        ]
        if not before:
            return told
        then, _, off_then = before[-1]
        moved = "as if what was expected came later" if news > 0 else "as if what was expected had come earlier"
        return f"{told}, after {self._off(place, off_then)} in that from {self._day(then)}: {moved}"

    def _off(self, place: int, news: float) -> str:
        scale, name = self._panel.error_scales[self._targets[place]], self._targets[place]
        return f"{name} {how_far(scale, news)}"

    def _day(self, number: int) -> str:
        return iso(self._panel.start(number))[:10]


def rarity(known: Numbers, far: float) -> float:
    """The chance that one more of these is as far, exact where they are exchangeable and their tail is of a power.

    Args: known: (K,) ascending, 0 or more.
    """
    count = max(math.ceil(TAIL * len(known)), LEAST_TAIL)
    usual = float(known[-count - 1])
    beyond = float(np.log(known[-count:] / usual).sum()) if usual > 0 else 0.0
    if far <= usual or not beyond:
        return (1 + int((known >= far).sum())) / (1 + len(known))
    return (1 + count) / (1 + len(known)) * float((1 + math.log(far / usual) / beyond) ** -count)


def _beyond(before: Numbers, values: Numbers) -> Numbers:
    """(T,) of a period, beside the median of those before; NaN: too few are known."""
    enough = (~np.isnan(before)).sum(axis=0) >= LEAST_BEFORE if len(before) else np.zeros(len(values), np.bool_)
    return np.where(enough, values - _medians(before), np.nan)


def _medians(values: Numbers) -> Numbers:
    """(T,) of (N, T), NaN where nothing is known."""
    ends = np.array([0, len(values)])
    return np.array([medians(each, ends)[0] for each in values.T])


def _far(apart: Numbers, usual: Numbers) -> Numbers:
    """(P,) the farthest target of (P, T). Args: usual: (T,) how far each is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nan_to_num(np.abs(apart) / usual).max(axis=1, initial=0.0))


def _usual(learnt: Numbers, judged: Numbers) -> tuple[Numbers, Numbers]:
    """(T,) root mean squares of (P, T): of periods that were learnt from, and of others, which are no less."""
    known, other = (
        np.sqrt(np.nansum(each**2, axis=0) / np.maximum((~np.isnan(each)).sum(axis=0), 1)) for each in (learnt, judged)
    )
    return known, np.maximum(known, other)
