"""Hold detectors against histories of known truth, at thresholds by which all of them alarm falsely equally often.

The score is what finding adds to guessing: the share of drifts that are alarmed for, less the share of harmless
histories that are, over the same days. Whoever alarms always, never or by chance scores 0 (Youden 1950).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from totalml.drill.detector import SILENT
from totalml.drill.futures import draw_future
from totalml.drill.history import draw_history
from totalml.drill.monitored import Monitored
from totalml.monitoring.verdict import NONE
from totalml.progress import Progress
from totalml.recipe.drill import HARMLESS
from totalml.workers import Crew

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.drill.detector import Detector
    from totalml.drill.history import History, Pools
    from totalml.recipe import DrillRecipe
    from totalml.recipe.drill import Truth


Step = tuple[str, int]  # a scenario, and the number of the history


@dataclass(frozen=True)
class Outcome:
    """Of one detector in one history.

    Args:
        early: whether it first alarmed before anything happened; then whatever it says later counts for nothing.
        alarm: the day on which it first alarmed, once something happened; None: it did not.
        verdict: what it called that.
        named: the day on which it first called it what it is, there or in a later alarm; None: on none.
    """

    detector: str
    scenario: str
    number: int
    early: bool
    alarm: int | None
    verdict: str
    named: int | None


@dataclass(frozen=True)
class Found:
    """Of one detector in all histories of one scenario.

    Args:
        alarmed: share of the histories that it first alarmed in once something happened; `early`: before.
        delay_days: until half of all histories were alarmed for; 1 is the first day; None: fewer ever were.
        verdicts: what it called them at first -> how often.
        named: share of the histories in which it called it what it is, sooner or later; `named_days` as `delay_days`.
    """

    scenario: str
    truth: Truth
    histories: int
    alarmed: float
    early: float
    delay_days: int | None
    verdicts: dict[str, int]
    named: float
    named_days: int | None


@dataclass(frozen=True)
class Judged:
    """Args:
    threshold: of its evidence; `false_alarms`: share of the calm histories that set it in which it alarms.
    fresh: the same share of as many other calm histories.
    score: see above.
    """

    detector: str
    threshold: float
    false_alarms: float
    fresh: float
    score: float
    found: tuple[Found, ...]


def judge(
    detectors: Sequence[Detector],
    pools: Pools,
    recipe: DrillRecipe,
    truths: Mapping[str, Truth],
    seed: int,
    crew: Crew | None = None,
    progress: Progress | None = None,
) -> tuple[list[Judged], list[Outcome]]:
    """The best first.

    Args:
        truths: scenario -> what is to be found.
        crew: of processes, each of which holds some of the histories; what comes out is the same.
    Raises: DataError: a population has too few samples.
    """
    crew, shown, calm = crew or Crew(), progress or Progress.silent(), recipe.calm_histories
    evidence = _calm(_Held(detectors, pools, recipe, seed), crew, shown)
    stricter = {each.name: each for each in _stricter(detectors, evidence, recipe)}
    if stricter:
        evidence |= _calm(_Held([*stricter.values()], pools, recipe, seed), crew, shown)
    held = _Held([stricter.get(each.name, each) for each in detectors], pools, recipe, seed)
    surest = {name: values[:calm].max(axis=1) for name, values in evidence.items()}
    thresholds = {name: threshold_for(values, recipe.false_alarms) for name, values in surest.items()}
    happens = _Happens(held, thresholds, truths)
    steps = [(scenario, number) for scenario in recipe.scenarios for number in range(recipe.histories)]
    each_of = shown.track(crew.spread(happens, steps, _step_named), "Histories of something", len(steps))
    outcomes = [outcome for some in each_of for outcome in some]
    judged = []
    for name, threshold in thresholds.items():
        own = [each for each in outcomes if each.detector == name]
        found = tuple(_found(scenario, truths[scenario], own, recipe.from_day) for scenario in recipe.scenarios)
        told = float((surest[name] >= threshold).mean())
        over_all, in_drifts = _fresh(evidence[name][calm:], threshold, recipe.from_day)
        judged.append(Judged(name, threshold, told, over_all, _score(found, in_drifts), found))
    return sorted(judged, key=lambda each: -each.score), outcomes


def _calm(held: _Held, crew: Crew, shown: Progress) -> dict[str, NDArray[np.float64]]:
    """Detector -> (2 * calm histories, days) of evidence, where nothing happens."""
    numbers = range(2 * held.recipe.calm_histories)
    every = shown.track(crew.spread(held.calm, numbers, _calm_named), "Histories of nothing", len(numbers))
    return dict(zip((each.name for each in held.detectors), np.stack(list(every), axis=1), strict=True))


def _stricter(
    detectors: Sequence[Detector], evidence: Mapping[str, NDArray[np.float64]], recipe: DrillRecipe
) -> Iterator[Monitored]:
    """Monitors that alarm in too many calm histories under their own budget, under their stricter one."""
    calm = recipe.calm_histories
    for each in detectors:
        if isinstance(each, Monitored) and each.stricter is not None:
            alarmed = (evidence[each.name][:calm] > SILENT).any(axis=1).sum()
            if alarmed > _most_alarmed(recipe.false_alarms, calm):
                yield replace(each, budgets=(each.stricter,), stricter=None)


@dataclass(frozen=True)
class _Held:
    detectors: Sequence[Detector]
    pools: Pools
    recipe: DrillRecipe
    seed: int

    def drawn(self, scenario: str | None, number: int) -> History:
        draw = draw_future if self.recipe.futures else draw_history
        return draw(self.pools, self.recipe, scenario, self.seed, number)

    def calm(self, number: int) -> NDArray[np.float64]:
        """(detectors, days) of evidence, where nothing happens."""
        history = self.drawn(None, number)
        return np.stack([each.evidence(history) for each in self.detectors])


@dataclass(frozen=True)
class _Happens:
    held: _Held
    thresholds: Mapping[str, float]
    truths: Mapping[str, Truth]

    def __call__(self, step: Step) -> list[Outcome]:
        scenario, number = step
        history, found = self.held.drawn(scenario, number), []
        for detector in self.held.detectors:
            alarms = _alarms(detector.evidence(history), self.thresholds[detector.name])
            early = bool(alarms) and alarms[0] < history.began
            called = {} if early else {day: detector.verdict(history, day) for day in alarms}
            alarm, verdict = next(iter(called.items()), (None, NONE))
            named = next((day for day, each in called.items() if each == self.truths[scenario]), None)
            found.append(Outcome(detector.name, scenario, number, early, alarm, verdict, named))
        return found


def _calm_named(number: int) -> str:
    return f"history {number} of nothing"


def _step_named(step: Step) -> str:
    return f"history {step[1]} of {step[0]}"


def threshold_for(surest: NDArray[np.float64], share: float) -> float:
    """The least threshold by which at most that share of histories is alarmed in.

    Args: surest: (H,) the largest evidence of each calm history.
    """
    return float(np.nextafter(np.sort(surest)[::-1][_most_alarmed(share, len(surest))], np.inf))


def _most_alarmed(share: float, histories: int) -> int:
    return math.floor(share * histories + 1e-9)


def _fresh(evidence: NDArray[np.float64], threshold: float, began: int) -> tuple[float, float]:
    """Share of other calm histories that are alarmed in: on any day; first on those on which drifts happen elsewhere.

    Args: evidence: (H, days).
    """
    alarmed = evidence >= threshold
    any_day, before = alarmed.any(axis=1), alarmed[:, :began].any(axis=1)
    return float(any_day.mean()), float((any_day & ~before).mean())


def _alarms(evidence: NDArray[np.float64], threshold: float) -> list[int]:
    """Days, ascending."""
    return [int(day) for day in np.flatnonzero(evidence >= threshold)]


def _found(scenario: str, truth: Truth, outcomes: Sequence[Outcome], began: int) -> Found:
    own = [each for each in outcomes if each.scenario == scenario]
    verdicts: dict[str, int] = {}
    for each in own:
        verdicts[each.verdict] = verdicts.get(each.verdict, 0) + 1
    return Found(
        scenario=scenario,
        truth=truth,
        histories=len(own),
        alarmed=sum(each.alarm is not None for each in own) / len(own),
        early=sum(each.early for each in own) / len(own),
        delay_days=_half([each.alarm for each in own], began),
        verdicts=dict(sorted(verdicts.items())),
        named=sum(each.named is not None for each in own) / len(own),
        named_days=_half([each.named for each in own], began),
    )


def _half(days: Sequence[int | None], began: int) -> int | None:
    """Until half of them are over; the first day is 1."""
    delays = sorted(math.inf if day is None else day - began + 1 for day in days)
    half = delays[(len(delays) - 1) // 2]
    return None if math.isinf(half) else int(half)


def _score(found: Sequence[Found], calm: float) -> float:
    """Args: calm: share of histories in which nothing happens that are alarmed for over the same days."""
    drifts = [each.alarmed for each in found if each.truth not in HARMLESS]
    harmless = [calm, *(each.alarmed for each in found if each.truth in HARMLESS)]
    return (float(np.mean(drifts)) if drifts else 0.0) - float(np.mean(harmless))
