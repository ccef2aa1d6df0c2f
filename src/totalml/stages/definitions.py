"""What the result of each stage depends on: its part of the recipe, what stands above it, and what it was made with.

A part that is left out here would let a stage be reused wrongly; one too many only costs time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from totalml.component import Section, components, plain
from totalml.fingerprint import moving
from totalml.kinds import Check
from totalml.stages.stage_cache import Definition

if TYPE_CHECKING:
    from totalml.recipe import Recipe

# Parts of the evaluation that are stages of their own.
OF_THEIR_OWN = ("explanation", "robustness", "out_of_distribution", "deepchecks")
WHERE_ONLY = ("digest", "used")  # of the execution: the first repeats the rest, the second is known afterwards only


def quality(recipe: Recipe, data_hash: str, pixels: str | None, facts: Mapping[str, Any]) -> Definition:
    """Args:
    pixels: digest of how pictures were decoded; None: there are none.
    facts: of the attempt, with `code`, `environment` and `execution`.
    """
    definition = _plain(recipe.quality) | {"split": plain(recipe.data.split, where=False)}
    every = facts["environment"]["packages"]  # a check may rest on any of them
    read = {str(path) for check in components(recipe.quality) for path in check.files()}
    files = {name: found for name, found in facts["files"]["files"].items() if name in read}
    environment = _environment(facts) | {"packages": every}
    made_with = {"code": facts["code"]["sources"], "files": files, "environment": environment}
    seen = {"features": pixels} if any(not isinstance(check, Check) for check in recipe.quality.checks) else {}
    return Definition("quality", {"definition": definition, "data": data_hash, **seen, **made_with})


def features(recipe: Recipe, data_hash: str) -> Definition:
    """For telling what changed; what is decoded already, the features' own room knows picture by picture."""
    labels = list(recipe.data.classes) if recipe.data.classes else None
    frozen = plain(recipe.model.image, where=False) if recipe.model.freeze else None
    definition = _plain(recipe.features) | {"labels": labels, "frozen": frozen}
    return Definition("features", {"definition": definition, "data": data_hash})


def training(recipe: Recipe, features_key: str, facts: Mapping[str, Any]) -> Definition:
    definition = {
        "task": plain(recipe.task, where=False),
        "model": plain(recipe.model, where=False),
        "training": plain(recipe.training, where=False),
        "split": plain(recipe.data.split, where=False),
        "seed": recipe.seed,
    }
    return Definition("training", {"definition": definition, "features": features_key, **_made_with(facts)})


def evaluation(recipe: Recipe, trained: Definition, facts: Mapping[str, Any]) -> Definition:
    own = {name: value for name, value in _plain(recipe.evaluation).items() if name not in OF_THEIR_OWN}
    told = plain(recipe.task, where=True)  # units of what is predicted stand in its record
    return _after(trained, "evaluation", own | {"task": told}, recipe, facts)


def part(
    name: str, recipe: Recipe, before: Definition, facts: Mapping[str, Any], also: Sequence[str] = ()
) -> Definition:
    """A part of the evaluation that is a stage by itself.

    Args:
        before: the stage that it is made from, whose definition holds the data.
        also: further keys of `evaluation` that it looks at.
    """
    evaluation = _plain(recipe.evaluation)
    return _after(before, name, {key: evaluation[key] for key in (name, *also)}, recipe, facts)


def plan(recipe: Recipe, evaluated: Definition, facts: Mapping[str, Any]) -> Definition:
    """Made from the model, which the evaluation depends on, and from what it was off by."""
    told = plain(recipe.plan, where=True)  # the unit stands in its record
    return _after(evaluated, "plan", {"plan": told}, recipe, facts)


def with_every_package(definition: Definition, facts: Mapping[str, Any]) -> Definition:
    """Of what may rest on any package that is installed, and on no device."""
    environment = _environment(facts) | {"packages": facts["environment"]["packages"]}
    kept = {key: value for key, value in definition.parts.items() if key not in ("execution", "files")}
    return Definition(definition.stage, {**kept, "environment": environment})


def _after(
    before: Definition, stage: str, definition: Mapping[str, Any], recipe: Recipe, facts: Mapping[str, Any]
) -> Definition:
    """What asks the model of samples of the data, batch by batch."""
    parts = {
        "definition": {**definition, "batch_size": recipe.training.batch_size},
        before.stage: before.key,
        "data": facts["data_hash"],
    }
    return Definition(stage, parts | _made_with(facts))


def _made_with(facts: Mapping[str, Any]) -> dict[str, Any]:
    execution = {name: value for name, value in facts["execution"].items() if name not in WHERE_ONLY}
    return {
        "code": facts["code"]["sources"],
        "files": facts["files"]["files"],
        "environment": _environment(facts),
        "execution": execution,
    }


def _environment(facts: Mapping[str, Any]) -> dict[str, Any]:
    environment = facts["environment"]
    return {
        "python": environment["python"],
        "platform": environment["platform"],
        "packages": moving(environment["packages"]),
    }


def _plain(section: Section) -> dict[str, Any]:
    return dict(plain(section, where=False))
