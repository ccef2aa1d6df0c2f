"""What to do with the levers of a release: as its run advised it, or with another budget and within other bounds.

  totalml plan marketing@production
  totalml plan marketing@production --budget 120000
  totalml plan marketing@production --budget free --lever tv=0.8:1.2 --json

Another plan is made from the curves that the release keeps, so it takes no data, no model and no time.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from totalml.errors import RecipeError, StoreError
from totalml.plan.another import Question, another
from totalml.plan.record import Plan
from totalml.release.bundle import PLAN
from totalml.release.named import find_release

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="MODEL@ALIAS", help="or MODEL@HASH")
    parser.add_argument("--budget", metavar="AMOUNT", help="or same, or free (that of the run)")
    told = "between which times what was used, once for each (as in the run)"
    parser.add_argument("--lever", metavar="NAME=LEAST:MOST", action="append", default=[], help=told)
    parser.add_argument("--json", action="store_true", help="for another program")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.report.plan import lines, sentence

    bundle = find_release(arguments.release, place.open_store())
    if PLAN not in bundle:
        raise StoreError(f"release {bundle.hash} has no plan; its recipe has no key 'plan'")
    plan = Plan.from_bytes(bundle.read(PLAN))
    if arguments.budget is not None or arguments.lever:
        asked = {"budget": _budget(arguments.budget), "levers": _bounds(arguments.lever)}
        question = Question.read(asked, plan.names)
        plan = plan.advising(*another(plan, question))
    if arguments.json:
        print(json.dumps({"advice": plan.advice.as_json(), "tried": plan.tried and plan.tried.as_json()}, indent=2))
        return 0
    sys.stdout.write("\n".join([sentence(plan), *lines(plan), ""]))
    return 0


def _budget(given: str | None) -> Any:
    """A number where it is one."""
    try:
        return None if given is None else float(given)
    except ValueError:
        return given


def _bounds(given: list[str]) -> dict[str, dict[str, float]]:
    """Raises: RecipeError: of each that is no bound, and of each lever that has two."""
    found: dict[str, dict[str, float]] = {}
    mistakes = []
    for each in given:
        name, _, bounds = each.partition("=")
        least, _, most = bounds.partition(":")
        if name in found:
            mistakes.append(f"command line: --lever {name} is given twice; keep one")
        try:
            found[name] = {"least": float(least), "most": float(most)}
        except ValueError:
            mistakes.append(f"command line: --lever {each} is no bound; write such as tv=0.8:1.2")
    if mistakes:
        raise RecipeError(*mistakes)
    return found
