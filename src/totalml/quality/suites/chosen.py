"""A suite of deepchecks as the recipe wants it: checks left out and added, conditions replaced."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.quality.suites.outliers import ours
from totalml.target import closest

if TYPE_CHECKING:
    from totalml.quality.suites.record import Level
    from totalml.recipe import SuiteCondition, SuiteRecipe

PREFIX = "add_condition_"


class UnfitSuite(ValueError):
    """A recipe names a check, a condition or a limit that deepchecks does not have."""


@dataclass(frozen=True)
class ChosenSuite:
    """Args:
    suite: of deepchecks.
    levels: class of a check -> level of each of its conditions, in their order.
    level: of a check without any.
    asked: classes of checks whose conditions the recipe states; if not met they have failed, though deepchecks may
        only warn.
    """

    suite: Any
    levels: Mapping[str, Sequence[Level]]
    level: Level
    asked: frozenset[str]


def choose(asked: SuiteRecipe, library: Any, name: str, without: Sequence[str] = (), samples: int = 1) -> ChosenSuite:
    """Args:
        library: `deepchecks.tabular` or `deepchecks.vision`.
        without: checks of the suite that cannot be asked here.
        samples: how many are looked at.
    Raises: UnfitSuite: names what the recipe says and the nearest that there is.
    """
    suite = getattr(library.suites, name)()
    places = {type(check).__name__: place for place, check in suite.checks.items()}
    for skipped in asked.skip:
        _known(skipped, places, f"skip: the suite {name} has no check {skipped!r}", "its checks are")
    for left_out in {*asked.skip, *without} & {*places}:
        suite.remove(places[left_out])
    checks = {type(check).__name__: check for check in suite.checks.values()}
    levels: dict[str, list[Level]] = {key: [asked.level] * len(check._conditions) for key, check in checks.items()}
    room = getattr(library.checks, name)
    replaced: set[str] = set()
    for one in asked.conditions:
        known = [other for other in room.__all__ if other not in without]
        _known(one.check, known, f"conditions: {name} has no check {one.check!r}", "there are")
        if one.check not in checks:
            checks[one.check] = getattr(room, one.check)()
            suite.add(checks[one.check])
        check, level = checks[one.check], one.level or asked.level
        if one.condition is None and not one.limits and check._conditions:
            levels[one.check] = [level] * len(check._conditions)
            continue
        if one.check not in replaced:
            check.clean_conditions()
            levels[one.check] = []
            replaced.add(one.check)
        _add(check, one, samples)
        levels[one.check].append(level)
    return ChosenSuite(suite, levels, asked.level, frozenset(one.check for one in asked.conditions))


def _add(check: Any, one: SuiteCondition, samples: int) -> None:
    own = {name.removeprefix(PREFIX): getattr(check, name) for name in dir(check) if name.startswith(PREFIX)}
    ways = own | ours(check, samples)
    if not ways:
        raise UnfitSuite(f"conditions: {one.check} has no condition that could be set; ask for it without, or skip it")
    name = one.condition
    if name is None:
        if len(ways) > 1:
            raise UnfitSuite(f"conditions: {one.check} has several; set 'condition' to one of {', '.join(ways)}")
        (name,) = ways
    _known(name, ways, f"conditions: {one.check} has no condition {name!r}", "there are")
    parameters = inspect.signature(ways[name]).parameters
    for limit in one.limits:
        _known(limit, parameters, f"conditions: {name} of {one.check} has no limit {limit!r}", "it takes")
    required = [key for key, parameter in parameters.items() if parameter.default is parameter.empty]
    if missing := [key for key in required if key not in one.limits]:
        raise UnfitSuite(f"conditions: {name} of {one.check} needs the limit {missing[0]!r}")
    ways[name](**one.limits)


def _known(name: str, options: Any, wrong: str, list_of: str) -> None:
    if name not in options:
        close = closest(name, options)
        raise UnfitSuite(f"{wrong}; " + (f"did you mean {close!r}?" if close else f"{list_of} {', '.join(options)}"))
