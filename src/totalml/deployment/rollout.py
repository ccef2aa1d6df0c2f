"""How far a challenger of a deployment has come, judged by its traffic; and bring it into another stage.

  totalml rollout deployments/guinness.yaml                          stage, figures, what would decide
  totalml rollout deployments/guinness.yaml --to canary --why "..."  once its stage was passed
  totalml rollout deployments/guinness.yaml --to stopped --why "..." at any time
  totalml rollout deployments/guinness.yaml --watch                  judge it as a service does, until Ctrl+C

The file names it by `challenger:` (docs/deployments.md). A service that follows the file judges by itself: a challenger
that fails is stopped; one that passes goes on where the file says `advance: auto`, and is proposed where it says
`propose`. Exit code 3: it did not pass the stage that it is in; --force overrules, and stands in the history. Where the
project has a team.yaml, it says who may: as of deploy, and for --to live as of promote.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from totalml.deployment.stages import CANARY, LIVE, SHADOW, STOPPED
from totalml.errors import GateError, RecipeError
from totalml.identity import short

if TYPE_CHECKING:
    from totalml.deployment.deployment import ChallengerRecipe
    from totalml.deployment.deployments import Challenger
    from totalml.deployment.judge import Judge
    from totalml.deployment.judgement import Judgement
    from totalml.project import Place

EVERY_S = 10.0
ANEW = "the next release begins anew; this one by --to and --force, or once another `challenger` is deployed"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="deployments/NAME.yaml, which was deployed")
    parser.add_argument("--to", choices=(SHADOW, CANARY, LIVE, STOPPED), help="the stage that it is to come into")
    parser.add_argument("--why", metavar="TEXT", default="", help="kept in the journal")
    parser.add_argument("--force", action="store_true", help="although it did not pass")
    parser.add_argument("--watch", action="store_true", help=f"go on, and say what is new, every {EVERY_S:g} s")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.deployment.judge import Judge
    from totalml.deployment.read import read_deployment
    from totalml.team import require_deployer, require_promoter

    file, store = Path(arguments.file), place.open_store()
    model = read_deployment(file, arguments.file).model
    judge = Judge(store, model, file.stem, print)
    judge.deployments.require(file.stem, arguments.file)
    if arguments.watch and arguments.to:
        raise RecipeError("command line: give --to or --watch, not both")
    if arguments.watch or arguments.to:
        (require_promoter if arguments.to == LIVE else require_deployer)(model, place.project)
    if arguments.watch:
        _watch(judge, file.stem)
    if arguments.to is None:
        print(_standing(judge, file.stem))
        return 0
    challenger = judge.deployments.challenger(file.stem)
    if challenger is None:
        raise RecipeError(f"command line: {arguments.file} has no challenger now; {_none(judge, file.stem)}")
    judgement = _judged(judge, challenger)
    objections = _objections(arguments.to, challenger, judgement, judge.recipe)
    if objections and not arguments.force:
        more = [figure.told() for figure in judgement.figures] if judgement else [ANEW]
        listed = "\n".join(f"  {line}" for line in [*objections, *more])
        raise GateError(
            f"it does not come into stage {arguments.to}:\n{listed}\n"
            "--force overrules this, and says so in the history",
            file,
        )
    if judge.move(challenger, arguments.to, arguments.why, judgement, objections) is None:
        raise RecipeError("command line: somebody else was first; give the command again if it is still meant")
    return 0


def _watch(judge: Judge, name: str) -> NoReturn:
    told = ""
    while True:
        judge.look()
        if (standing := _standing(judge, name)) != told:
            print(told := standing, flush=True)
        time.sleep(EVERY_S)


def _standing(judge: Judge, name: str) -> str:
    challenger = judge.deployments.challenger(name)
    if challenger is None:
        return f"{name}: {_none(judge, name)}"
    return "\n".join(_told(name, challenger, _judged(judge, challenger)))


def _judged(judge: Judge, challenger: Challenger) -> Judgement | None:
    return judge.judged(challenger) if challenger.takes_part else None


def _objections(
    to: str, challenger: Challenger, judgement: Judgement | None, recipe: ChallengerRecipe
) -> tuple[str, ...]:
    """Why it should not come into that stage. Raises: RecipeError: it is there, or there is no such stage."""
    if to == challenger.stage:
        raise RecipeError(f"command line: release {short(challenger.release, 12)} is in stage {to} already")
    if to not in (*recipe.stages, STOPPED):
        raise RecipeError(f"command line: the file has no stage {to}; it has {', '.join(recipe.stages)}")
    if to == STOPPED:
        return ()
    outcome = judgement.outcome if judgement else challenger.why or "not judged"
    unproven = [] if outcome == "passed" else [f"stage {challenger.stage}: {outcome}"]
    skips = (recipe.following(challenger.stage), to) == (CANARY, LIVE)
    return (*unproven, *([f"stage {CANARY} comes first"] if skips else []))


def _none(judge: Judge, name: str) -> str:
    deployment = judge.deployments.standing(name)
    recipe = deployment.challenger if deployment else None
    if deployment is None or recipe is None:
        return "as deployed the file names no challenger; one that says `challenger: {}` makes each candidate one"
    if not (release := judge.deployments.points_at(recipe.release)):
        return f"{deployment.model}@{recipe.release} points nowhere yet"
    return f"{deployment.model}@{recipe.release}, release {short(release, 12)}, is what answers"


def _told(name: str, challenger: Challenger, judgement: Judgement | None) -> list[str]:
    release, against, stage = short(challenger.release, 12), short(challenger.against, 12), challenger.stage
    if judgement is not None:
        more = f"; about {judgement.more:,} more requests would decide" if judgement.more else ""
        first = f"{name}: release {release} against {against}: {stage}, {judgement.outcome}{more}"
        return [first, *(f"  {figure.told()}" for figure in judgement.figures)]
    said = f"was {LIVE}; {against} answers now" if stage == LIVE else f"against {against}: {stage}"
    return [f"{name}: release {release} {said}", *([f"  {challenger.why}"] if challenger.why else []), f"  {ANEW}"]
