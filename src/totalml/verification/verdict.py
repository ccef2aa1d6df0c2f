"""Did the same come out, and if not, where did the two runs part?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from totalml.identity import short
from totalml.runs.attempt import Attempt
from totalml.training.history import TrainedModel, read_steps
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.comparison.compared import Comparison
    from totalml.recipe import Tolerance

Outcome = Literal["identical", "within tolerance", "different"]
# What a second run is told anyway, so that it says nothing.
OUR_KEYS = {"runtime.store", "runtime.runs", "runtime.rerun", "runtime.progress", "data.snapshot", "tracking.mode"}


@dataclass(frozen=True)
class Stage:
    """Args:
    same: bit for bit.
    told: how, in a few words.
    """

    name: str
    same: bool
    told: str


@dataclass(frozen=True)
class Verdict:
    """Args:
    stages: data, features, training, evaluation.
    metric: the largest difference of any metric; None if one side lacks one that the other has.
    probability: the largest difference of any predicted probability; None if the samples are not the same.
    """

    name: str
    outcome: Outcome
    stages: tuple[Stage, ...]
    metric: float | None
    probability: float | None

    @property
    def reproduced(self) -> bool:
        return self.outcome != "different"

    @property
    def first(self) -> Stage | None:
        """Where the two runs part."""
        return next((stage for stage in self.stages if not stage.same), None)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"first": self.first.name if self.first else None}

    def lines(self, comparison: Comparison) -> Iterator[str]:
        parted = f"; they part in {self.first.name}" if self.first else ""
        yield f"{self.name}: {self.outcome}{parted}"
        width = max(len(stage.name) for stage in self.stages)
        for stage in self.stages:
            yield f"  {stage.name:<{width}}  {'same' if stage.same else 'differs'}: {stage.told}"
        found = list(_not_the_same(comparison))
        yield "Not the same between the two:" if found else "Recipe, data, code, packages and device are the same."
        yield from found


def judge(before: Attempt, again: Attempt, tolerance: Tolerance) -> Verdict:
    """Compare what two finished attempts left."""
    metric, probability = _largest_metric(before, again), _largest_probability(before, again)
    stages = (_data(before, again), *_learnt(before, again), _evaluation(before, again, metric, probability))
    facts = before.facts
    same_question = all(facts[key] == again.facts[key] for key in ("config_hash", "data_hash"))
    within = metric is not None and metric <= tolerance.metrics
    within = within and probability is not None and probability <= tolerance.probabilities
    outcome: Outcome = "different"
    if same_question and all(stage.same for stage in stages):
        outcome = "identical"
    elif same_question and within:
        outcome = "within tolerance"
    return Verdict(f"{facts['name']} {facts['run_id']} attempt {before.number}", outcome, stages, metric, probability)


def _data(before: Attempt, again: Attempt) -> Stage:
    old, new = (attempt.facts["data_hash"] for attempt in (before, again))
    return Stage("data", old == new, short(old) if old == new else f"{short(old)} became {short(new)}")


def _learnt(before: Attempt, again: Attempt) -> tuple[Stage, Stage]:
    old, new = TrainedModel.load(before.folder), TrainedModel.load(again.folder)
    seen = old.features_digest, new.features_digest
    features = Stage("features", seen[0] == seen[1], short(seen[0]) if seen[0] == seen[1] else "other values")
    same = old.weights_digest == new.weights_digest
    return features, Stage("training", same, _steps(before, again, same))


def _steps(before: Attempt, again: Attempt, same: bool) -> str:
    """The loss of a step tells of the weights before it and of its batch."""
    old, new = read_steps(before.folder), read_steps(again.folder)
    if same:
        return f"{counted(len(new), 'step')}, the same weights"
    shared = min(len(old), len(new))
    apart = np.flatnonzero(old[:shared] != new[:shared])
    if len(apart):
        step = int(apart[0])
        return f"from step {step + 1} of {len(old)} on; its loss {old[step]:.6g} is off by {new[step] - old[step]:+.2g}"
    if len(old) != len(new):
        return f"{counted(len(old), 'step')} became {len(new)}; the first {shared} are the same"
    return f"after the last of {counted(len(old), 'step')}: the losses are the same, the weights are not"


def _evaluation(before: Attempt, again: Attempt, metric: float | None, probability: float | None) -> Stage:
    same = before.facts["outputs"]["predictions"] == again.facts["outputs"]["predictions"]
    same = same and metric == 0 and probability == 0  # the files, too: what run.json says of them may be no longer so
    if same:
        return Stage("evaluation", True, "the same predictions and metrics")
    told = "other metrics" if metric is None else f"metrics differ by at most {metric:.3g}"
    told += ", other samples" if probability is None else f", probabilities by {probability:.3g}"
    return Stage("evaluation", False, told)


def _largest_metric(before: Attempt, again: Attempt) -> float | None:
    from totalml.comparison.compared import attempt_metrics

    largest = 0.0
    for change in attempt_metrics(before, again):
        values = [side.value if side else None for side in (change.old, change.new)]
        if values[0] == values[1]:
            continue
        if change.difference is None:
            return None
        largest = max(largest, abs(change.difference))
    return largest


def _largest_probability(before: Attempt, again: Attempt) -> float | None:
    """Of values that are no shares, in deviations of all that was answered."""
    from totalml.evaluation.paired import read_evaluation

    old, new = (read_evaluation(attempt.folder) for attempt in (before, again))
    if old is None or new is None or not new.asks_the_same(old):
        return None
    old, new = (replace(each, predictions=each.predictions.sort_by("id")) for each in (old, new))
    said, told = old.answers(), new.answers()
    if not old.predictions["id"].equals(new.predictions["id"]) or said.shape != told.shape:
        return None
    unit = 1.0 if old.headline_is_share else float(said.std()) or 1.0
    return float(np.abs(said - told).max(initial=0.0)) / unit


def _not_the_same(comparison: Comparison) -> Iterator[str]:
    from totalml.comparison.diff import as_text
    from totalml.comparison.sections import sections

    keys = tuple(change for change in comparison.keys if change.key not in OUR_KEYS)
    metrics = tuple(change for change in comparison.metrics if change.old != change.new)
    told = sections(replace(comparison, keys=keys, metrics=metrics))[1:]  # without the names of the two sides
    if differing := [section for section in told if section.lines]:
        yield as_text(differing)
