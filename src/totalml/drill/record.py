"""What a drill came to, as it is kept in the folder of its attempt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from totalml.component import plain
from totalml.drill.judgement import Found, Judged
from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import gap_bounds, wilson, z_of
from totalml.identity import canonical, digest
from totalml.runs.attempt import DRILL_FILE
from totalml.store.atomic import write_json

if TYPE_CHECKING:
    from totalml.drill.history import Pools
    from totalml.recipe import DrillRecipe, Recipe, ScenarioRecipe
    from totalml.recipe.drill import Truth

SCHEMA = 2
SETTINGS = "drill v1"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Measured:
    """How often the model is right on a population.

    Args: loss: of accuracy, to the base; in -1..1.
    """

    population: str
    samples: int
    accuracy: Interval
    loss: Interval


@dataclass(frozen=True)
class DrillRecord:
    """Args:
    held_with: digest of the settings of drill and monitoring.
    release: hash of the release that was drilled.
    truths: scenario -> what was to be found, which says `concept` where a new covariate was found to hurt.
    judged: the best detector first.
    """

    held_with: str
    release: str
    measured: tuple[Measured, ...]
    truths: dict[str, Truth]
    judged: tuple[Judged, ...]

    def save(self, folder: Path) -> None:
        write_json(folder / DRILL_FILE, {"schema": SCHEMA, **asdict(self)})

    @classmethod
    def load(cls, folder: Path, recipe: Recipe) -> Self | None:
        """None: there is none, or of other settings, or none that this version reads; it is then made again."""
        try:
            values = json.loads((folder / DRILL_FILE).read_text(encoding="utf-8"))
            return cls._of(values) if values["schema"] == SCHEMA and values["held_with"] == held_with(recipe) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> Self:
        measured = (
            Measured(each["population"], each["samples"], Interval(**each["accuracy"]), Interval(**each["loss"]))
            for each in values["measured"]
        )
        judged = (
            Judged(**{**each, "found": tuple(Found(**one) for one in each["found"])}) for each in values["judged"]
        )
        return cls(values["held_with"], values["release"], tuple(measured), values["truths"], tuple(judged))


def held_with(recipe: Recipe) -> str:
    """What is watched counts for no config hash, and yet for the drill."""
    return digest(SETTINGS, canonical([plain(part, where=True) for part in (recipe.drill, recipe.monitoring)]))


def measure(pools: Pools, drill: DrillRecipe) -> tuple[Measured, ...]:
    """Of each population, in the order of the recipe."""
    z = z_of(CONFIDENCE)
    right = {name: np.array([(~pools.wrong[rows]).sum()]) for name, rows in pools.rows.items()}
    count = {name: np.array([len(rows)]) for name, rows in pools.rows.items()}
    found, base = [], drill.base
    for name in pools.rows:
        accuracy, others = float((right[name] / count[name])[0]), float((right[base] / count[base])[0])
        low, high = wilson(right[name], count[name], z)
        least, most = gap_bounds(right[base], count[base], right[name], count[name], z)
        loss = Interval(others - accuracy, float(least[0]), float(most[0]))
        found.append(Measured(name, int(count[name][0]), Interval(accuracy, float(low[0]), float(high[0])), loss))
    return tuple(found)


def truths_of(measured: tuple[Measured, ...], drill: DrillRecipe) -> dict[str, Truth]:
    """A new covariate on which the model surely errs more often is a concept: its answers no longer hold.

    More often than on what was expected then: a season that the model knows badly is no news.
    """
    known = {each.population: each for each in measured}
    return {name: _truth(each, known, drill) for name, each in drill.scenarios.items()}


def _truth(scenario: ScenarioRecipe, known: Mapping[str, Measured], drill: DrillRecipe) -> Truth:
    usual, now = (known[name or drill.base] for name in (scenario.expected, scenario.population))
    right = [np.array([round((each.accuracy.value or 0.0) * each.samples)]) for each in (usual, now)]
    count = [np.array([each.samples]) for each in (usual, now)]
    least, _ = gap_bounds(right[0], count[0], right[1], count[1], z_of(CONFIDENCE))
    return "concept" if scenario.truth == "new covariate" and least[0] > drill.harm else scenario.truth
