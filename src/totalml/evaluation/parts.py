"""The parts of an evaluation that are stages by themselves: what each needs, makes and depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from totalml.evaluation.explanation.record import Explanation
from totalml.evaluation.out_of_distribution.record import OutOfDistribution
from totalml.evaluation.robustness.record import Robustness
from totalml.evaluation.suites.record import ModelSuites
from totalml.quality.suites.record import AFTER_TRAINING, pages
from totalml.runs.attempt import DEEPCHECKS_FILE, EXPLAINED, OUT_OF_DISTRIBUTION, ROBUSTNESS_FILE
from totalml.stages import Definition, definitions

if TYPE_CHECKING:
    from totalml.data import Snapshot, Splits
    from totalml.evaluation.classification.record import ClassificationEvaluation
    from totalml.evaluation.record import Evaluation
    from totalml.features import FeatureSet
    from totalml.recipe import Recipe
    from totalml.store import Store
    from totalml.training import TrainedModel

TRAINING, EVALUATION = "training", "evaluation"
NOT_ASKED = ""


class Saved(Protocol):
    def save(self, folder: Path) -> None: ...


@dataclass(frozen=True)
class Given:
    """All that a part may look at."""

    recipe: Recipe
    snapshot: Snapshot
    store: Store
    features: FeatureSet
    splits: Splits
    trained: TrainedModel
    evaluation: Evaluation

    @property
    def classified(self) -> ClassificationEvaluation:
        """The evaluation, for parts that only tasks of classes list."""
        return cast("ClassificationEvaluation", self.evaluation)


@dataclass(frozen=True)
class Part:
    """Args:
    name: its key in `evaluation` of the recipe, and the stage.
    field: of the report's content.
    files, also: what it leaves always, and what only sometimes.
    measure: what it does.
    load: reads from a folder what it left.
    before: the stage whose result it is made from.
    reads: further keys of `evaluation` that it looks at.
    of_pictures: whether it gives the model other pictures than those it was made for.
    any_package: whether it may rest on any package that is installed.
    """

    name: str
    field: str
    files: Sequence[str]
    measure: Callable[[Given], Saved]
    load: Callable[[Path], Any]
    before: str = TRAINING
    reads: Sequence[str] = ("confidence",)
    also: Sequence[str] = ()
    of_pictures: bool = True
    any_package: bool = False

    def why_not(self, recipe: Recipe) -> str | None:
        """Why it is left out; None if the recipe asks for it and it can be done."""
        if getattr(recipe.evaluation, self.name) is None:
            return NOT_ASKED
        if self.of_pictures and recipe.model.module is not None:
            return "a LightningModule of the recipe trains the model"
        if self.of_pictures and recipe.model.image is None:
            return "the model sees no pictures"
        if self.name not in recipe.task.parts:
            return f"the task, {recipe.task.name}, has no classes"
        return None

    def definition(self, recipe: Recipe, done: Mapping[str, Definition], facts: Mapping[str, Any]) -> Definition:
        """Args: done: the stages before it, by name."""
        whole = definitions.part(self.name, recipe, done[self.before], facts, self.reads)
        return definitions.with_every_package(whole, facts) if self.any_package else whole


def _explain(given: Given) -> Saved:
    from totalml.evaluation.explanation.measure import explain

    recipe, rows = given.recipe, given.splits.test
    return explain(recipe, given.trained, given.features, given.snapshot.samples, given.store, rows, given.classified)


def _robustness(given: Given) -> Saved:
    from totalml.evaluation.robustness.measure import measure_robustness

    return measure_robustness(given.recipe, given.trained, given.features, given.splits.test)


def _out_of_distribution(given: Given) -> Saved:
    from totalml.evaluation.out_of_distribution.measure import measure_out_of_distribution

    return measure_out_of_distribution(given.recipe, given.trained, given.features, given.splits)


def _suites(given: Given) -> Saved:
    from totalml.evaluation.suites.measure import ask_suites

    return ask_suites(given.recipe, given.snapshot, given.features, given.splits, given.classified)


PARTS = (
    Part("explanation", "explanation", EXPLAINED, _explain, Explanation.load, reads=("bootstrap", "confidence")),
    Part("robustness", "robustness", [ROBUSTNESS_FILE], _robustness, Robustness.load),
    Part(
        "out_of_distribution", "out_of_distribution", OUT_OF_DISTRIBUTION, _out_of_distribution, OutOfDistribution.load
    ),
    Part(
        "deepchecks",
        "suites",
        [DEEPCHECKS_FILE],
        _suites,
        ModelSuites.load,
        EVALUATION,
        (),
        pages(AFTER_TRAINING),
        of_pictures=False,
        any_package=True,
    ),
)


def asked_and_left_out(recipe: Recipe) -> tuple[list[Part], list[str]]:
    """The parts that are done, and a line for each reason why others that the recipe asks for are not."""
    asked: list[Part] = []
    by_reason: dict[str, list[str]] = {}
    for part in PARTS:
        if (reason := part.why_not(recipe)) is None:
            asked.append(part)
        elif reason != NOT_ASKED:
            by_reason.setdefault(reason, []).append(f"evaluation.{part.name}")
    return asked, [
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} left out, because {reason}"
        for reason, names in by_reason.items()
    ]
